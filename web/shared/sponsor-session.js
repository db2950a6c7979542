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
 * The tab's own first. That of the device may have ended; the server says so of the other.
 *
 * @param {string} campaign
 * @returns {SessionAnswer[]}
 */
export function storedSessions(campaign) {
  const ofDevice = readFromDevice(campaign);
  const isOver = ofDevice && Date.parse(ofDevice.expires_at) <= Date.now();
  return [readFromTab(`session.${campaign}`), isOver ? null : ofDevice].filter((one) => one);
}

/**
 * @param {string} campaign
 * @returns {SessionAnswer | null}
 */
export function readSession(campaign) {
  return storedSessions(campaign)[0] ?? null;
}

/**
 * @param {string} campaign
 * @returns {SessionAnswer | null}
 */
function readFromDevice(campaign) {
  try {
    return JSON.parse(localStorage.getItem(place(campaign)) ?? "null");
  } catch {
    return null; // Storage may be switched off: then nobody stays signed in.
  }
}

/**
 * In place of all that are stored, which the caller ends.
 *
 * @param {string} campaign
 * @param {SessionAnswer} session
 * @param {boolean} staysHere on this device
 */
export function keepSession(campaign, session, staysHere) {
  for (const one of storedSessions(campaign)) forgetSession(campaign, one);
  if (staysHere) {
    try {
      localStorage.setItem(place(campaign), JSON.stringify(session));
      return;
    } catch {
      // See readFromDevice().
    }
  }
  storeInTab(`session.${campaign}`, session);
}

/**
 * Forgets this session alone: another tab may have the device stay signed in meanwhile.
 *
 * @param {string} campaign
 * @param {SessionAnswer} session
 */
export function forgetSession(campaign, session) {
  if (readFromTab(`session.${campaign}`)?.session === session.session) {
    removeFromTab(`session.${campaign}`);
  }
  if (readFromDevice(campaign)?.session === session.session) {
    localStorage.removeItem(place(campaign));
  }
}
