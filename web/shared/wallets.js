/**
 * Buttons that put a voucher into the wallet of a phone.
 *
 * Nothing is asked of anybody before one is pressed. Apple's pass is a file of our own: it is
 * fetched, because a session is no part of an address, and handed to the browser by a link. A
 * browser that follows no link by itself is left that link, in place of the button.
 */

import { asProblem } from "./api.js";
import { createElement, onClick } from "./elements.js";
import { showProblem } from "./form-errors.js";
import { clear, setText } from "./page-text.js";

export const PKPASS = "application/vnd.apple.pkpass";

/**
 * What asks for a voucher's pass, as the voucher's holder; null where that showed something else.
 *
 * @typedef {(voucher: SponsorVoucher, kind: "apple-pass") => Promise<Blob | null>} AskForPass
 */

/**
 * The buttons of a voucher, and who learns its code by them; nothing where there is no pass of it.
 *
 * @param {SponsorVoucher} voucher
 * @param {AskForPass} ask
 */
export function walletButtons(voucher, ask) {
  if (!voucher.passes?.includes("apple")) return [];
  const notice = createElement("p", { class: "error", role: "alert" });
  const line = createElement("p", { class: "actions" }, appleButton(voucher, ask, notice));
  const note = setText(createElement("p", { class: "muted" }), "wallet.note");
  return [line, note, notice];
}

/**
 * @param {SponsorVoucher} voucher
 * @param {AskForPass} ask
 * @param {HTMLElement} notice
 */
function appleButton(voucher, ask, notice) {
  const button = setText(createElement("button", { type: "button" }), "wallet.apple");
  onClick(button, async () => {
    clear(notice);
    try {
      const pass = await ask(voucher, "apple-pass");
      if (pass) offer(button, pass);
    } catch (error) {
      showProblem(notice, asProblem(error));
    }
  });
  return button;
}

/**
 * Hands the file over, by a link that stays where the button was.
 *
 * @param {HTMLButtonElement} button
 * @param {Blob} pass
 */
function offer(button, pass) {
  // The type decides what a phone does with it; that of an answer may have more to it.
  const file = new Blob([pass], { type: PKPASS });
  const link = createElement("a", { class: "button", href: URL.createObjectURL(file) });
  setText(link, "wallet.apple");
  button.replaceWith(link);
  link.focus();
  link.click();
}
