/**
 * Numbers, dates and money as the page's language writes them.
 */

import { language, region } from "/shared/language.js";

/**
 * A day: of an ISO date as it stands, of an instant in `timeZone` (the reader's own when there is
 * none).
 */
export function day(value, timeZone) {
  const zone = /^\d{4}-\d{2}-\d{2}$/.test(value) ? "UTC" : timeZone;
  const said = format(value, { dateStyle: "long", timeZone: zone });
  // French says the first of a month as an ordinal, which Intl does not.
  return language() === "fr" ? said.replace(/^1\s/, "1er ") : said;
}

/** A day, as short as it can be said. */
export function shortDay(value, timeZone) {
  const zone = /^\d{4}-\d{2}-\d{2}$/.test(value) ? "UTC" : timeZone;
  return format(value, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: zone });
}

/** An instant, to the second. */
export function moment(value, timeZone) {
  return format(value, { dateStyle: "medium", timeStyle: "medium", timeZone });
}

function format(value, options) {
  const date = new Date(value);
  if (Number.isNaN(date.valueOf())) return String(value ?? "");
  return new Intl.DateTimeFormat(region(), options).format(date);
}

/** An amount given as a decimal string, in its currency; whole amounts without decimals. */
export function money(value, currency) {
  const options = { style: "currency", currency, trailingZeroDisplay: "stripIfInteger" };
  return new Intl.NumberFormat(region(), options).format(value);
}

/** A whole number. */
export function count(value) {
  return new Intl.NumberFormat(region()).format(value ?? 0);
}

/** `value` of `whole` as a percentage; a dash when there is no whole. */
export function share(value, whole) {
  if (!whole) return "–";
  const options = { style: "percent", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(region(), options).format(value / whole);
}
