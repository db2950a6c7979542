/**
 * What a page does before its own script is there.
 *
 * A page's script is its largest file, and what it asks the API for first follows from the address
 * and from what the tab has stored. A small script in the HTML (`early.js` of a page, which the
 * policy names by its digest) asks for it; the first call of the API for the same thing takes that
 * answer. Where that script does not run, the page asks by itself.
 */

/** @typedef {{bearer?: string, abort: AbortController, answer: Promise<[Response, string]>,
 *   at: number}} EarlyCall */

/** Longer than a page's own script takes to come; what was answered before is not asked for now. */
const GOOD_FOR_MS = 30_000;

/** What the two scripts share is a property of their page: the calls by their paths. */
const page = /** @type {{earlyCalls?: Record<string, EarlyCall>}} */ (globalThis);

/** Whether a part of a path is itself without escapes. Any other, the page's own script asks for. */
export function isPlain(/** @type {string} */ part) {
  return /^[\w-]+$/.test(part);
}

/**
 * @param {string} path
 * @param {{bearer?: string, preloaded?: boolean}} [how]
 */
export function askEarly(path, { bearer, preloaded } = {}) {
  const abort = new AbortController();
  const answer = fetch(path, { ...asked(bearer, preloaded), signal: abort.signal }).then(
    async (response) => /** @type {[Response, string]} */ ([response, await response.text()]),
  );
  answer.catch(() => {}); // Reported where it is taken.
  page.earlyCalls ??= {};
  page.earlyCalls[path] = { bearer, abort, answer, at: performance.now() };
}

/**
 * The call for the same thing, if it was made and nobody took it.
 *
 * @param {string} path
 * @param {string} [bearer]
 * @returns {EarlyCall | null}
 */
export function takeEarly(path, bearer) {
  const call = page.earlyCalls?.[path];
  if (!call || call.bearer !== bearer) return null;
  delete page.earlyCalls?.[path];
  return performance.now() < call.at + GOOD_FOR_MS ? call : null;
}

/**
 * Has the browser load what amounts and days are written with, while it waits for the line: making
 * the first formatter of each kind takes some 13 ms on a desktop computer.
 */
export function warmFormats() {
  setTimeout(() => {
    const { language } = navigator;
    new Intl.NumberFormat(language, { style: "currency", currency: "EUR" }).format(1);
    new Intl.DateTimeFormat(language, { dateStyle: "long" }).format();
    new Intl.PluralRules(language).select(1);
  });
}

/**
 * How the API is asked, by either script.
 *
 * @param {string} [bearer]
 * @param {boolean} [preloaded] whether the edge has the browser ask before any script, in which case
 *   this one has to ask as the preload did
 * @returns {Omit<RequestInit, "headers"> & {headers: Record<string, string>}}
 */
export function asked(bearer, preloaded = false) {
  return {
    headers: { Accept: "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) },
    cache: preloaded ? "default" : "no-store",
    credentials: preloaded ? "same-origin" : "omit",
    redirect: "error",
  };
}
