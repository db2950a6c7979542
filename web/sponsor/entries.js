/**
 * The sponsor's invitations and vouchers, as lists.
 */

import { copyValue } from "../shared/clipboard.js";
import { byId, createElement, onClick } from "../shared/elements.js";
import { formatDay, formatMoney } from "../shared/format.js";
import { setText } from "../shared/page-text.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */

/**
 * Lists the invitations, in the order of the API: newest first.
 *
 * @param {InvitationAnswer[]} invitations
 * @param {string} [timeZone] the campaign's
 */
export function showInvitations(invitations, timeZone) {
  byId("no-invitations").hidden = invitations.length > 0;
  const entries = invitations.map((invitation) => invitationEntry(invitation, timeZone));
  byId("invitations").replaceChildren(...entries);
}

/**
 * @param {InvitationAnswer} invitation
 * @param {string} [timeZone]
 */
function invitationEntry({ address, state, invited_at: invitedAt, closes_on: closesOn }, timeZone) {
  const name = createElement("strong", {}, address);
  const dates = createElement("span", { class: "muted" });
  const isOpen = state === "pending" && closesOn;
  setText(dates, isOpen ? "invitations.open-until" : "invitations.invited-on", {
    day: () => formatDay(invitedAt, timeZone),
    end: () => formatDay(closesOn, timeZone),
  });
  const badge = stateBadge(state, `invitations.${state}`);
  return createElement("li", {}, createElement("div", {}, name, dates), badge);
}

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
function stateBadge(state, key) {
  return setText(createElement("span", { class: `badge ${state}` }), key);
}
