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
  formatDateTime,
  formatShortDay,
} from "../shared/format.js";
import { getText } from "../shared/language.js";
import { setText } from "../shared/page-text.js";
import { drawChart, fitCharts, pngOf } from "./charts.js";
import { prepareChoices, showChoice, viewOf } from "./choices.js";
import {
  MONEY,
  byChannel,
  byHour,
  byRule,
  channelsOf,
  cohortsByWeek,
  countedByRuleSince,
  csvOf,
  dayAfter,
  family,
  medianDays,
  medianHours,
  moneyByTemplate,
  reached,
  releasesOf,
  series,
  stepName,
  summed,
  within,
} from "./insights.js";
import { COUNTERS } from "./numbers.js";
import { svgOf } from "./pictures.js";
import { drawTitleHelp, fill, nameOf, prepareDefinitions, texts } from "./rows.js";
import { drawFigures } from "./stats.js";
import { drawSurvival } from "./survival.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./pictures.js").ChartData} ChartData */
/** @typedef {import("./choices.js").View} View */

const COUNTED = ["invited", "refused", "sent", "confirmed"];
const LINES = ["sent", "confirmed", "orders_kept"];
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
  drawRules(answer, counts, view);
  charts.survival = drawSurvival(answer.cohorts);
  if (charts.survival) drawChart(byId("chart-survival"), charts.survival);
  drawTills(counts);
  drawFeed(answer, view);
  drawTitleHelp();
}

/**
 * What the chart over time shows: a step by channel, or the steps side by side.
 *
 * @param {DayCounts[]} days
 * @param {Record<string, number>} counts
 * @param {View} view
 * @returns {{at: (string | number)[], named: {name: string, values: number[]}[]}}
 */
function shownOverTime(days, counts, { choice: { unit, channel, measure } }) {
  if (measure !== "steps") {
    const { at, parts } = byChannel(days, measure, unit, channel);
    const named = parts.map(({ channel: one, values }) => ({
      name: nameOf(`channel.${one}`),
      values,
    }));
    return { at, named };
  }
  const last = unit === "hour" ? [] : ["sent"];
  const lines = channel || unit === "hour" ? ["invited", ...last, "confirmed"] : LINES;
  const { at, values } =
    unit === "hour"
      ? byHour(counts, lines, channel)
      : series(
          days,
          lines.map((step) => stepName(step, channel)),
          unit,
        );
  return {
    at,
    named: lines.map((step, of) => ({ name: nameOf(`count.${step}`), values: values[of] })),
  };
}

/**
 * @param {DayCounts[]} days
 * @param {Record<string, number>} counts
 * @param {View} view
 */
function drawTime(days, counts, view) {
  const { unit, measure } = view.choice;
  const isHour = unit === "hour";
  const { at, named } = shownOverTime(days, counts, view);
  const releases = isHour ? new Map() : releasesOf(days, unit);
  const x = at.map((one) => (typeof one === "number" ? one : Date.parse(one) / DAY_S));
  charts.time = {
    x,
    series: named,
    isTime: !isHour,
    isStacked: measure !== "steps",
    unit: "",
    marks: [...releases].map(([day, version]) => ({
      x: Date.parse(day) / DAY_S,
      name: getText("overview.release", { version }),
    })),
  };
  drawChart(byId("chart-time"), charts.time);
  const isSummed = measure !== "steps" && named.length > 1;
  const rows = at.map((one, index) => [
    typeof one === "number" ? getText("overview.hour", { hour: one }) : formatShortDay(one),
    ...named.map(({ values }) => formatCount(values[index])),
    ...(isSummed ? [formatCount(named.reduce((sum, { values }) => sum + values[index], 0))] : []),
    ...(releases.size ? [releases.has(one) ? formatCount(releases.get(one)) : ""] : []),
  ]);
  const headings = [
    getText(isHour ? "overview.unit-hour" : "dashboard.date"),
    ...named.map(({ name }) => name),
    ...(isSummed ? [getText("overview.total")] : []),
    ...(releases.size ? [getText("overview.released")] : []),
  ];
  fill("time", headings, isHour ? rows : rows.reverse());
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

/**
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 * @param {View} view
 */
function drawRules({ currency, days }, counts, { choice }) {
  const sum = (/** @type {number} */ minor) => formatMoney((minor / 100).toFixed(2), currency);
  const rungs = byRule(counts, choice.rule);
  byId("rules-card").hidden = rungs.length === 0;
  const keys = ["granted", "issued", "redeemed", "expired", "revoked", "refused"];
  fill(
    "rules",
    [
      ...texts("overview.rule", "overview.rung"),
      ...[...keys, "granted-money", "used-money"].map((key) => ({ key: `of-rule.${key}` })),
    ],
    rungs.map(({ rule, rung, of, grantedMinor, usedMinor }) => [
      rule,
      rungName(rung),
      ...[of.granted, of.granted + of.replaced].map(formatCount),
      ...[of.redeemed, of.expired, of.revoked, of.refused].map(formatCount),
      sum(grantedMinor),
      sum(usedMinor),
    ]),
    undefined,
    1,
  );
  const since = countedByRuleSince(days);
  const note = byId("rules-since");
  note.hidden = since === null;
  if (since) setText(note, "overview.rules-since", { day: () => formatShortDay(since) });
}

/** @param {string} rung */
function rungName(rung) {
  if (rung === "0") return getText("rule-rung.confirmation");
  if (rung === "more") return getText("rule-rung.more");
  return getText("rule-rung.order", { number: rung });
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
 * The last acts, of one channel if one is chosen.
 *
 * @param {DashboardAnswer} answer
 * @param {View} view
 */
function drawFeed({ acts, time_zone: zone }, { choice }) {
  const shown = acts.filter(({ channel }) => !choice.channel || channel === choice.channel);
  byId("feed-card").hidden = acts.length === 0;
  fill(
    "feed",
    texts("overview.at", "overview.act", "choice.channel"),
    shown.map(({ at, act, channel }) => [
      formatDateTime(at, zone),
      nameOf(`act.${act}`),
      channel ? nameOf(`channel.${channel}`) : "",
    ]),
    undefined,
    2,
  );
}

/**
 * What is shown, by day, as a table for a spreadsheet: of one channel, voucher or
 * rule, if chosen.
 *
 * @param {DashboardAnswer} answer
 * @param {View} view
 */
function columnsOf({ figures }, { choice: { channel, template, rule } }) {
  const channels = channel ? [channel] : channelsOf(figures);
  const money = MONEY.map((what) => `money.${what}.${template}`);
  return [
    ...(channel ? [] : COUNTERS),
    ...channels.flatMap((one) => COUNTED.map((step) => stepName(step, one))),
    ...(template ? [`issued.${template}`, ...money] : []),
    ...(rule
      ? Object.keys(figures)
          .filter((name) => isOfRule(name, rule))
          .sort()
      : []),
  ];
}

/**
 * @param {string} name of a count
 * @param {string} rule
 */
function isOfRule(name, rule) {
  const [kind, , of] = name.split(".");
  return (kind === "rule" || kind === "rule_money") && of === rule;
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
    const content = csvOf(within(last.days, view.now), columnsOf(last, view));
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
