/**
 * The sponsor's session: in this tab alone, or on this device where she asked for it.
 *
 * A session on the device is read by every tab, until it ends or somebody signs out in one of them.
 */

import { readFromTab, removeFromTab, storeInTab } from "./tab-storage.js";

/** @param {string} campaign */
function place(campaign) {
  return `tandem.session.${campaign}`;
}

/**
 * @param {string} campaign
 * @returns {SessionAnswer | null}
 */
export function readSession(campaign) {
  /** @type {SessionAnswer | null} */
  const ofTab = readFromTab(`session.${campaign}`);
  if (ofTab) return ofTab;
  try {
    /** @type {SessionAnswer | null} */
    const kept = JSON.parse(localStorage.getItem(place(campaign)) ?? "null");
    return kept && Date.parse(kept.expires_at) > Date.now() ? kept : null;
  } catch {
    return null; // Storage may be switched off: then nobody stays signed in.
  }
}

/**
 * @param {string} campaign
 * @param {SessionAnswer} session
 * @param {boolean} staysHere on this device
 */
export function keepSession(campaign, session, staysHere) {
  forgetSession(campaign);
  if (staysHere) {
    try {
      localStorage.setItem(place(campaign), JSON.stringify(session));
      return;
    } catch {
      // See readSession().
    }
  }
  storeInTab(`session.${campaign}`, session);
}

/** @param {string} campaign */
export function forgetSession(campaign) {
  removeFromTab(`session.${campaign}`);
  try {
    localStorage.removeItem(place(campaign));
  } catch {
    // See readSession().
  }
}
