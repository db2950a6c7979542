/**
 * Numbers, dates and amounts, formatted for the page's language.
 */

import { currentLanguage, currentLocale } from "./language.js";

/**
 * A day in words. An ISO date is shown as it stands; an instant is shown as the day it falls on in
 * `timeZone`, or in the reader's own time zone when none is given.
 *
 * @param {string} value
 * @param {string} [timeZone]
 */
export function formatDay(value, timeZone) {
  const formatted = formatDate(value, { dateStyle: "long", timeZone: zoneOf(value, timeZone) });
  // French writes the first of a month as an ordinal, which Intl does not.
  return currentLanguage() === "fr" ? formatted.replace(/^1\s/, "1er ") : formatted;
}

/**
 * A day in figures.
 *
 * @param {string} value
 * @param {string} [timeZone]
 */
export function formatShortDay(value, timeZone) {
  /** @type {Intl.DateTimeFormatOptions} */
  const figures = { day: "2-digit", month: "2-digit", year: "numeric" };
  return formatDate(value, { ...figures, timeZone: zoneOf(value, timeZone) });
}

/**
 * A month: `2026-11`.
 *
 * @param {string} value
 */
export function formatMonth(value) {
  return formatDate(`${value}-01`, { month: "long", year: "numeric", timeZone: "UTC" });
}

/**
 * An instant as people say it, to the minute.
 *
 * @param {string} value
 * @param {string} [timeZone]
 */
export function formatMinute(value, timeZone) {
  return formatDate(value, { dateStyle: "long", timeStyle: "short", timeZone });
}

/**
 * An instant, to the second.
 *
 * @param {string} value
 * @param {string} [timeZone]
 */
export function formatDateTime(value, timeZone) {
  return formatDate(value, { dateStyle: "medium", timeStyle: "medium", timeZone });
}

/**
 * JavaScript reads a plain ISO date as midnight UTC, so that is the zone to show it in.
 *
 * @param {string} value
 * @param {string} [timeZone]
 */
function zoneOf(value, timeZone) {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? "UTC" : timeZone;
}

/**
 * @param {string} value
 * @param {Intl.DateTimeFormatOptions} options
 */
function formatDate(value, options) {
  const date = new Date(value);
  if (Number.isNaN(date.valueOf())) return String(value ?? "");
  return kept(Intl.DateTimeFormat, options).format(date);
}

/**
 * Formatters by what they format: making one takes longer than hundreds of numbers.
 * @type {Map<string, unknown>}
 */
const formatters = new Map();

/**
 * @template T
 * @template O
 * @param {new (locale: string, options?: O) => T} kind
 * @param {O} options
 * @returns {T}
 */
function kept(kind, options) {
  const key = [kind.name, currentLocale(), JSON.stringify(options)].join();
  if (!formatters.has(key)) formatters.set(key, new kind(currentLocale(), options));
  return /** @type {T} */ (formatters.get(key));
}

/**
 * An amount given as a decimal string; whole amounts are shown without decimals.
 *
 * @param {string} amount
 * @param {string} currency
 */
export function formatMoney(amount, currency) {
  /** @type {Intl.NumberFormatOptions} */
  const options = { style: "currency", currency, trailingZeroDisplay: "stripIfInteger" };
  return kept(Intl.NumberFormat, options).format(Number(amount));
}

/**
 * A whole number.
 *
 * @param {number | undefined} value
 */
export function formatCount(value) {
  return kept(Intl.NumberFormat, {}).format(value ?? 0);
}

/**
 * `value` as a percentage of `total`; a dash when `total` is zero or missing.
 *
 * @param {number} value
 * @param {number | undefined} total
 */
export function formatPercent(value, total) {
  if (!total) return "–";
  /** @type {Intl.NumberFormatOptions} */
  const options = { style: "percent", maximumFractionDigits: 1 };
  return kept(Intl.NumberFormat, options).format(value / total);
}

/**
 * How long before `now` an instant was, in words: of seconds, minutes, hours or days.
 *
 * @param {string} value
 * @param {string} now
 */
export function formatAgo(value, now) {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(value)) / 1_000));
  const words = new Intl.RelativeTimeFormat(currentLocale(), { numeric: "always" });
  if (seconds < 60) return words.format(-seconds, "second");
  if (seconds < 3_600) return words.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return words.format(-Math.floor(seconds / 3_600), "hour");
  return words.format(-Math.floor(seconds / 86_400), "day");
}

/**
 * One or the other: "Apple ou Google".
 *
 * @param {string[]} names
 */
export function formatEither(names) {
  return new Intl.ListFormat(currentLocale(), { type: "disjunction" }).format(names);
}
