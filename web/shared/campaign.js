/**
 * Which campaign a page is about, and what the API says of it, asked for once a page.
 */

import { apiPath, callApi } from "./api.js";
import { given } from "./given.js";

/** The campaign that came with the page, else that in `?campaign=`; empty when none is named. */
export function requestedCampaign() {
  if (given) return given.campaign?.campaign ?? "";
  const [query] = location.search.split(/%23|%2523/i); // A filter's "#": see fragment.js.
  return new URLSearchParams(query).get("campaign") ?? "";
}

/** The address of a page for the campaign that this one is about, if it is about one. */
export function addressOf(/** @type {string} */ path) {
  const campaign = requestedCampaign();
  return campaign ? `${path}?${new URLSearchParams({ campaign })}` : path;
}

/** @type {Promise<CampaignAnswer> | undefined} */
let asked = given?.campaign && Promise.resolve(given.campaign);

/**
 * The campaign. Whoever asks meanwhile gets the same answer; after a failure it is asked for again.
 * Throws a ProblemError.
 *
 * @returns {Promise<CampaignAnswer>}
 */
export function askCampaign() {
  asked ??= ask().catch((error) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

/** @returns {Promise<CampaignAnswer>} */
async function ask() {
  const path = apiPath`/v1/campaigns/${requestedCampaign()}`;
  return callApi("GET", path, { preloaded: true });
}
