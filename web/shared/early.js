/**
 * A call that a page makes before its own script is there.
 *
 * A page's script is its largest file, and what it asks the API for first follows from the address
 * and from what the tab has stored. A script of its own, small and first on the line, asks for it
 * (`early.js` of a page); the first call of the API for the same thing takes that answer. Without
 * it the page asks by itself.
 */

/** @typedef {{path: string, bearer?: string, abort: AbortController, response: Promise<Response>,
 *   at: number}} EarlyCall */

/** Longer than a page's own script takes to come; what was answered before is not asked for now. */
const GOOD_FOR_MS = 30_000;

/**
 * Two scripts share it, so it is a property of their page: null once the page asks by itself.
 */
const page = /** @type {{earlyCall?: EarlyCall | null}} */ (globalThis);

/**
 * Asks, unless the page's own script was there first.
 *
 * @param {string} path
 * @param {string} [bearer]
 */
export function askEarly(path, bearer) {
  if (page.earlyCall === null) return;
  const abort = new AbortController();
  const response = fetch(path, { ...asked(bearer), signal: abort.signal });
  response.catch(() => {}); // Reported where it is taken.
  page.earlyCall = { path, bearer, abort, response, at: performance.now() };
}

/**
 * The call for the same thing, if it was made and nobody took it.
 *
 * @param {string} path
 * @param {string} [bearer]
 * @returns {EarlyCall | null}
 */
export function takeEarly(path, bearer) {
  page.earlyCall ??= null;
  const { earlyCall } = page;
  if (earlyCall?.path !== path || earlyCall.bearer !== bearer) return null;
  page.earlyCall = null;
  return performance.now() < earlyCall.at + GOOD_FOR_MS ? earlyCall : null;
}

/**
 * How the API is asked, by either script.
 *
 * @param {string} [bearer]
 * @returns {Omit<RequestInit, "headers"> & {headers: Record<string, string>}}
 */
export function asked(bearer) {
  return {
    headers: { Accept: "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) },
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  };
}
