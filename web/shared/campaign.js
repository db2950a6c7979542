/**
 * Which campaign a page is about.
 */

/** The campaign shown when the address does not name one. A deployment may change it. */
const DEFAULT_CAMPAIGN = "demo-vip";

/** The campaign in `?campaign=`, else the default one. */
export function requestedCampaign() {
  return new URLSearchParams(location.search).get("campaign") || DEFAULT_CAMPAIGN;
}
