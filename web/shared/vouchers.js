/**
 * A holder's vouchers, as a list: the sponsor's, or the referee's.
 *
 * The page has a list `vouchers`, a text `no-vouchers` and a notice `vouchers-notice`.
 */

import { copyValue } from "./clipboard.js";
import { byId, createElement, onClick } from "./elements.js";
import { formatDay, formatMoney } from "./format.js";
import { setText } from "./page-text.js";

/** @typedef {import("./language.js").TextKey} TextKey */

/**
 * Lists the vouchers; a code is shown as soon as it can be used.
 *
 * @param {SponsorVoucher[]} vouchers
 * @param {string} [timeZone] the campaign's
 */
export function showVouchers(vouchers, timeZone) {
  byId("no-vouchers").hidden = vouchers.length > 0;
  const entries = vouchers.map((voucher) => voucherEntry(voucher, timeZone));
  byId("vouchers").replaceChildren(...entries);
}

/**
 * @param {SponsorVoucher} voucher
 * @param {string} [timeZone]
 */
function voucherEntry({ id, value, currency, valid_until: validUntil, state, code }, timeZone) {
  const worth = setText(createElement("strong"), "vouchers.value", {
    value: () => formatMoney(value, currency),
  });
  const lastDay = createElement("span", { class: "muted" });
  setText(lastDay, "vouchers.valid-until", { day: () => formatDay(validUntil, timeZone) });
  const badge = stateBadge(state, `vouchers.${state}`);
  const entry = createElement("li", {}, createElement("div", {}, worth, lastDay), badge);
  if (code) entry.append(codeWithCopyButton(id, code));
  return entry;
}

/**
 * @param {string} voucherId
 * @param {string} code
 */
function codeWithCopyButton(voucherId, code) {
  const id = `code-${voucherId}`;
  const input = createElement("input", { id, class: "code", readonly: "", value: code });
  const label = createElement("label", { for: id, class: "visually-hidden" });
  setText(label, "vouchers.code");
  const button = setText(createElement("button", { type: "button" }), "vouchers.copy-code");
  onClick(button, () => copyValue(input, byId("vouchers-notice")));
  return createElement("div", { class: "code-line" }, label, input, button);
}

/**
 * @param {string} state also the class that colours the badge
 * @param {TextKey} key
 */
export function stateBadge(state, key) {
  return setText(createElement("span", { class: `badge ${state}` }), key);
}
