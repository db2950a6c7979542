/**
 * What the counts of some days come to: figures, the funnel, cohorts, sums.
 *
 * Pure, and all of it from `days`, so it follows the period that is chosen. The names of the
 * figures are those of docs/operations.md; chalicelib/domain/insights.py does the same for reports.
 */

/** @typedef {Record<string, number>} Counts */
/** @typedef {import("./address.js").Period} Period */
/** @typedef {{channel: string, template: string, rule: string}} Filter */
/** @typedef {"new" | "acceptance" | "revenue" | "cost" | "sponsors" | "again"} FigureName */
/**
 * How a figure changed: `by` a share of what it was, or of 1 where it is itself a share. `way` is
 * null where there is nothing to compare; `isGood` where that is a matter of opinion.
 * @typedef {{way: "up" | "down" | "same" | null, by: number, unit: "share" | "points",
 *   isGood: boolean | null}} Change
 */

const DAY_MS = 86_400_000;
const HOURS = [1, 3, 6, 12, 24, 48, 96, 168, 336];
export const MONEY = /** @type {const} */ (["issued", "redeemed", "expired", "revoked"]);
export const LADDER = [1, 2, 3];

/**
 * @param {string} day ISO
 * @param {number} days
 */
export function dayAfter(day, days) {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * @param {DayCounts[]} days
 * @param {Period | null} period
 */
export function within(days, period) {
  if (!period) return days;
  return days.filter(({ date }) => String(date) >= period.first && String(date) <= period.last);
}

/**
 * @param {DayCounts[]} days
 * @returns {Counts}
 */
export function summed(days) {
  /** @type {Counts} */
  const counts = {};
  for (const day of days) {
    for (const [name, by] of Object.entries(day)) {
      if (typeof by === "number") counts[name] = (counts[name] ?? 0) + by;
    }
  }
  return counts;
}

/**
 * The counts `name.…`, by the rest of their names.
 *
 * @param {Counts} counts
 * @param {string} name
 */
export function family(counts, name) {
  const start = `${name}.`;
  return Object.entries(counts)
    .filter(([full]) => full.startsWith(start))
    .map(([full, by]) => /** @type {[string, number]} */ ([full.slice(start.length), by]));
}

/**
 * @param {Counts} counts
 * @param {string} name
 */
export function total(counts, name) {
  return family(counts, name).reduce((sum, [, by]) => sum + by, 0);
}

/**
 * How many referees have so many kept orders, less those who had them and returned one.
 *
 * @param {Counts} counts
 * @param {number} orders
 */
export function reached(counts, orders) {
  return total(counts, `kept.${orders}`) - total(counts, `lost.${orders}`);
}

/**
 * How many days after the confirmation half of those who reached so many orders had.
 *
 * @param {Counts} counts
 * @param {number} orders
 */
export function medianDays(counts, orders) {
  const byDays = family(counts, `kept.${orders}`).map(([days, by]) => [Number(days), by]);
  return median(byDays);
}

/**
 * Within how many hours half of the confirmations came; null where that is not known.
 *
 * @param {Counts} counts
 */
export function medianHours(counts) {
  const hours = family(counts, "within").map(([name, by]) => [Number(name) || Infinity, by]);
  const found = median(hours);
  return found !== null && HOURS.includes(found) ? found : null;
}

/** @param {number[][]} weighted values with how often each occurs */
function median(weighted) {
  const whole = weighted.reduce((sum, [, by]) => sum + by, 0);
  let seen = 0;
  for (const [value, by] of weighted.sort((one, other) => one[0] - other[0])) {
    seen += by;
    if (whole && 2 * seen >= whole) return value;
  }
  return null;
}

/**
 * The Monday of the week that a day is in.
 *
 * @param {string} day
 */
export function weekOf(day) {
  return dayAfter(day, -((new Date(Date.parse(day)).getUTCDay() + 6) % 7));
}

/**
 * The referees by the week they confirmed in, with how many have 1, 2 and 3 kept orders by now.
 *
 * @param {DayCounts[]} days all of them: an order belongs to the week of its confirmation
 */
export function cohortsByWeek(days) {
  /** @type {Map<string, {week: string, confirmed: number, reached: number[]}>} */
  const cohorts = new Map();
  const cohortOf = (/** @type {string} */ week) => {
    const found = cohorts.get(week) ?? { week, confirmed: 0, reached: LADDER.map(() => 0) };
    cohorts.set(week, found);
    return found;
  };
  for (const counts of days) {
    const day = String(counts.date);
    const numbers = summed([counts]);
    if (numbers.confirmed) cohortOf(weekOf(day)).confirmed += numbers.confirmed;
    for (const [at, orders] of LADDER.entries()) {
      for (const [what, sign] of /** @type {const} */ ([
        ["kept", 1],
        ["lost", -1],
      ])) {
        for (const [age, by] of family(numbers, `${what}.${orders}`)) {
          cohortOf(weekOf(dayAfter(day, -Number(age)))).reached[at] += sign * by;
        }
      }
    }
  }
  return [...cohorts.values()]
    .filter(({ confirmed }) => confirmed > 0)
    .sort((one, other) => one.week.localeCompare(other.week));
}

/**
 * A count by day or week, the earliest first, without gaps.
 *
 * @param {DayCounts[]} days
 * @param {string[]} names
 * @param {"day" | "week"} unit
 */
export function series(days, names, unit) {
  const dates = days.map(({ date }) => String(date)).sort();
  if (!dates.length) return { at: [], values: names.map(() => []) };
  const place = unit === "week" ? weekOf : (/** @type {string} */ day) => day;
  /** @type {string[]} */
  const at = [];
  const last = place(dates[dates.length - 1]);
  for (let day = place(dates[0]); day <= last; day = dayAfter(day, unit === "week" ? 7 : 1)) {
    at.push(day);
  }
  const values = names.map(() => at.map(() => 0));
  for (const counts of days) {
    const index = at.indexOf(place(String(counts.date)));
    names.forEach((name, number) => {
      values[number][index] += Number(counts[name] ?? 0);
    });
  }
  return { at, values };
}

/**
 * The value of vouchers by template and by what became of them, in minor units.
 *
 * @param {Counts} counts
 */
export function moneyByTemplate(counts) {
  /** @type {Record<string, Record<string, number>>} */
  const templates = {};
  for (const what of MONEY) {
    for (const [template, minor] of family(counts, `money.${what}`)) {
      templates[template] ??= Object.fromEntries(MONEY.map((each) => [each, 0]));
      templates[template][what] = minor;
    }
  }
  return Object.entries(templates).sort(([one], [other]) => one.localeCompare(other));
}

/** Which filters, besides the period, the counts tell apart for a figure. */
export const FOLLOWED = /** @type {Record<FigureName, readonly string[]>} */ ({
  new: [],
  acceptance: ["channel"],
  revenue: [],
  cost: ["template", "rule"],
  sponsors: [],
  again: [],
});
const SHARES = new Set(["acceptance", "again"]);

/**
 * The six figures of some days. A share or a cost of nothing is null.
 *
 * @param {Counts} counts
 * @param {Filter} filter
 * @returns {Record<FigureName, number | null>}
 */
export function figuresOf(counts, { channel, template, rule }) {
  const fresh = reached(counts, 1);
  const of = (/** @type {number} */ part, /** @type {number | undefined} */ whole) =>
    whole && whole > 0 ? part / whole : null;
  const step = (/** @type {string} */ name) => counts[stepName(name, channel)] ?? 0;
  const spent = rule
    ? total(counts, `rule_money.redeemed.${rule}`)
    : template
      ? (counts[`money.redeemed.${template}`] ?? 0)
      : total(counts, "money.redeemed");
  return {
    new: fresh,
    acceptance: of(step("confirmed"), step("sent")),
    revenue: counts.revenue ?? 0,
    cost: of(spent, fresh),
    sponsors: counts["sponsors.active"] ?? 0,
    again: of(reached(counts, 2), fresh),
  };
}

/**
 * The name of a count of invitations, of one channel or of both.
 *
 * @param {string} step
 * @param {string} channel empty for both
 */
export function stepName(step, channel) {
  return channel ? `channel.${channel}.${step}` : step;
}

/**
 * @param {FigureName} name
 * @param {number | null} here
 * @param {number | null} there
 * @returns {Change}
 */
export function changeOf(name, here, there) {
  const unit = SHARES.has(name) ? "points" : "share";
  const nothing = unit === "share" ? !there : there === null;
  if (here === null || there === null || nothing) return { way: null, by: 0, unit, isGood: null };
  const change = unit === "points" ? here - there : here / there - 1;
  const by = Math.round(Math.abs(change) * 1_000) / 1_000;
  if (by === 0) return { way: "same", by, unit, isGood: null };
  const way = change > 0 ? "up" : "down";
  return { way, by, unit, isGood: (way === "up") !== (name === "cost") };
}

const MOST_POINTS = 62;

/**
 * A figure by day, or by week where that would be too many.
 *
 * @param {DayCounts[]} days
 * @param {FigureName} name
 * @param {Filter} filter
 */
export function trendOf(days, name, filter) {
  if (!days.length) return [];
  const dates = days.map(({ date }) => String(date)).sort();
  const length = (Date.parse(dates[dates.length - 1]) - Date.parse(dates[0])) / DAY_MS;
  const unit = length > MOST_POINTS ? "week" : "day";
  const place = unit === "week" ? weekOf : (/** @type {string} */ day) => day;
  /** @type {Map<string, DayCounts[]>} */
  const places = new Map(series(days, [], unit).at.map((at) => [at, []]));
  for (const day of days) places.get(place(String(day.date)))?.push(day);
  return [...places.values()].map((some) => figuresOf(summed(some), filter)[name]);
}

/**
 * Counts by the local hour, from 0 to 23, of one channel or of all.
 *
 * @param {Counts} counts
 * @param {readonly string[]} names
 * @param {string} channel empty for all
 */
export function byHour(counts, names, channel) {
  const at = Array.from({ length: 24 }, (_, hour) => hour);
  const hours = channel ? [`.${channel}`] : ["", ...channelsOf(counts).map((one) => `.${one}`)];
  const of = (/** @type {number} */ hour, /** @type {string} */ name) =>
    hours.reduce((sum, one) => sum + (counts[`hour.${hour}${one}.${name}`] ?? 0), 0);
  return { at, values: names.map((name) => at.map((hour) => of(hour, name))) };
}

const CHANNELS = ["email", "link"];

/**
 * The channels that anything was counted of; those that every campaign knows come first.
 *
 * @param {Counts} counts
 */
export function channelsOf(counts) {
  const counted = new Set(family(counts, "channel").map(([name]) => name.split(".")[0]));
  const known = CHANNELS.filter((name) => counted.has(name));
  return [...known, ...[...counted].filter((name) => !CHANNELS.includes(name)).sort()];
}

/**
 * A step of the invitations over time, a part for each channel: the parts of a place add up to the
 * whole. What an earlier version counted without its channel is a part of its own, if there is any.
 *
 * @param {DayCounts[]} days
 * @param {string} step
 * @param {"day" | "week" | "hour"} unit
 * @param {string} channel the only one to show; empty for all
 * @returns {{at: (string | number)[], parts: {channel: string, values: number[]}[]}}
 */
export function byChannel(days, step, unit, channel) {
  const counts = summed(days);
  const found = channelsOf(counts);
  const channels = channel ? [channel] : found.length ? found : CHANNELS;
  const of = (/** @type {string} */ one) =>
    unit === "hour" ? byHour(counts, [step], one) : series(days, [stepName(step, one)], unit);
  const whole = of("");
  const parts = channels.map((one) => ({ channel: one, values: of(one).values[0] }));
  const rest = whole.values[0].map((all, at) =>
    parts.reduce((left, { values }) => left - values[at], all),
  );
  if (!channel && rest.some((left) => left > 0)) parts.push({ channel: "unknown", values: rest });
  return { at: whole.at, parts };
}

/**
 * The newest version of the campaign that came in force in a day or a week, by its place, the
 * earliest first.
 *
 * @param {DayCounts[]} days
 * @param {"day" | "week"} unit
 * @returns {Map<string, number>}
 */
export function releasesOf(days, unit) {
  /** @type {Map<string, number>} */
  const releases = new Map();
  for (const day of days) {
    const place = unit === "week" ? weekOf(String(day.date)) : String(day.date);
    for (const [version, by] of family(summed([day]), "release")) {
      if (by > 0) releases.set(place, Math.max(Number(version), releases.get(place) ?? 0));
    }
  }
  return new Map([...releases].sort(([one], [other]) => one.localeCompare(other)));
}

/**
 * The voucher templates of which anything was counted.
 *
 * @param {Counts} figures
 */
export function templatesOf(figures) {
  const names = [...family(figures, "issued"), ...family(figures, "money.issued")];
  return [...new Set(names.map(([name]) => name))].sort();
}

/**
 * The rules that anything was counted of.
 *
 * @param {Counts} figures
 */
export function rulesOf(figures) {
  return [...new Set(family(figures, "rule").map(([name]) => name.split(".")[1]))].sort();
}

/**
 * The first day that was counted by rule, if some day before was not: null where all were.
 *
 * @param {DayCounts[]} days
 */
export function countedByRuleSince(days) {
  // The versions that do so say their number with each fact, `figured.2` being the first.
  const isByRule = (/** @type {DayCounts} */ day) => family(summed([day]), "figured").length > 0;
  const counted = days.filter(isByRule).map(({ date }) => String(date));
  const first = counted.sort()[0] ?? null;
  return days.some(({ date }) => first !== null && String(date) < first) ? first : null;
}

const OF_RULE = /** @type {const} */ ([
  "granted",
  "replaced",
  "redeemed",
  "expired",
  "revoked",
  "refused",
]);
/** @typedef {Record<(typeof OF_RULE)[number], number>} OfRung */
/** @typedef {{rule: string, rung: string, of: OfRung, grantedMinor: number, usedMinor: number}} Rung */

/**
 * What each rule granted, rung by rung: rewards, vouchers, and their value in minor units.
 *
 * @param {Counts} counts
 * @param {string} rule the only one; empty for all
 * @returns {Rung[]}
 */
export function byRule(counts, rule) {
  const places = OF_RULE.flatMap((what) => family(counts, `rule.${what}`)).map(([name]) => name);
  const order = (/** @type {string} */ rung) => (rung === "more" ? Infinity : Number(rung));
  return [...new Set(places)]
    .map((place) => {
      const [name, rung] = place.split(".");
      const count = (/** @type {string} */ what) => counts[`rule.${what}.${place}`] ?? 0;
      const of = /** @type {OfRung} */ (
        Object.fromEntries(OF_RULE.map((what) => [what, count(what)]))
      );
      return {
        rule: name,
        rung,
        of,
        grantedMinor: counts[`rule_money.granted.${place}`] ?? 0,
        usedMinor: counts[`rule_money.redeemed.${place}`] ?? 0,
      };
    })
    .filter((one) => !rule || one.rule === rule)
    .sort(
      (one, other) => one.rule.localeCompare(other.rule) || order(one.rung) - order(other.rung),
    );
}

/**
 * A table of days as CSV, for a spreadsheet; no cell begins a formula. `version`: the one of the
 * campaign that came in force on that day, if one did.
 *
 * @param {DayCounts[]} days
 * @param {string[]} names
 */
export function csvOf(days, names) {
  const releases = releasesOf(days, "day");
  const rows = days.map((day) => {
    const counts = names.map((name) => String(day[name] ?? 0));
    return [day.date, releases.get(String(day.date)) ?? "", ...counts].join();
  });
  return [["date", "version", ...names].join(), ...rows, ""].join("\r\n");
}
