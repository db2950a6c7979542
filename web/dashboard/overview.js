/**
 * The answers of the dashboard: is it worth it, is it growing, do they come back.
 *
 * Everything is drawn from the days of the last answer, as far as the reader chose (choices.js).
 */

import { byId, createElement } from "../shared/elements.js";
import {
  formatCount,
  formatMoney,
  formatMonth,
  formatPercent,
  formatShortDay,
} from "../shared/format.js";
import { getText } from "../shared/language.js";
import { drawChart, fitCharts, pngOf, svgOf } from "./charts.js";
import { prepareChoices, showChoice, viewOf } from "./choices.js";
import {
  MONEY,
  byHour,
  cohortsByWeek,
  csvOf,
  dayAfter,
  family,
  medianDays,
  medianHours,
  moneyByTemplate,
  reached,
  series,
  stepName,
  summed,
  within,
} from "./insights.js";
import { COUNTERS } from "./numbers.js";
import { drawTitleHelp, fill, nameOf, prepareDefinitions, texts } from "./rows.js";
import { drawFigures } from "./stats.js";
import { drawSurvival } from "./survival.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./charts.js").ChartData} ChartData */
/** @typedef {import("./choices.js").View} View */

const COUNTED = ["invited", "refused", "sent", "confirmed"];
const DAY_S = 86_400_000;
/** @type {DashboardAnswer | null} */
let last = null;
/** @type {Record<string, ChartData | null>} */
const charts = {};

/**
 * The choices and the six figures.
 *
 * @param {DashboardAnswer} answer
 */
export function drawHead(answer) {
  last = answer;
  showChoice(answer);
  drawFigures(answer, viewOf(answer));
}

/** @param {DashboardAnswer} answer */
export function drawOverview(answer) {
  drawHead(answer);
  const view = viewOf(answer);
  const days = within(answer.days, view.now);
  const counts = summed(days);
  drawTime(days, counts, view);
  drawFunnel(answer, counts, view);
  drawCohorts(answer.days, view);
  drawMoney(answer, counts, view);
  charts.survival = drawSurvival(answer.cohorts);
  if (charts.survival) drawChart(byId("chart-survival"), charts.survival);
  drawTills(counts);
  drawTitleHelp();
}

/**
 * What the chart over time counts, and under which names: those of one channel, or of both.
 *
 * @param {View} view
 */
function shownOverTime({ choice }) {
  if (choice.unit === "hour")
    return { names: ["invited", "confirmed"], keys: ["invited", "confirmed"] };
  const names = choice.channel
    ? ["invited", "sent", "confirmed"]
    : ["sent", "confirmed", "orders_kept"];
  return { names, keys: names.map((name) => stepName(name, choice.channel)) };
}

/**
 * @param {DayCounts[]} days
 * @param {Record<string, number>} counts
 * @param {View} view
 */
function drawTime(days, counts, view) {
  const { unit, channel } = view.choice;
  const { names: shown, keys } = shownOverTime(view);
  const isHour = unit === "hour";
  byId("time-scope").textContent = isHour && channel ? getText("scope.channel") : "";
  const { at, values } = isHour ? byHour(counts, keys) : series(days, keys, unit);
  const names = shown.map((name) => getText(/** @type {TextKey} */ (`count.${name}`)));
  charts.time = {
    x: at.map((one) => (typeof one === "number" ? one : Date.parse(one) / DAY_S)),
    series: names.map((name, number) => ({ name, values: values[number] })),
    isTime: !isHour,
    unit: "",
  };
  drawChart(byId("chart-time"), charts.time);
  const rows = at.map((one, index) => [
    typeof one === "number" ? getText("overview.hour", { hour: one }) : formatShortDay(one),
    ...values.map((of) => formatCount(of[index])),
  ]);
  const heading = getText(isHour ? "overview.unit-hour" : "dashboard.date");
  fill("time", [heading, ...names], isHour ? rows : rows.reverse());
}

/**
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 * @param {View} view
 */
function drawFunnel({ lists }, counts, { choice }) {
  const hours = medianHours(counts);
  const delay = (/** @type {number} */ orders) => {
    const days = medianDays(counts, orders);
    return days === null ? "–" : getText("overview.days", { count: days });
  };
  const step = (/** @type {string} */ name) => counts[stepName(name, choice.channel)] ?? 0;
  const within = hours === null ? "–" : getText("overview.hours", { hours: formatCount(hours) });
  /** @type {[string, number, string][]} */
  const invitations = [
    ["invited", step("invited"), ""],
    ["sent", step("sent"), ""],
    ["confirmed", step("confirmed"), choice.channel ? "" : within],
  ];
  /** @type {[string, number, string][]} */
  const whole = [
    ["vips", lists.vips?.rows ?? 0, ""],
    ["signed-in", counts["sponsors.signed_in"] ?? 0, ""],
    ["active", counts["sponsors.active"] ?? 0, ""],
    ...invitations,
    ["order-1", reached(counts, 1), delay(1)],
    ["order-2", reached(counts, 2), delay(2)],
    ["order-3", reached(counts, 3), delay(3)],
  ];
  // What is before and after an invitation is not counted by channel: a share would be of another whole.
  const funnel = choice.channel ? invitations : whole;
  fill(
    "steps",
    texts("dashboard.step", "dashboard.count", "overview.of-before", "overview.delay"),
    funnel.map(([name, number, median], at) => [
      name,
      formatCount(number),
      at && name !== "invited" ? formatPercent(number, funnel[at - 1][1]) : "",
      median,
    ]),
    (name) => `step.${name}`,
  );
}

/**
 * @param {DayCounts[]} days all of them: an order belongs to the week of its confirmation
 * @param {View} view
 */
function drawCohorts(days, { now }) {
  const rows = cohortsByWeek(days)
    .filter(({ week }) => !now || (week <= now.last && dayAfter(week, 6) >= now.first))
    .map(({ week, confirmed, reached: of }) => [
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
 * @param {View} view
 */
function drawMoney({ currency, figures }, counts, { choice }) {
  const sum = (/** @type {number} */ minor) => formatMoney((minor / 100).toFixed(2), currency);
  fill(
    "money",
    [getText("overview.template"), ...MONEY.map((what) => ({ key: `money.${what}` }))],
    moneyByTemplate(counts)
      .filter(([name]) => !choice.template || name === choice.template)
      .map(([name, of]) => [name, ...MONEY.map((what) => sum(of[what]))]),
  );
  const due = family(figures, "due")
    .filter(([, minor]) => minor > 0)
    .sort();
  fill(
    "due",
    texts("overview.month", "overview.value"),
    due.map(([month, of]) => [formatMonth(month), sum(of)]),
  );
}

/** @param {Record<string, number>} counts */
function drawTills(counts) {
  const rows = family(counts, "till").sort(([, one], [, other]) => other - one);
  byId("tills-card").hidden = rows.length === 0;
  fill(
    "tills",
    texts("dashboard.reason", "dashboard.count"),
    rows.map(([reason, number]) => [nameOf(`till.${reason}`), formatCount(number)]),
  );
}

/**
 * What is shown, by day, as a table for a spreadsheet: of one channel or of one voucher, if chosen.
 *
 * @param {View} view
 */
function columnsOf({ choice: { channel, template } }) {
  const columns = channel ? COUNTED.map((step) => stepName(step, channel)) : COUNTERS;
  const money = MONEY.map((what) => `money.${what}.${template}`);
  return [...columns, ...(template ? [`issued.${template}`, ...money] : [])];
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

/**
 * Lets the reader choose, and take away what is shown.
 *
 * @param {() => void} redraw draws all numbers again, as the address says
 */
export function prepareOverview(redraw) {
  prepareChoices(redraw);
  prepareDefinitions();
  byId("save-csv").addEventListener("click", () => {
    if (!last) return;
    const view = viewOf(last);
    const content = csvOf(within(last.days, view.now), columnsOf(view));
    save(`${last.campaign}-${view.today}.csv`, new Blob([content], { type: "text/csv" }));
  });
  byId("print").addEventListener("click", () => window.print());
  for (const name of ["time", "survival"]) {
    byId(`save-png-${name}`).addEventListener("click", async () => {
      save(`${name}.png`, await pngOf(byId(`chart-${name}`)));
    });
    byId(`save-svg-${name}`).addEventListener("click", () => {
      const data = charts[name];
      if (data) save(`${name}.svg`, new Blob([svgOf(data)], { type: "image/svg+xml" }));
    });
  }
  window.addEventListener("resize", fitCharts);
}
