/**
 * The states of a page: sections with `data-state`, one of which is visible.
 */

let pastLoading = false;

/**
 * Shows the section of that state alone. Its heading takes the focus, so that screen readers
 * announce the change; not on the first one, which is the page itself.
 *
 * @param {string} state
 */
export function showState(state) {
  let heading = null;
  /** @type {NodeListOf<HTMLElement>} */
  const sections = document.querySelectorAll("[data-state]");
  for (const section of sections) {
    section.hidden = section.getAttribute("data-state") !== state;
    if (!section.hidden) heading = section.querySelector("h1");
  }
  if (pastLoading && heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
  if (state !== "loading") pastLoading = true;
}

/** The state that is visible. */
export function visibleState() {
  return document.querySelector("[data-state]:not([hidden])")?.getAttribute("data-state") ?? null;
}
