/**
 * What came with the page's HTML, where the API made it: the page of a shared link (`/p/{code}`).
 *
 * Without it a page asks for the same. `status` is there in place of the campaign: 404 for a link
 * that there is not, 503 where the API could not say.
 */

/**
 * @typedef {{link: string, status?: number, campaign?: CampaignAnswer,
 *   shared?: Pick<SharedLinkAnswer, "sponsor" | "open">}} Given
 */

/** @type {Given | null} */
export const given = JSON.parse(document.getElementById("given")?.textContent || "null");
