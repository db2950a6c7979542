/** Where a referee stands: accepted, the code on its way or there, the first order. */

import { createElement } from "../shared/elements.js";
import { setText } from "../shared/page-text.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */

/**
 * Draws the steps that this campaign has: without a voucher on confirmation there is no code.
 *
 * @param {HTMLElement} list
 * @param {SponsorVoucher[]} vouchers
 * @param {CampaignAnswer | null} campaign
 */
export function showTimeline(list, vouchers, campaign) {
  const benefits = campaign?.benefits?.referee ?? [];
  const comes = benefits.some(({ when }) => when.trigger === "referral_confirmed");
  const hasCode = vouchers.some(({ state }) => state !== "preparing");
  const hasUsed = vouchers.some(({ state }) => state === "redeemed");
  const stages = [step("timeline.accepted", true)];
  if (comes || vouchers.length) {
    const key = campaign?.release === "at_once" ? "timeline.code-at-once" : "timeline.code-later";
    const hours = campaign?.acknowledge_within ?? 48;
    stages.push(step(hasCode ? "timeline.code-there" : key, hasCode, { count: hours }));
  }
  stages.push(step("timeline.order", hasUsed));
  list.replaceChildren(...stages);
}

/**
 * @param {TextKey} key
 * @param {boolean} isDone
 * @param {Record<string, number>} [values]
 */
function step(key, isDone, values) {
  return createElement(
    "li",
    { class: isDone ? "done" : "open" },
    setText(createElement("span"), key, values),
  );
}
