/** Copying a text for its reader to paste elsewhere. */

import { say } from "/shared/language.js";

/**
 * Copies the text of `input` and says so in `notice`; where that is not allowed, selects it and
 * says that.
 */
export async function copyFrom(input, notice) {
  try {
    await navigator.clipboard.writeText(input.value);
    say(notice, "sharing.copied");
  } catch {
    input.focus();
    input.select();
    say(notice, "sharing.not-copied");
  }
}
