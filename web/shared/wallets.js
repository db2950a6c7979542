/**
 * Buttons that put a voucher into the wallet of a phone.
 *
 * Nothing is asked of anybody before one is pressed. Then our own API is asked, because a session is
 * no part of an address, and what it answers is followed by a link: Apple's pass is a file of our
 * own, Google's an address with the voucher in it. A browser that follows no link by itself is left
 * that link, in place of the button.
 */

import { asProblem } from "./api.js";
import { createElement, onClick } from "./elements.js";
import { showProblem } from "./form-errors.js";
import { formatEither } from "./format.js";
import { currentLanguage } from "./language.js";
import { clear, setText } from "./page-text.js";

/** @typedef {"apple" | "google"} Wallet */
/** @typedef {{file?: string, headers?: Record<string, string>}} Options of a call */

/**
 * Asks for a voucher's pass as the voucher's holder; null where that led somewhere else.
 *
 * @typedef {<T>(voucher: SponsorVoucher, kind: string, options: Options) => Promise<T | null>} AskForPass
 */

const PKPASS = "application/vnd.apple.pkpass";
const COMPANIES = { apple: "Apple", google: "Google" };

/** Where a voucher is added to each wallet. @type {Record<Wallet, Find>} */
const ADDRESSES = { apple: appleAddress, google: googleAddress };

/** @typedef {(voucher: SponsorVoucher, ask: AskForPass) => Promise<string | null>} Find */

/**
 * The buttons of a voucher, and who learns its code by them; nothing where there is no pass of it.
 *
 * @param {SponsorVoucher} voucher
 * @param {AskForPass} ask
 */
export function walletButtons(voucher, ask) {
  const wallets = voucher.passes ?? [];
  if (!wallets.length) return [];
  const notice = createElement("p", { class: "error", role: "alert" });
  const buttons = wallets.map((wallet) => walletButton(wallet, voucher, ask, notice));
  const line = createElement("p", { class: "actions wallets" }, ...buttons);
  const note = setText(createElement("p", { class: "muted" }), "wallet.note", {
    companies: () => formatEither(wallets.map((wallet) => COMPANIES[wallet])),
  });
  return [line, note, notice];
}

/**
 * @param {Wallet} wallet
 * @param {SponsorVoucher} voucher
 * @param {AskForPass} ask
 * @param {HTMLElement} notice
 */
function walletButton(wallet, voucher, ask, notice) {
  const button = setText(createElement("button", { type: "button" }), `wallet.${wallet}`);
  onClick(button, async () => {
    clear(notice);
    try {
      const address = await ADDRESSES[wallet](voucher, ask);
      if (address) follow(button, wallet, address);
    } catch (error) {
      showProblem(notice, asProblem(error));
    }
  });
  return button;
}

/** @type {Find} */
async function appleAddress(voucher, ask) {
  /** @type {Blob | null} */
  const pass = await ask(voucher, "apple-pass", { file: PKPASS });
  // The type decides what a phone does with it; that of an answer may have more to it.
  return pass && URL.createObjectURL(new Blob([pass], { type: PKPASS }));
}

/** @type {Find} */
async function googleAddress(voucher, ask) {
  const headers = { "Accept-Language": currentLanguage() };
  /** @type {PassLinkAnswer | null} */
  const answer = await ask(voucher, "google-pass", { headers });
  return answer?.url ?? null;
}

/**
 * Follows an address, by a link that stays where the button was.
 *
 * @param {HTMLButtonElement} button
 * @param {Wallet} wallet
 * @param {string} address
 */
function follow(button, wallet, address) {
  const attributes = { class: "button", href: address, rel: "noopener noreferrer" };
  const link = setText(createElement("a", attributes), `wallet.${wallet}`);
  button.replaceWith(link);
  link.focus();
  link.click();
}
