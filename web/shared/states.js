/**
 * The states of a page: sections with `data-state`, one of which is visible.
 *
 * The first one is `loading`, which the page has from the start. It ends when the texts are there,
 * however early the page knows what to show: nothing is shown empty.
 */

import { hasTexts } from "./language.js";

let pastLoading = false;
/** What to show when the texts are there. */
let awaited = "";

/**
 * Shows the section of that state alone. Its heading takes the focus, so that screen readers
 * announce the change; not on the first one, which is the page itself.
 *
 * @param {string} state
 */
export function showState(state) {
  awaited = state;
  if (hasTexts()) show(state);
}

/** Shows what was to be shown before the texts were there. */
export function showAwaited() {
  if (awaited && !pastLoading) show(awaited);
}

/** @param {string} state */
function show(state) {
  let heading = null;
  for (const section of sections()) {
    section.hidden = section.getAttribute("data-state") !== state;
    if (!section.hidden) heading = section.querySelector("h1");
  }
  if (pastLoading && heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
  if (state !== "loading") pastLoading = true;
}

/** @returns {NodeListOf<HTMLElement>} */
function sections() {
  return document.querySelectorAll("[data-state]");
}

/** The state that is visible. */
export function visibleState() {
  return document.querySelector("[data-state]:not([hidden])")?.getAttribute("data-state") ?? null;
}

/** The page can be shown: there is nothing to apologise for. */
export function forgetApology() {
  apology()?.remove();
}

/**
 * Says that the page cannot be shown, in the words that its HTML has in each language.
 *
 * @param {string} language
 */
export function showApology(language) {
  /** @type {NodeListOf<HTMLElement>} */
  const words = document.querySelectorAll("[data-apology]");
  if (Array.from(words).some((one) => one.hidden)) return; // It says so already.
  for (const one of words) one.hidden = one.lang !== language;
  apology()?.classList.add("now");
}

function apology() {
  return document.querySelector("[data-apology]")?.parentElement;
}
