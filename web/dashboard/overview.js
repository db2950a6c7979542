/**
 * The answers of the dashboard: is it worth it, is it growing, do they come back.
 *
 * The period is in the address bar (`period`: 7, 30, or all days without it), as is whether the
 * chart is by day or by week (`unit`). Everything is drawn from the days of the last answer.
 */

import { byId, createElement } from "../shared/elements.js";
import { formatCount, formatMoney, formatPercent, formatShortDay } from "../shared/format.js";
import { getText, hasText } from "../shared/language.js";
import { drawChart, fitCharts, pngOf, svgOf } from "./charts.js";
import {
  MONEY,
  cohortsByWeek,
  csvOf,
  family,
  figuresOf,
  medianDays,
  medianHours,
  moneyByTemplate,
  periodsOf,
  reached,
  series,
  summed,
  within,
} from "./insights.js";
import { COUNTERS } from "./numbers.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./charts.js").ChartData} ChartData */

const PERIODS = /** @type {const} */ ({ 7: 7, 30: 30, all: null });
const SHOWN = /** @type {const} */ (["sent", "confirmed", "orders_kept"]);
const DAYS = [30, 90, 180];
const DAY_S = 86_400_000;
/** @type {DashboardAnswer | null} */
let last = null;
/** @type {Record<string, ChartData>} */
const charts = {};

/** @returns {keyof typeof PERIODS} */
function chosenPeriod() {
  const asked = new URLSearchParams(location.search).get("period") ?? "all";
  return asked in PERIODS ? /** @type {keyof typeof PERIODS} */ (asked) : "all";
}

function chosenUnit() {
  return new URLSearchParams(location.search).get("unit") === "week" ? "week" : "day";
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} usual the value that needs no place in the address
 */
function choose(name, value, usual) {
  const address = new URLSearchParams(location.search);
  if (value === usual) address.delete(name);
  else address.set(name, value);
  history.replaceState(null, "", `${location.pathname}?${address}${location.hash}`);
  if (last) drawOverview(last);
}

/** @param {DashboardAnswer} answer */
export function drawOverview(answer) {
  last = answer;
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: answer.time_zone }).format(
    new Date(answer.as_of),
  );
  const { now, before } = periodsOf(today, PERIODS[chosenPeriod()]);
  const days = within(answer.days, now);
  const counts = summed(days);
  for (const name of Object.keys(PERIODS)) {
    byId(`period-${name}`).setAttribute("aria-pressed", String(name === chosenPeriod()));
  }
  for (const unit of ["day", "week"]) {
    byId(`unit-${unit}`).setAttribute("aria-pressed", String(unit === chosenUnit()));
  }
  drawFigures(answer, counts, before ? summed(within(answer.days, before)) : null);
  drawTime(days);
  drawFunnel(answer, counts);
  drawCohorts(answer.days);
  drawMoney(answer, counts);
  drawSurvival(answer.cohorts);
  drawTills(counts);
}

/**
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 * @param {Record<string, number> | null} earlier
 */
function drawFigures({ currency, lists }, counts, earlier) {
  const here = figuresOf(counts);
  const there = earlier ? figuresOf(earlier) : null;
  const vips = lists.vips?.rows;
  const share = (/** @type {number | null} */ value) =>
    value === null ? "–" : formatPercent(value, 1);
  const sum = (/** @type {number | null} */ minor) =>
    minor === null ? "–" : formatMoney((minor / 100).toFixed(2), currency);
  const basket = counts.orders_kept ? here.revenue / counts.orders_kept : null;
  /** @type {[keyof typeof here, string, string][]} */
  const shown = [
    ["new", formatCount(here.new), ""],
    ["acceptance", share(here.acceptance), ""],
    ["revenue", sum(here.revenue), getText("figure.basket", { basket: sum(basket) })],
    ["cost", sum(here.cost), ""],
    [
      "sponsors",
      formatCount(here.sponsors),
      vips
        ? getText("figure.of-vips", {
            share: formatPercent(here.sponsors, vips),
          })
        : "",
    ],
    ["again", share(here.again), ""],
  ];
  byId("figures").replaceChildren(
    ...shown.map(([name, value, note]) =>
      createElement(
        "div",
        {},
        createElement("dt", {}, getText(/** @type {TextKey} */ (`figure.${name}`))),
        createElement("dd", { class: "figure" }, value),
        createElement("dd", { class: "muted" }, changeOf(here[name], there?.[name] ?? null)),
        createElement("dd", { class: "muted" }, note),
      ),
    ),
  );
}

/**
 * @param {number | null} here
 * @param {number | null} there
 */
function changeOf(here, there) {
  if (here === null || !there) return "";
  const change = here / there - 1;
  const sign = change > 0 ? "+" : "";
  return getText("figure.change", { change: sign + formatPercent(change, 1) });
}

/** @param {DayCounts[]} days */
function drawTime(days) {
  const { at, values } = series(days, [...SHOWN], chosenUnit());
  const names = SHOWN.map((name) => getText(/** @type {TextKey} */ (`count.${name}`)));
  charts.time = {
    x: at.map((day) => Date.parse(day) / DAY_S),
    series: names.map((name, number) => ({ name, values: values[number] })),
    isTime: true,
    unit: "",
  };
  drawChart(byId("chart-time"), charts.time);
  const rows = at.map((day, index) => [
    formatShortDay(day),
    ...values.map((of) => formatCount(of[index])),
  ]);
  fill("time", [getText("dashboard.date"), ...names], rows.reverse());
}

/**
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 */
function drawFunnel({ lists }, counts) {
  const hours = medianHours(counts);
  const delay = (/** @type {number} */ orders) => {
    const days = medianDays(counts, orders);
    return days === null ? "–" : getText("overview.days", { days: formatCount(days) });
  };
  /** @type {[string, number, string][]} */
  const funnel = [
    ["vips", lists.vips?.rows ?? 0, ""],
    ["signed-in", counts["sponsors.signed_in"] ?? 0, ""],
    ["active", counts["sponsors.active"] ?? 0, ""],
    ["invited", counts.invited ?? 0, ""],
    ["sent", counts.sent ?? 0, ""],
    [
      "confirmed",
      counts.confirmed ?? 0,
      hours === null ? "–" : getText("overview.hours", { hours: formatCount(hours) }),
    ],
    ["order-1", reached(counts, 1), delay(1)],
    ["order-2", reached(counts, 2), delay(2)],
    ["order-3", reached(counts, 3), delay(3)],
  ];
  fill(
    "steps",
    texts("dashboard.step", "dashboard.count", "overview.of-before", "overview.delay"),
    funnel.map(([name, number, median], at) => [
      getText(/** @type {TextKey} */ (`step.${name}`)),
      formatCount(number),
      at && name !== "invited" ? formatPercent(number, funnel[at - 1][1]) : "",
      median,
    ]),
  );
}

/** @param {DayCounts[]} days */
function drawCohorts(days) {
  const rows = cohortsByWeek(days).map(({ week, confirmed, reached: of }) => [
    formatShortDay(week),
    formatCount(confirmed),
    ...of.map((number) => formatPercent(number, confirmed)),
  ]);
  fill(
    "cohorts",
    texts("overview.week", "count.confirmed", "step.order-1", "step.order-2", "step.order-3"),
    rows.reverse(),
  );
}

/**
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 */
function drawMoney({ currency, figures }, counts) {
  const sum = (/** @type {number} */ minor) => formatMoney((minor / 100).toFixed(2), currency);
  fill(
    "money",
    [
      getText("overview.template"),
      ...MONEY.map((what) => getText(/** @type {TextKey} */ (`money.${what}`))),
    ],
    moneyByTemplate(counts).map(([name, of]) => [name, ...MONEY.map((what) => sum(of[what]))]),
  );
  const due = family(figures, "due")
    .filter(([, minor]) => minor > 0)
    .sort();
  fill(
    "due",
    texts("overview.month", "overview.value"),
    due.map(([month, of]) => [month, sum(of)]),
  );
}

/** @param {CohortAnswer[]} cohorts */
function drawSurvival(cohorts) {
  byId("survival-card").hidden = cohorts.length === 0;
  if (!cohorts.length) return;
  const most = Math.max(...cohorts.map(({ known_days: known }) => Math.min(known, 365)));
  const x = Array.from({ length: most + 1 }, (_, day) => day);
  charts.survival = {
    x,
    series: cohorts.map((cohort) => ({
      name: sourceOf(cohort),
      steps: true,
      values: x.map((day) => (day > cohort.known_days ? null : shareAt(cohort, day))),
    })),
    isTime: false,
    unit: " %",
  };
  drawChart(byId("chart-survival"), charts.survival);
  fill(
    "survival",
    [
      ...texts("overview.source", "overview.people"),
      ...DAYS.map((days) => getText("overview.days", { days: formatCount(days) })),
      getText("overview.p"),
    ],
    cohorts.map((cohort) => [
      sourceOf(cohort),
      formatCount(cohort.people),
      ...DAYS.map((days) => pointsAt(cohort, days)),
      probabilityOf(cohort),
    ]),
  );
}

/** @param {CohortAnswer} cohort */
function sourceOf({ source }) {
  const key = `source.${source}`;
  return hasText(key) ? getText(key) : source;
}

/**
 * @param {CohortAnswer} cohort
 * @param {number} day
 */
function shareAt({ curve }, day) {
  const point = curve.findLast(({ days }) => days <= day);
  return point ? Math.round(1_000 * point.share) / 10 : 100;
}

/**
 * @param {CohortAnswer} cohort
 * @param {number} days
 */
function pointsAt({ compared }, days) {
  const found = compared?.differences.find((each) => each.days === days);
  if (!found) return "";
  const [points, low, high] = [found.points, found.low, found.high].map((value) =>
    formatCount(Math.round(10 * value) / 10),
  );
  return getText("overview.points", {
    points: found.points > 0 ? `+${points}` : points,
    low,
    high,
  });
}

/** @param {CohortAnswer} cohort */
function probabilityOf({ compared }) {
  if (compared?.p == null) return "";
  const least = 0.001;
  return compared.p < least ? `< ${formatCount(least)}` : formatCount(compared.p);
}

/** @param {Record<string, number>} counts */
function drawTills(counts) {
  const rows = family(counts, "till").sort(([, one], [, other]) => other - one);
  byId("tills-card").hidden = rows.length === 0;
  fill(
    "tills",
    texts("dashboard.reason", "dashboard.count"),
    rows.map(([reason, number]) => {
      const key = `till.${reason}`;
      return [hasText(key) ? getText(key) : reason, formatCount(number)];
    }),
  );
}

/** @param {TextKey[]} keys */
function texts(...keys) {
  return keys.map((key) => getText(key));
}

/**
 * @param {string} id
 * @param {string[]} headings
 * @param {string[][]} rows
 */
function fill(id, headings, rows) {
  const cells = headings.map((text) => createElement("th", { scope: "col" }, text));
  const lines = rows.map(([first, ...rest]) =>
    createElement(
      "tr",
      {},
      createElement("th", { scope: "row" }, first),
      ...rest.map((text) => createElement("td", { class: "number" }, text)),
    ),
  );
  byId(id).replaceChildren(
    createElement("thead", {}, createElement("tr", {}, ...cells)),
    createElement("tbody", {}, ...lines),
  );
}

/**
 * @param {string} name
 * @param {Blob | null} content
 */
function save(name, content) {
  if (!content) return;
  const link = /** @type {HTMLAnchorElement} */ (createElement("a", { download: name }));
  link.href = URL.createObjectURL(content);
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Lets the reader choose, and take away what is shown. */
export function prepareOverview() {
  for (const name of Object.keys(PERIODS)) {
    byId(`period-${name}`).addEventListener("click", () => choose("period", name, "all"));
  }
  for (const unit of ["day", "week"]) {
    byId(`unit-${unit}`).addEventListener("click", () => choose("unit", unit, "day"));
  }
  byId("save-csv").addEventListener("click", () => {
    if (!last) return;
    const today = last.as_of.slice(0, 10);
    const { now } = periodsOf(today, PERIODS[chosenPeriod()]);
    const content = csvOf(within(last.days, now), COUNTERS);
    save(`${last.campaign}-${today}.csv`, new Blob([content], { type: "text/csv" }));
  });
  byId("print").addEventListener("click", () => window.print());
  for (const name of ["time", "survival"]) {
    byId(`save-png-${name}`).addEventListener("click", async () => {
      save(`${name}.png`, await pngOf(byId(`chart-${name}`)));
    });
    byId(`save-svg-${name}`).addEventListener("click", () => {
      if (charts[name])
        save(`${name}.svg`, new Blob([svgOf(charts[name])], { type: "image/svg+xml" }));
    });
  }
  window.addEventListener("resize", fitCharts);
}
