/**
 * The address that was typed to sign in, as far as this browser can recognise it: a salted digest,
 * for each campaign. Nobody can read the address in it, and signing out removes it.
 */

/** @param {string} campaign */
function place(campaign) {
  return `tandem.own-address.${campaign}`;
}

/**
 * Keeps that this address was typed.
 *
 * @param {string} campaign
 * @param {string} email
 */
export async function rememberOwnAddress(campaign, email) {
  try {
    const salt = crypto.randomUUID();
    const kept = { salt, digest: await digestOf(salt, email) };
    localStorage.setItem(place(campaign), JSON.stringify(kept));
  } catch {
    // Without storage or without digests (an unsafe origin) nothing is recognised.
  }
}

/**
 * Whether it is the address that was typed to sign in.
 *
 * @param {string} campaign
 * @param {string} email
 */
export async function isOwnAddress(campaign, email) {
  try {
    const kept = JSON.parse(localStorage.getItem(place(campaign)) ?? "null");
    return kept !== null && kept.digest === (await digestOf(kept.salt, email));
  } catch {
    return false; // See rememberOwnAddress().
  }
}

/** @param {string} campaign */
export function forgetOwnAddress(campaign) {
  try {
    localStorage.removeItem(place(campaign));
  } catch {
    // See rememberOwnAddress().
  }
}

/**
 * @param {string} salt
 * @param {string} email
 */
async function digestOf(salt, email) {
  const text = new TextEncoder().encode(`${salt} ${email.trim().normalize().toLowerCase()}`);
  const digest = await crypto.subtle.digest("SHA-256", text);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
