/**
 * What is typed into a field stays in this tab until it was sent: loading the page again loses
 * nothing. A browser restores fields by itself, but not of a page that must not be stored.
 */

import { namesInTab, readFromTab, removeFromTab, storeInTab } from "./tab-storage.js";

const TYPED = "typed.";

/**
 * Puts back what was typed into `input`, and keeps what is typed from now on.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {string} name what it is kept as
 * @returns {() => void} forgets it, once it was sent
 */
export function keepTyped(input, name) {
  const place = `${TYPED}${name}`;
  /** @type {string | null} */
  const before = readFromTab(place);
  if (before && !input.value) input.value = before;
  input.addEventListener("input", () => {
    try {
      storeInTab(place, input.value);
    } catch {
      // Storage may be switched off; what is typed then lasts as long as the page.
    }
  });
  return () => removeFromTab(place);
}

/** Forgets all that was typed in this tab, on any page. */
export function forgetTyped() {
  for (const name of namesInTab()) if (name.startsWith(TYPED)) removeFromTab(name);
}
