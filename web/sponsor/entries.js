/**
 * The sponsor's invitations and vouchers, as lists.
 */

import { copyFrom } from "/shared/copying.js";
import { element, onPress, part } from "/shared/elements.js";
import { day, money } from "/shared/format.js";
import { say } from "/shared/language.js";

/** Lists the invitations, newest first as they come. */
export function presentInvitations(invitations, timeZone) {
  part("no-invitations").hidden = invitations.length > 0;
  const entries = invitations.map((invitation) => invitationEntry(invitation, timeZone));
  part("invitations").replaceChildren(...entries);
}

function invitationEntry(invitation, timeZone) {
  const { address, state, closes_on: closesOn } = invitation;
  const dates = {
    day: () => day(invitation.invited_at, timeZone),
    end: () => day(closesOn, timeZone),
  };
  const who = element("strong", {}, address);
  const when = element("span", { class: "muted" });
  say(when, state === "pending" && closesOn ? "invitations.until" : "invitations.invited", dates);
  return element("li", {}, element("div", {}, who, when), badge("invitations", state));
}

/** Lists the vouchers; a code is shown once there is one to use. */
export function presentVouchers(vouchers, timeZone) {
  part("no-vouchers").hidden = vouchers.length > 0;
  part("vouchers").replaceChildren(...vouchers.map((voucher) => voucherEntry(voucher, timeZone)));
}

function voucherEntry({ id, value, currency, valid_until: validUntil, state, code }, timeZone) {
  const worth = say(element("strong"), "vouchers.worth", { value: () => money(value, currency) });
  const until = element("span", { class: "muted" });
  say(until, "vouchers.until", { day: () => day(validUntil, timeZone) });
  const entry = element("li", {}, element("div", {}, worth, until), badge("vouchers", state));
  if (code) entry.append(codeWithCopy(id, code));
  return entry;
}

function codeWithCopy(id, code) {
  const input = element("input", { id: `code-${id}`, class: "code", readonly: "", value: code });
  const label = say(element("label", { for: input.id, class: "unseen" }), "vouchers.code");
  const button = say(element("button", { type: "button" }), "vouchers.copy");
  onPress(button, () => copyFrom(input, part("vouchers-notice")));
  return element("div", { class: "code-line" }, label, input, button);
}

function badge(family, state) {
  return say(element("span", { class: `badge ${state}` }), `${family}.${state}`);
}
