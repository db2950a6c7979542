/**
 * The dashboard's tables: what became of invitations and vouchers, and how the exchange goes.
 */

import { byId, createElement } from "../shared/elements.js";
import {
  formatCount,
  formatDateTime,
  formatMoney,
  formatPercent,
  formatShortDay,
} from "../shared/format.js";
import { getText, hasText } from "../shared/language.js";
import { viewOf } from "./choices.js";
import { family, summed, within } from "./insights.js";
import {
  ageOf,
  barWidth,
  buyerRows,
  COUNTERS,
  invitationRows,
  mailRows,
  newestFirst,
  reasonRows,
  voucherRows,
  wordRows,
} from "./numbers.js";
import { fillTable, nameOf, numberCell, rowName, textCell, texts } from "./rows.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./numbers.js").BarRow} BarRow */

const COUNT = (/** @type {string} */ name) => `count.${name}`;

/**
 * Draws all tables again, in the page's language.
 *
 * @param {DashboardAnswer} answer
 */
export function drawTables(answer) {
  const { lists, watched, time_zone: zone, as_of: asOf } = answer;
  const { now, choice } = viewOf(answer);
  const days = within(answer.days, now);
  const counts = summed(days);
  drawBars("funnel-invitations", COUNT, invitationRows(counts), "dashboard.share-of-invited");
  drawBars("funnel-vouchers", COUNT, voucherRows(counts), "dashboard.share-of-issued");
  drawRefusals(counts);
  const buyers = buyerRows(Object.fromEntries(family(counts, "buyer")));
  byId("no-buyers").hidden = buyers.length > 0;
  byId("buyers-scroller").hidden = buyers.length === 0;
  drawBars(
    "buyers",
    (name) => `buyer.${name}`,
    buyers,
    "dashboard.share-of-orders",
    "dashboard.buyer",
  );
  drawBars("mails", (name) => `mail.${name}`, mailRows(counts), "dashboard.share-of-mails");
  drawBars("words", (name) => `word.${name}`, wordRows(counts), "dashboard.share-of-asked");
  drawHeld(answer.held_rewards);
  drawDays(days);
  drawLists(lists, zone, asOf);
  drawWatched(
    watched.filter(({ template }) => !choice.template || !template || template === choice.template),
    zone,
  );
}

/**
 * What waits for a decision, if anything does.
 *
 * @param {HeldSumAnswer} held
 */
function drawHeld({ rewards, value, currency }) {
  const line = byId("held-rewards");
  line.hidden = rewards === 0;
  line.textContent = getText("dashboard.held", {
    count: formatCount(rewards),
    value: formatMoney(value, currency),
  });
}

/**
 * @param {string} id
 * @param {(name: string) => string} keyOf the key of a row's name
 * @param {BarRow[]} rows
 * @param {TextKey} share
 * @param {TextKey} [what]
 */
function drawBars(id, keyOf, rows, share, what = "dashboard.step") {
  const lines = rows.map((row) => createElement("tr", {}, ...barCells(keyOf, row)));
  fillTable(id, texts(what, "dashboard.count", share), lines);
  byId(id).classList.add("funnel");
}

/**
 * @param {(name: string) => string} keyOf
 * @param {BarRow} row
 */
function barCells(keyOf, { key, value, total }) {
  return [
    rowName(nameOf(keyOf(key)), keyOf(key)),
    numberCell(value),
    total === null ? createElement("td") : shareCell(value, total),
  ];
}

/**
 * @param {number} value
 * @param {number} total
 */
function shareCell(value, total) {
  const percent = createElement("span", {}, formatPercent(value, total));
  return createElement("td", { class: "share" }, percent, barOf(value, total));
}

/**
 * @param {number} value
 * @param {number} total
 */
function barOf(value, total) {
  const fill = createElement("span", { class: "bar-fill" });
  // Set through the CSSOM: the pages' content security policy forbids style attributes.
  fill.style.width = `${barWidth(value, total)}%`;
  return createElement("span", { class: "bar-track", "aria-hidden": "true" }, fill);
}

/**
 * Refusals, each with what marketing can do about it.
 *
 * @param {Record<string, number>} counts
 */
function drawRefusals(counts) {
  const refusals = reasonRows(Object.fromEntries(family(counts, "refused")), counts.refused ?? 0);
  byId("no-refusals").hidden = refusals.length > 0;
  byId("refusals-scroller").hidden = refusals.length === 0;
  const rows = refusals.map((row) => {
    const advice = `advice.${row.key}`;
    const words = hasText(advice) ? getText(advice) : "";
    const cells = barCells((name) => `refusal.${name}`, row);
    return createElement("tr", {}, ...cells, createElement("td", { class: "advice" }, words));
  });
  const headings = texts(
    "dashboard.reason",
    "dashboard.count",
    "dashboard.share-of-refused",
    "dashboard.advice",
  );
  fillTable("refusals", headings, rows);
}

/** @param {DayCounts[]} days */
function drawDays(days) {
  byId("no-days").hidden = days.length > 0;
  byId("days-scroller").hidden = days.length === 0;
  const rows = newestFirst(days).map((day) =>
    createElement(
      "tr",
      {},
      rowName(formatShortDay(String(day.date))),
      ...COUNTERS.map((key) => numberCell(day[key])),
    ),
  );
  fillTable(
    "days",
    [getText("dashboard.date"), ...COUNTERS.map((key) => nameOf(`count.${key}`))],
    rows,
  );
}

/**
 * @param {Record<string, ListAnswer>} lists
 * @param {string} timeZone the campaign's
 * @param {string} asOf
 */
function drawLists(lists, timeZone, asOf) {
  const rows = Object.entries(lists).map(([name, list]) => {
    const { accepted_at: acceptedAt, rows_before: before } = list;
    return createElement(
      "tr",
      {},
      rowName(nameOf(`list.${name}`)),
      createElement("td", {}, badge(list.in_force, "dashboard.yes", "dashboard.no")),
      textCell(list.version ? formatCount(list.version) : "–"),
      numberCell(list.rows),
      textCell(before === null ? "–" : changeOf(list.rows - before)),
      ageCell(list, asOf),
      createElement(
        "td",
        {},
        acceptedAt ? formatDateTime(acceptedAt, timeZone) : getText("dashboard.never"),
      ),
    );
  });
  fillTable(
    "lists",
    texts(
      "dashboard.list",
      "dashboard.in-force",
      "dashboard.version",
      "dashboard.rows",
      "dashboard.change",
      "dashboard.age",
      "dashboard.accepted",
    ),
    rows,
  );
}

/** @param {number} by */
function changeOf(by) {
  return by > 0 ? `+${formatCount(by)}` : formatCount(by);
}

/**
 * How old a list is, of how old it may be.
 *
 * @param {ListAnswer} list
 * @param {string} asOf
 */
function ageCell(list, asOf) {
  const age = ageOf(list, asOf);
  if (age === null) return createElement("td", {}, "–");
  const { days, isLate } = age;
  const most = list.max_age_days;
  const words = createElement("span", {}, getText("list.age", { count: days, most }));
  const soon = isLate ? [" ", badge(false, "dashboard.yes", "list.soon")] : [];
  return createElement("td", { class: "age" }, words, ...soon, barOf(days, most));
}

/**
 * @param {WatchAnswer[]} watched
 * @param {string} timeZone the campaign's
 */
function drawWatched(watched, timeZone) {
  const rows = watched.map(({ watch, template, overdue, since, left }) => {
    const name = nameOf(`watch.${watch}`);
    const late = watch === "invitations" ? "dashboard.stopped" : "dashboard.overdue";
    return createElement(
      "tr",
      {},
      rowName(template ? `${name} (${template})` : name, `watch.${watch}`),
      createElement("td", {}, badge(!overdue, "dashboard.on-time", late)),
      createElement("td", {}, since ? formatDateTime(since, timeZone) : "–"),
      textCell(left === null ? "" : formatCount(left)),
    );
  });
  fillTable(
    "watched",
    texts("dashboard.watch", "dashboard.state", "dashboard.since", "dashboard.left"),
    rows,
  );
}

/**
 * @param {boolean} isGood
 * @param {TextKey} good
 * @param {TextKey} bad
 */
function badge(isGood, good, bad) {
  const tone = isGood ? "confirmed" : "warning";
  return createElement("span", { class: `badge ${tone}` }, getText(isGood ? good : bad));
}
