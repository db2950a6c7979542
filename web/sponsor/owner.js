/**
 * Whose the entries of this tab are: by the link that the sponsor shares, and by the end of her
 * session, for she may have made another link elsewhere meanwhile.
 *
 * A session that ends leaves what was entered, so that its sponsor finds it when she signs in again;
 * who signs in after her does not.
 */

import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";

/** @typedef {{link: string, session?: string}} Owner */

/** @param {string} campaign */
function place(campaign) {
  return `owner.${campaign}`;
}

/**
 * Notes who is signed in.
 *
 * @param {string} campaign
 * @param {Owner} owner
 * @returns {boolean} whether what was entered before is somebody else's
 */
export function takeOver(campaign, owner) {
  /** @type {Owner | null} */
  const before = readFromTab(place(campaign));
  try {
    storeInTab(place(campaign), owner);
  } catch {
    // Storage may be switched off: then nothing that was entered outlives the page either.
  }
  return before !== null && before.link !== owner.link && before.session !== owner.session;
}

/** @param {string} campaign */
export function forgetOwner(campaign) {
  removeFromTab(place(campaign));
}
