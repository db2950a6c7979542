/**
 * Which campaign a page is about, and what the API says of it, asked for once a page.
 */

import { apiPath, callApi } from "./api.js";

/** The campaign shown when the address does not name one. A deployment may change it. */
const DEFAULT_CAMPAIGN = "demo-vip";

/** The campaign in `?campaign=`, else the default one. */
export function requestedCampaign() {
  const [query] = location.search.split(/%23|%2523/i); // A filter's "#": see fragment.js.
  return new URLSearchParams(query).get("campaign") || DEFAULT_CAMPAIGN;
}

/** @type {Promise<CampaignAnswer> | undefined} */
let asked;

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
  return callApi("GET", apiPath`/v1/campaigns/${requestedCampaign()}`);
}
