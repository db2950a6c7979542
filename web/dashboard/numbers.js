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
export const COUNTERS = [...INVITATION_COUNTERS, ...VOUCHER_COUNTERS, ...ORDER_COUNTERS];

/**
 * Each step of an invitation, as a share of those received.
 *
 * @param {Record<string, number>} funnel
 * @returns {BarRow[]}
 */
export function invitationRows(funnel) {
  return INVITATION_COUNTERS.map((key) => ({ key, value: funnel[key], total: funnel.invited }));
}

/**
 * Each step of a voucher, as a share of those issued; orders and rewards without a share.
 *
 * @param {Record<string, number>} funnel
 * @returns {BarRow[]}
 */
export function voucherRows(funnel) {
  const issued = funnel.vouchers_issued;
  return [
    ...VOUCHER_COUNTERS.map((key) => ({ key, value: funnel[key], total: issued })),
    ...ORDER_COUNTERS.map((key) => ({ key, value: funnel[key], total: null })),
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
