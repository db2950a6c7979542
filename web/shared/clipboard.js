/** Copying a value to the clipboard. */

import { setText } from "./page-text.js";

/**
 * Copies the value of `input` and says so in `notice`. Where the browser does not allow it, selects
 * the value and says that instead.
 *
 * @param {HTMLInputElement} input
 * @param {HTMLElement} notice
 */
export async function copyValue(input, notice) {
  try {
    await navigator.clipboard.writeText(input.value);
    setText(notice, "sharing.copied");
  } catch {
    input.focus();
    input.select();
    setText(notice, "sharing.copy-failed");
  }
}
