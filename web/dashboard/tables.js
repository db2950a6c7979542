/**
 * The dashboard's tables, each count with a bar beside it.
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
import {
  barWidth,
  buyerRows,
  COUNTERS,
  invitationRows,
  newestFirst,
  reasonRows,
  voucherRows,
} from "./numbers.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./numbers.js").BarRow} BarRow */

/**
 * Draws all tables again, in the page's language.
 *
 * @param {DashboardAnswer} answer
 */
export function drawTables(answer) {
  const { funnel, refused_by_reason: reasons, days, lists, watched, time_zone: zone } = answer;
  drawBars("funnel-invitations", invitationRows(funnel), {
    keyOf: (name) => `count.${name}`,
    headings: ["dashboard.step", "dashboard.count", "dashboard.share-of-invited"],
  });
  drawBars("funnel-vouchers", voucherRows(funnel), {
    keyOf: (name) => `count.${name}`,
    headings: ["dashboard.step", "dashboard.count", "dashboard.share-of-issued"],
  });
  const refusals = reasonRows(reasons, funnel.refused);
  byId("no-refusals").hidden = refusals.length > 0;
  byId("refusals").hidden = refusals.length === 0;
  drawBars("refusals", refusals, {
    keyOf: (name) => `refusal.${name}`,
    headings: ["dashboard.reason", "dashboard.count", "dashboard.share-of-refused"],
  });
  const buyers = buyerRows(answer.orders_by_buyer);
  byId("no-buyers").hidden = buyers.length > 0;
  byId("buyers").hidden = buyers.length === 0;
  drawBars("buyers", buyers, {
    keyOf: (name) => `buyer.${name}`,
    headings: ["dashboard.buyer", "dashboard.count", "dashboard.share-of-orders"],
  });
  drawHeld(answer.held_rewards);
  drawDays(days);
  drawLists(lists, zone);
  drawWatched(watched, zone);
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
 * @param {BarRow[]} rows
 * @param {{keyOf: (name: string) => string, headings: TextKey[]}} texts
 */
function drawBars(id, rows, { keyOf, headings }) {
  const bodyRows = rows.map(({ key, value, total }) =>
    createElement(
      "tr",
      {},
      createElement("th", { scope: "row" }, nameOf(keyOf, key)),
      numberCell(value),
      total === null ? createElement("td") : shareCell(value, total),
    ),
  );
  fillTable(id, headings, bodyRows);
}

/**
 * The text for a counter, a reason or a list. One that is newer than the pages has no text yet: its
 * own name is made readable.
 *
 * @param {(name: string) => string} keyOf the key with a name
 * @param {string} name
 */
function nameOf(keyOf, name) {
  const key = keyOf(name);
  return hasText(key) ? getText(key) : name.replaceAll("_", " ");
}

/** @param {string | number | undefined} value */
function numberCell(value) {
  return createElement("td", { class: "number" }, formatCount(Number(value ?? 0)));
}

/**
 * @param {number} value
 * @param {number} total
 */
function shareCell(value, total) {
  const fill = createElement("span", { class: "bar-fill" });
  // Set through the CSSOM: the pages' content security policy forbids style attributes.
  fill.style.width = `${barWidth(value, total)}%`;
  const track = createElement("span", { class: "bar-track", "aria-hidden": "true" }, fill);
  const percent = createElement("span", {}, formatPercent(value, total));
  return createElement("td", { class: "share" }, percent, track);
}

/** @param {DayCounts[]} days */
function drawDays(days) {
  byId("no-days").hidden = days.length > 0;
  byId("days-scroller").hidden = days.length === 0;
  const rows = newestFirst(days).map((day) =>
    createElement(
      "tr",
      {},
      createElement("th", { scope: "row" }, formatShortDay(String(day.date))),
      ...COUNTERS.map((key) => numberCell(day[key])),
    ),
  );
  fillTable("days", ["dashboard.date", ...COUNTERS.map(countKey)], rows);
}

/**
 * @param {typeof COUNTERS[number]} counter
 * @returns {TextKey}
 */
function countKey(counter) {
  return `count.${counter}`;
}

/**
 * @param {Record<string, ListAnswer>} lists
 * @param {string} timeZone the campaign's
 */
function drawLists(lists, timeZone) {
  const rows = Object.entries(lists).map(([name, list]) => {
    const acceptedAt = list.accepted_at;
    return createElement(
      "tr",
      {},
      createElement(
        "th",
        { scope: "row" },
        nameOf((list) => `list.${list}`, name),
      ),
      createElement("td", {}, inForceBadge(list.in_force)),
      createElement("td", { class: "number" }, list.version ? formatCount(list.version) : "–"),
      numberCell(list.rows),
      createElement(
        "td",
        {},
        acceptedAt ? formatDateTime(acceptedAt, timeZone) : getText("dashboard.never"),
      ),
    );
  });
  fillTable(
    "lists",
    [
      "dashboard.list",
      "dashboard.in-force",
      "dashboard.version",
      "dashboard.rows",
      "dashboard.accepted",
    ],
    rows,
  );
}

/**
 * @param {WatchAnswer[]} watched
 * @param {string} timeZone the campaign's
 */
function drawWatched(watched, timeZone) {
  const rows = watched.map(({ watch, template, overdue, since, left }) =>
    createElement(
      "tr",
      {},
      createElement(
        "th",
        { scope: "row" },
        template
          ? `${nameOf((one) => `watch.${one}`, watch)} (${template})`
          : nameOf((one) => `watch.${one}`, watch),
      ),
      createElement("td", {}, overdueBadge(overdue, watch)),
      createElement("td", {}, since ? formatDateTime(since, timeZone) : "–"),
      createElement("td", { class: "number" }, left === null ? "" : formatCount(left)),
    ),
  );
  fillTable(
    "watched",
    ["dashboard.watch", "dashboard.state", "dashboard.since", "dashboard.left"],
    rows,
  );
}

/**
 * @param {boolean} overdue
 * @param {WatchAnswer["watch"]} watch
 */
function overdueBadge(overdue, watch) {
  const text = watch === "invitations" ? "dashboard.stopped" : "dashboard.overdue";
  return overdue
    ? createElement("span", { class: "badge warning" }, getText(text))
    : createElement("span", { class: "badge confirmed" }, getText("dashboard.on-time"));
}

/** @param {boolean} inForce */
function inForceBadge(inForce) {
  return inForce
    ? createElement("span", { class: "badge confirmed" }, getText("dashboard.yes"))
    : createElement("span", { class: "badge warning" }, getText("dashboard.no"));
}

/**
 * @param {string} id
 * @param {TextKey[]} headings
 * @param {HTMLElement[]} rows
 */
function fillTable(id, headings, rows) {
  const cells = headings.map((key) => createElement("th", { scope: "col" }, getText(key)));
  byId(id).replaceChildren(
    createElement("thead", {}, createElement("tr", {}, ...cells)),
    createElement("tbody", {}, ...rows),
  );
}
