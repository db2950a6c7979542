/**
 * What a campaign promises, as its rules have it: tickets and the steps to each voucher.
 *
 * Every sentence about a voucher is made here of the `benefits` of the API. Where no rule grants
 * anything there is nothing to show, and no text that says otherwise.
 */

import { createElement } from "./elements.js";
import { formatMoney } from "./format.js";
import { getText } from "./language.js";
import { setText, setValue } from "./page-text.js";

/** @typedef {import("./language.js").TextKey} TextKey */
/** @typedef {"sponsor" | "referee"} Role */

/** The texts of the first orders; any later one is numbered. */
const NAMED = { referee: 3, sponsor: 1 };

/**
 * What one gets first: whatever comes with the confirmation, else the first rung.
 *
 * @param {CampaignAnswer} campaign
 * @param {Role} role
 */
export function firstBenefit(campaign, role) {
  return campaign.benefits?.[role][0] ?? null;
}

/**
 * A ticket: the value large on the stub, what it asks for beside it.
 *
 * @param {{value: string, currency: string, minimum_basket: string}} voucher
 * @param {...Node} more
 */
export function createTicket({ value, currency, minimum_basket: minimum }, ...more) {
  const amount = setValue(createElement("strong", { class: "amount" }), () =>
    formatMoney(value, currency),
  );
  const hasMinimum = Number(minimum) > 0;
  const condition = setText(
    createElement("span", { class: "condition" }),
    hasMinimum ? "ticket.minimum" : "ticket.no-minimum",
    { minimum: () => formatMoney(minimum, currency) },
  );
  const stub = createElement("div", { class: "stub" }, amount, condition);
  return createElement("div", { class: "ticket" }, stub, createElement("div", {}, ...more));
}

/**
 * The steps to each voucher, in a list.
 *
 * @param {HTMLElement} list
 * @param {BenefitAnswer[]} benefits
 * @param {Role} role who reads it, and is spoken to
 * @param {string} currency
 */
export function showLadder(list, benefits, role, currency) {
  list.hidden = benefits.length === 0;
  list.replaceChildren(...benefits.map((benefit) => rung(benefit, role, currency)));
}

/**
 * @param {BenefitAnswer} benefit
 * @param {Role} role
 * @param {string} currency
 */
function rung({ value, when }, role, currency) {
  const amount = setValue(createElement("strong"), () => `+ ${formatMoney(value, currency)}`);
  const least = Number(when.minimum_amount) > 0;
  const what = setText(createElement("span"), least ? "rung.least" : rungKey(when, role), {
    order: when.order,
    rung: () => getText(rungKey(when, role), { order: when.order }),
    least: () => formatMoney(when.minimum_amount, currency),
  });
  return createElement("li", {}, amount, what);
}

/**
 * @param {WhenAnswer} when
 * @param {Role} role
 * @returns {TextKey}
 */
export function rungKey({ trigger, order }, role) {
  const of = (/** @type {string} */ name) =>
    /** @type {TextKey} */ (role === "sponsor" ? `sponsor-rung.${name}` : `rung.${name}`);
  if (trigger === "referral_confirmed") return of("confirmation");
  if (trigger === "voucher_redeemed") return of("redeemed");
  if (order === null) return of("each");
  return of(order <= NAMED[role] ? String(order) : "nth");
}

/**
 * Whether any of them waits until an order can no longer be returned, which readers are told.
 *
 * @param {BenefitAnswer[]} benefits
 */
export function waitForReturns(benefits) {
  return benefits.some(({ when }) => when.trigger === "order_kept");
}
