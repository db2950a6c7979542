/**
 * The dashboard's numbers as tables, each count with a bar beside it.
 */

import { element, part } from "/shared/elements.js";
import { count, moment, share, shortDay } from "/shared/format.js";
import { hasText, text } from "/shared/language.js";

const INVITATION_COUNTS = [
  "invited",
  "refused",
  "sent",
  "confirmed",
  "declined",
  "bounced",
  "expired",
  "found_on_later_list",
];
const VOUCHER_COUNTS = [
  "vouchers_issued",
  "vouchers_exported",
  "vouchers_acknowledged",
  "vouchers_redeemed",
];
const ORDER_COUNTS = ["orders_kept", "rewards", "rewards_taken_back", "rewards_refused"];
const ALL_COUNTS = [...INVITATION_COUNTS, ...VOUCHER_COUNTS, ...ORDER_COUNTS];

/** Draws all tables anew, in the page's language. */
export function presentNumbers(numbers) {
  const { funnel, time_zone: timeZone } = numbers;
  const row = (key, whole) => [text(`count.${key}`), funnel[key], whole];
  barTable("funnel-invitations", "dashboard.step", "dashboard.share-invited", [
    ...INVITATION_COUNTS.map((key) => row(key, funnel.invited)),
  ]);
  barTable("funnel-vouchers", "dashboard.step", "dashboard.share-issued", [
    ...VOUCHER_COUNTS.map((key) => row(key, funnel.vouchers_issued)),
    ...ORDER_COUNTS.map((key) => row(key, null)),
  ]);
  presentReasons(numbers.refused_by_reason, funnel.refused);
  presentDays(numbers.days);
  presentLists(numbers.lists, timeZone);
}

function presentReasons(reasons, refused) {
  const rows = Object.entries(reasons)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, value]) => [reasonName(reason), value, refused]);
  part("none-refused").hidden = rows.length > 0;
  part("refused").hidden = rows.length === 0;
  barTable("refused", "dashboard.reason", "dashboard.share-refused", rows);
}

/** A reason's own words when the texts have them, else its name made readable. */
function reasonName(reason) {
  return hasText(`refusal.${reason}`) ? text(`refusal.${reason}`) : reason.replaceAll("_", " ");
}

/** A table of `[name, value, whole]`: the bar is value of whole; without a whole there is none. */
function barTable(id, nameHeading, shareHeading, rows) {
  const body = rows.map(([name, value, whole]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "number" }, count(value)),
      whole === null ? element("td") : shareCell(value, whole),
    ),
  );
  fill(id, [nameHeading, "dashboard.count", shareHeading], body);
}

function shareCell(value, whole) {
  const filled = element("span", { class: "filled" });
  // The CSSOM, not a style attribute: the pages' policy forbids those.
  filled.style.width = `${whole ? Math.min(100, (100 * value) / whole) : 0}%`;
  const track = element("span", { class: "track", "aria-hidden": "true" }, filled);
  return element("td", { class: "share" }, element("span", {}, share(value, whole)), track);
}

function presentDays(days) {
  const newestFirst = [...days].sort((one, other) => (one.date < other.date ? 1 : -1));
  part("no-days").hidden = days.length > 0;
  part("days").parentElement.hidden = days.length === 0;
  const rows = newestFirst.map((entry) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, shortDay(entry.date)),
      ...ALL_COUNTS.map((key) => element("td", { class: "number" }, count(entry[key]))),
    ),
  );
  fill("days", ["dashboard.date", ...ALL_COUNTS.map((key) => `count.${key}`)], rows);
}

function presentLists(lists, timeZone) {
  const rows = Object.entries(lists).map(([name, list]) => {
    const acceptedAt = list?.accepted_at;
    const accepted = acceptedAt ? moment(acceptedAt, timeZone) : text("dashboard.never");
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, hasText(`list.${name}`) ? text(`list.${name}`) : name),
      element("td", {}, inForceBadge(Boolean(list?.in_force))),
      element("td", { class: "number" }, list?.version ? count(list.version) : "–"),
      element("td", { class: "number" }, count(list?.rows)),
      element("td", {}, accepted),
    );
  });
  const headings = ["list", "in-force", "version", "rows", "accepted"];
  fill("lists", headings.map((name) => `dashboard.${name}`), rows);
}

function inForceBadge(inForce) {
  const name = inForce ? "yes" : "no";
  const looks = inForce ? "confirmed" : "alarming";
  return element("span", { class: `badge ${looks}` }, text(`dashboard.${name}`));
}

function fill(id, headings, rows) {
  const titles = headings.map((key) => element("th", { scope: "col" }, text(key)));
  part(id).replaceChildren(
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...rows),
  );
}
