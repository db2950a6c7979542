/**
 * What a tab knows of who is signed in: kept in sessionStorage, so it ends with the tab.
 */

/** Keeps `value` under `name` until this tab closes. */
export function keepInTab(name, value) {
  sessionStorage.setItem(`tandem.${name}`, JSON.stringify(value));
}

/** What was kept under `name`, or null. */
export function keptInTab(name) {
  try {
    return JSON.parse(sessionStorage.getItem(`tandem.${name}`));
  } catch {
    return null;
  }
}

/** Forgets what was kept under `name`. */
export function forgetInTab(name) {
  sessionStorage.removeItem(`tandem.${name}`);
}
