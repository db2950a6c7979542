/**
 * Tokens that arrive in the fragment of the address, which no server and no referrer sees.
 *
 * A token leaves the address bar at once. It is stored for this tab alone until it is used, because
 * phones discard a page in the background and load it again when the reader comes back to it.
 */

const storageKey = `tandem.fragment.${location.pathname}`;

/**
 * Takes `#{name}=…` out of the address bar, for the first of `names` that is there. Returns
 * `{[name]: value}` from the address, or else what this tab stored earlier; empty when there is
 * neither.
 *
 * @param {...string} names
 * @returns {Record<string, string | undefined>}
 */
export function takeFragment(...names) {
  const found = findPair(location.hash.slice(1), names);
  if (found) {
    history.replaceState(null, "", location.pathname + location.search);
    store(new URLSearchParams(found).toString());
  }
  // A second link opened in the same tab changes the fragment only: start again with it.
  addEventListener("hashchange", () => {
    if (findPair(location.hash.slice(1), names)) location.reload();
  });
  return found ?? findPair(readStored(), names) ?? {};
}

/** Forgets the stored token, once it is of no more use. */
export function forgetFragment() {
  try {
    sessionStorage.removeItem(storageKey);
  } catch {
    // Storage is switched off, so nothing was stored.
  }
}

/**
 * @param {string} fragment without its `#`
 * @param {string[]} names in order of precedence
 * @returns {Record<string, string> | null}
 */
function findPair(fragment, names) {
  const parameters = new URLSearchParams(fragment);
  for (const name of names) {
    const value = parameters.get(name);
    if (value) return { [name]: value };
  }
  return null;
}

/** @param {string} pair */
function store(pair) {
  try {
    sessionStorage.setItem(storageKey, pair);
  } catch {
    // Storage may be switched off; the token then lasts as long as the page.
  }
}

function readStored() {
  try {
    return sessionStorage.getItem(storageKey) ?? "";
  } catch {
    return "";
  }
}
