/**
 * What a tab remembers about who is signed in: in sessionStorage, so that it ends with the tab.
 */

/**
 * @param {string} name
 * @param {unknown} value
 */
export function storeInTab(name, value) {
  sessionStorage.setItem(`tandem.${name}`, JSON.stringify(value));
}

/**
 * What is stored under `name`, or null.
 *
 * @template T
 * @param {string} name
 * @returns {T | null}
 */
export function readFromTab(name) {
  try {
    return JSON.parse(sessionStorage.getItem(`tandem.${name}`) ?? "null");
  } catch {
    return null;
  }
}

/** The names of all that is stored. */
export function namesInTab() {
  try {
    const names = Object.keys(sessionStorage).filter((name) => name.startsWith("tandem."));
    return names.map((name) => name.slice("tandem.".length));
  } catch {
    return []; // Storage is switched off, so nothing was stored.
  }
}

/** @param {string} name */
export function removeFromTab(name) {
  try {
    sessionStorage.removeItem(`tandem.${name}`);
  } catch {
    // Storage is switched off, so nothing was stored.
  }
}
