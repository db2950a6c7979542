/**
 * Tokens that arrive in the fragment of the address, which no server and no referrer sees.
 *
 * Filters of mail programs rewrite links: `#` becomes `%23`, or what is behind it becomes a part of
 * the query. Both are read all the same. A token leaves the address bar at once. It is stored for this tab alone until it is used, because
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
  const { search, found } = inAddress(names);
  if (found) {
    history.replaceState(null, "", location.pathname + search);
    store(new URLSearchParams(found).toString());
  }
  // A second link opened in the same tab changes the fragment only: start again with it.
  addEventListener("hashchange", () => {
    if (findPair(location.hash.slice(1), names)) location.reload();
  });
  return found ?? findPair(readStored(), names) ?? {};
}

/**
 * What `takeFragment` would take, which stays where it is.
 *
 * @param {...string} names
 * @returns {Record<string, string | undefined>}
 */
export function readFragment(...names) {
  return inAddress(names).found ?? findPair(readStored(), names) ?? {};
}

/**
 * What the address has of `names`, and its query without it.
 *
 * @param {string[]} names
 */
function inAddress(names) {
  const { search, rest } = repaired(location.search, names);
  return { search, found: findPair(location.hash.slice(1), names) ?? findPair(rest, names) };
}

/**
 * A query without what belongs into the fragment, and that.
 *
 * @param {string} query
 * @param {string[]} names
 */
function repaired(query, names) {
  const [before, ...behind] = query.split(/%23|%2523/i);
  const parameters = new URLSearchParams(before);
  const rest = new URLSearchParams(behind.join("&").replace(/%3D/gi, "="));
  for (const name of names) {
    const value = parameters.get(name);
    if (value === null) continue;
    rest.set(name, value);
    parameters.delete(name);
  }
  const search = parameters.toString();
  return { search: search && `?${search}`, rest: rest.toString() };
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
