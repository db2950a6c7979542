/**
 * The states of a page: sections marked `data-state`, of which one is on view.
 */

let shownBefore = false;

/**
 * Shows the section of that state alone. After the first, its heading takes the focus, so it is
 * read out.
 */
export function show(state) {
  let heading = null;
  for (const section of document.querySelectorAll("[data-state]")) {
    section.hidden = section.getAttribute("data-state") !== state;
    if (!section.hidden) heading = section.querySelector("h1");
  }
  if (shownBefore && heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
  // What the page shows while it loads is not a change anyone made.
  if (state !== "loading") shownBefore = true;
}

/** The state on view. */
export function shown() {
  return document.querySelector("[data-state]:not([hidden])")?.getAttribute("data-state") ?? null;
}
