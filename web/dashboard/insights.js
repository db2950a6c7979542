/**
 * What the counts of some days come to: figures, the funnel, cohorts, sums.
 *
 * Pure, and all of it from `days`, so it follows the period that is chosen. The names of the
 * figures are those of docs/operations.md; chalicelib/domain/insights.py does the same for reports.
 */

/** @typedef {Record<string, number>} Counts */
/** @typedef {{first: string, last: string}} Period */

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
 * The last `length` days up to `today`, and as many before them; null for all days.
 *
 * @param {string} today
 * @param {number | null} length
 * @returns {{now: Period | null, before: Period | null}}
 */
export function periodsOf(today, length) {
  if (length === null) return { now: null, before: null };
  const first = dayAfter(today, 1 - length);
  return {
    now: { first, last: today },
    before: { first: dayAfter(first, -length), last: dayAfter(first, -1) },
  };
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

/**
 * The six figures of some days. A share or a cost of nothing is null.
 *
 * @param {Counts} counts
 */
export function figuresOf(counts) {
  const fresh = reached(counts, 1);
  const of = (/** @type {number} */ part, /** @type {number | undefined} */ whole) =>
    whole && whole > 0 ? part / whole : null;
  return {
    new: fresh,
    acceptance: of(counts.confirmed ?? 0, counts.sent),
    revenue: counts.revenue ?? 0,
    cost: of(total(counts, "money.redeemed"), fresh),
    sponsors: counts["sponsors.active"] ?? 0,
    again: of(reached(counts, 2), fresh),
  };
}

/**
 * A table of days as CSV, for a spreadsheet; no cell begins a formula.
 *
 * @param {DayCounts[]} days
 * @param {string[]} names
 */
export function csvOf(days, names) {
  const rows = days.map((day) => ["date", ...names].map((name) => String(day[name] ?? 0)).join());
  return [["date", ...names].join(), ...rows, ""].join("\r\n");
}
