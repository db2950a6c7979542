/** Copying a text to the clipboard. */

import { setText } from "./page-text.js";

/**
 * Copies the value of `input` and says so in `notice`. Where the browser does not allow it, selects
 * the value and says that instead.
 *
 * @param {HTMLInputElement} input
 * @param {HTMLElement} notice
 */
export async function copyValue(input, notice) {
  if (await copyText(input.value, notice)) return;
  input.focus();
  input.select();
}

/**
 * Copies a text and says in `notice` whether that worked.
 *
 * @param {string} text
 * @param {HTMLElement} notice
 */
export async function copyText(text, notice) {
  try {
    await navigator.clipboard.writeText(text);
    setText(notice, "sharing.copied");
    return true;
  } catch {
    setText(notice, "sharing.copy-failed");
    return false;
  }
}
