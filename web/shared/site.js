/**
 * What a deployment may change in the pages, and which campaign the address bar asks for.
 */

/** The campaign shown when the address names none. */
export const defaultCampaign = "demo-vip";

/** The campaign named by `?campaign=`, else the default one. */
export function campaignAsked() {
  return new URLSearchParams(location.search).get("campaign") || defaultCampaign;
}

/** The address of the sign-in page of a campaign. */
export function signInAddress(campaign) {
  return `/?campaign=${encodeURIComponent(campaign)}`;
}
