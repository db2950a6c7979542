/**
 * What the reader chose to see, as it stands in the address bar: a copied link opens the same view.
 *
 *     period=7|30, or from= and to= (days)      all days without any of them
 *     view=wall                                  laid out for a wall
 *     compare=no                                 else beside the period before
 *     channel=email|link                         unit=week|hour
 *     template={voucher}, or rule={rule}         a rule issues a voucher: one of the two
 *     measure=sent|invited|steps                 what the chart over time counts; steps side by side
 *
 * Pure. What an address asks for and nobody has is left out, and named, never guessed.
 */

import { dayAfter } from "./insights.js";

/**
 * @typedef {{
 *   period: "7" | "30" | "all" | "dates", from: string, to: string, compares: boolean,
 *   channel: "" | "email" | "link", template: string, rule: string,
 *   unit: "day" | "week" | "hour",
 *   measure: Measure, view: "" | "wall",
 * }} Choice
 */
/** @typedef {"confirmed" | "sent" | "invited" | "steps"} Measure */
/** @typedef {{name: string, value: string}} Wrong */
/** @typedef {{first: string, last: string}} Period */

/** @type {Choice} */
export const USUAL = {
  period: "all",
  from: "",
  to: "",
  compares: true,
  channel: "",
  template: "",
  rule: "",
  unit: "day",
  measure: "confirmed",
  view: "",
};
const VALUES = /** @type {Record<string, string[]>} */ ({
  period: ["7", "30", "all"],
  compare: ["yes", "no"],
  channel: ["email", "link"],
  unit: ["day", "week", "hour"],
  measure: ["confirmed", "sent", "invited", "steps"],
  view: ["wall"],
});

/** @param {string} text */
function isDay(text) {
  const read = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(text) : null;
  return read !== null && !Number.isNaN(read.valueOf()) && read.toISOString().startsWith(text);
}

/**
 * What an address asks for, and which of its values are none.
 *
 * @param {string} search of the address
 * @param {{templates: string[], rules: string[]}} known those of which anything was counted
 * @returns {{choice: Choice, wrong: Wrong[]}}
 */
export function readChoice(search, { templates, rules }) {
  const asked = new URLSearchParams(search);
  /** @type {Wrong[]} */
  const wrong = [];
  const read = (/** @type {string} */ name, /** @type {(value: string) => boolean} */ isOne) => {
    const value = asked.get(name);
    if (value === null || value === "") return "";
    if (isOne(value)) return value;
    wrong.push({ name, value });
    return "";
  };
  const oneOf = (/** @type {string} */ name) => read(name, (value) => VALUES[name].includes(value));
  const period = oneOf("period") || USUAL.period;
  let [from, to] = [read("from", isDay), read("to", isDay)];
  if (from && to && from > to) {
    wrong.push({ name: "from", value: from }, { name: "to", value: to });
    [from, to] = ["", ""];
  }
  const rule = read("rule", (value) => rules.includes(value));
  const unit = oneOf("unit") || USUAL.unit;
  const choice = /** @type {Choice} */ ({
    period: from || to ? "dates" : period,
    from,
    to,
    compares: oneOf("compare") !== "no",
    channel: oneOf("channel"),
    rule,
    template: read("template", (value) => !rule && templates.includes(value)),
    unit,
    measure: read("measure", (value) => isCounted(value, unit)) || USUAL.measure,
    view: oneOf("view"),
  });
  return { choice, wrong };
}

/**
 * Whether the chart over time can show a measure by that unit: mails leave when they are decided,
 * so they are not counted by the hour.
 *
 * @param {string} measure
 * @param {string} unit
 */
export function isCounted(measure, unit) {
  return VALUES.measure.includes(measure) && !(unit === "hour" && measure === "sent");
}

/**
 * The search of an address with a choice in it; what else it says stays.
 *
 * @param {string} search
 * @param {Choice} choice
 */
export function writeChoice(search, choice) {
  const address = new URLSearchParams(search);
  const { period, from, to, compares, channel, template, rule, unit, measure, view } = choice;
  const dates = period === "dates";
  /** @type {Record<string, string>} */
  const asked = {
    period: dates || period === USUAL.period ? "" : period,
    from: dates ? from : "",
    to: dates ? to : "",
    compare: compares ? "" : "no",
    channel,
    template,
    rule,
    unit: unit === USUAL.unit ? "" : unit,
    measure: measure === USUAL.measure ? "" : measure,
    view,
  };
  for (const [name, value] of Object.entries(asked)) {
    if (value) address.set(name, value);
    else address.delete(name);
  }
  return `?${address}`;
}

/**
 * The days that a choice is about, both ends with them; null for all. `before` are as many days
 * before them, null where nothing is compared or they begin before the campaign did.
 *
 * @param {Choice} choice
 * @param {string} today
 * @param {string} startsOn the campaign's first day
 * @returns {{now: Period | null, before: Period | null, isTooEarly: boolean}}
 */
export function periodsOf({ period, from, to, compares }, today, startsOn) {
  if (period === "all") return { now: null, before: null, isTooEarly: false };
  const dated = period === "dates";
  const first = dated ? from || sorted(startsOn, to)[0] : dayAfter(today, 1 - Number(period));
  const last = dated ? to || sorted(today, from)[1] : today;
  const length = Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000) + 1;
  const before = { first: dayAfter(first, -length), last: dayAfter(first, -1) };
  const isTooEarly = compares && before.first < startsOn;
  return { now: { first, last }, before: compares && !isTooEarly ? before : null, isTooEarly };
}

/** @param {...string} days */
function sorted(...days) {
  return days.sort();
}
