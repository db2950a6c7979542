/**
 * Which of the dashboard's numbers are shown, in which order, and what each is compared with.
 *
 * Pure: tables.js draws what this module returns. A counter of the API that is not listed here is
 * not shown; tests/web/numbers.test.js compares the list with the counters that have a text.
 */

/**
 * A row of a table with bars: the value is shown as a percentage of `total`; no bar when null.
 * @typedef {{key: string, value: number, total: number | null}} BarRow
 */

export const INVITATION_COUNTERS = /** @type {const} */ ([
  "invited",
  "refused",
  "sent",
  "confirmed",
  "declined",
  "bounced",
  "expired",
  "found_on_later_list",
]);
export const VOUCHER_COUNTERS = /** @type {const} */ ([
  "vouchers_issued",
  "vouchers_replaced",
  "vouchers_exported",
  "vouchers_acknowledged",
  "vouchers_redeemed",
]);
export const ORDER_COUNTERS = /** @type {const} */ ([
  "orders_kept",
  "rewards",
  "rewards_taken_back",
  "rewards_refused",
]);
const LATE_AFTER_S = 30;
export const COUNTERS = [...INVITATION_COUNTERS, ...VOUCHER_COUNTERS, ...ORDER_COUNTERS];

/**
 * Each step of an invitation, as a share of those received.
 *
 * @param {Record<string, number>} funnel
 * @returns {BarRow[]}
 */
export function invitationRows(funnel) {
  return INVITATION_COUNTERS.map((key) => ({
    key,
    value: funnel[key] ?? 0,
    total: funnel.invited ?? 0,
  }));
}

/**
 * Each step of a voucher, as a share of those issued; orders and rewards without a share.
 *
 * @param {Record<string, number>} funnel
 * @returns {BarRow[]}
 */
export function voucherRows(funnel) {
  const issued = funnel.vouchers_issued ?? 0;
  return [
    ...VOUCHER_COUNTERS.map((key) => ({ key, value: funnel[key] ?? 0, total: issued })),
    ...ORDER_COUNTERS.map((key) => ({ key, value: funnel[key] ?? 0, total: null })),
  ];
}

/**
 * The reasons of refusals, the most frequent first, as a share of all refusals.
 *
 * @param {Record<string, number>} reasons
 * @param {number} refused
 * @returns {BarRow[]}
 */
export function reasonRows(reasons, refused) {
  return Object.entries(reasons)
    .map(([key, value]) => ({ key, value, total: refused }))
    .sort((one, other) => other.value - one.value);
}

/**
 * The orders by who made them, the most frequent first, as a share of all orders.
 *
 * @param {Record<string, number>} buyers
 * @returns {BarRow[]}
 */
export function buyerRows(buyers) {
  const orders = Object.values(buyers).reduce((sum, value) => sum + value, 0);
  return reasonRows(buyers, orders);
}

/**
 * What became of mails, as a share of those that left.
 *
 * @param {Record<string, number>} counts
 * @returns {BarRow[]}
 */
export function mailRows(counts) {
  const sent = counts["mails.sent"] ?? 0;
  const rows = ["bounced", "complained", "failed"].map((key) => ({
    key,
    value: counts[`mails.${key}`] ?? 0,
    total: sent,
  }));
  return [{ key: "sent", value: sent, total: null }, ...rows];
}

/**
 * What people said: consent as a share of confirmations, a no as a share of the mails that asked.
 *
 * @param {Record<string, number>} counts
 * @returns {BarRow[]}
 */
export function wordRows(counts) {
  return [
    { key: "consents", value: counts.consents ?? 0, total: counts.confirmed ?? 0 },
    { key: "declined", value: counts.declined ?? 0, total: counts.sent ?? 0 },
    { key: "oppositions", value: counts.oppositions ?? 0, total: null },
  ];
}

const LATE = 0.8;

/**
 * How many whole days old a list is, and whether that is most of what it may be; null for none.
 *
 * @param {Pick<ListAnswer, "accepted_at" | "max_age_days">} list
 * @param {string} asOf
 */
export function ageOf({ accepted_at: acceptedAt, max_age_days: most }, asOf) {
  if (!acceptedAt) return null;
  const days = Math.max(0, Math.floor((Date.parse(asOf) - Date.parse(acceptedAt)) / 86_400_000));
  return { days, isLate: days >= LATE * most };
}

/**
 * The days, the newest first.
 *
 * @param {DayCounts[]} days
 */
export function newestFirst(days) {
  return [...days].sort((one, other) => String(other.date).localeCompare(String(one.date)));
}

/**
 * How wide a bar is, in per cent: never more than its track.
 *
 * @param {number} value
 * @param {number} total
 */
export function barWidth(value, total) {
  return total ? Math.min(100, (100 * value) / total) : 0;
}

/**
 * Whether two answers show different numbers, whatever their times.
 *
 * @param {DashboardAnswer} answer
 * @param {DashboardAnswer | null} previous
 */
export function haveChanged(answer, previous) {
  return withoutTime(answer) !== withoutTime(previous);
}

/**
 * How far the counts are: `fresh`, or so many minutes `behind`, or `offline` when nobody answers.
 *
 * @param {number} lateS for how long something has waited
 * @param {boolean} isOffline
 * @returns {"fresh" | "behind" | "offline"}
 */
export function lagOf(lateS, isOffline) {
  if (isOffline) return "offline";
  return lateS > LATE_AFTER_S ? "behind" : "fresh";
}

/** @param {DashboardAnswer | null} answer */
function withoutTime(answer) {
  return JSON.stringify({ ...answer, as_of: null, counted_until: null, lag_s: null });
}

/**
 * Since when something waits to be counted, in milliseconds; null when nothing is known to.
 *
 * Each answer has looked at a few facts alone, so what an earlier one found still waits until the
 * counts are beyond it.
 *
 * @param {Pick<DashboardAnswer, "as_of" | "counted_until" | "lag_s">} answer
 * @param {number | null} before what it was with the answer before
 */
export function waitingSince({ as_of: asOf, counted_until: until, lag_s: lag }, before) {
  const found = lag > 0 ? Date.parse(asOf) - lag * 1_000 : null;
  const waits = before !== null && (until === null || Date.parse(until) < before) ? before : null;
  if (found === null || waits === null) return found ?? waits;
  return Math.min(found, waits);
}
