/**
 * The six figures: value, how it went, the change to the period before, and what it means.
 */

import { byId, createElement } from "../shared/elements.js";
import { formatCount, formatMoney, formatPercent } from "../shared/format.js";
import { getText } from "../shared/language.js";
import { isLeftOut, scopeOf } from "./choices.js";
import { FOLLOWED, changeOf, figuresOf, summed, trendOf, within } from "./insights.js";
import { helpFor } from "./rows.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./insights.js").FigureName} FigureName */
/** @typedef {import("./insights.js").Change} Change */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [120, 32];
const SMALL_MINOR = 100_000; // below a thousand, cents are shown
const ARROWS = { up: "▲", down: "▼", same: "=" };
const NAMES = /** @type {const} */ (["new", "acceptance", "revenue", "cost", "sponsors", "again"]);

/**
 * @param {DashboardAnswer} answer
 * @param {import("./choices.js").View} view
 */
export function drawFigures(answer, { choice, now, before }) {
  const days = within(answer.days, now);
  const counts = summed(days);
  const here = figuresOf(counts, choice);
  const there = before ? figuresOf(summed(within(answer.days, before)), choice) : null;
  byId("figures").replaceChildren(
    ...NAMES.map((name) =>
      createElement(
        "div",
        {},
        createElement(
          "dt",
          {},
          createElement("span", {}, nameOf(name)),
          ...helpFor(`figure.${name}`),
        ),
        createElement("dd", { class: "figure" }, wordsOf(name, here[name], answer.currency)),
        there ? changeLine(changeOf(name, here[name], there[name])) : createElement("dd"),
        createElement("dd", { class: "trend" }, sparkLine(trendOf(days, name, choice))),
        createElement("dd", { class: "muted" }, noteOf(name, answer, counts)),
        scopeLine(choice, ["period", ...FOLLOWED[name]]),
      ),
    ),
  );
}

/**
 * @param {import("./address.js").Choice} choice
 * @param {readonly string[]} followed
 */
function scopeLine(choice, followed) {
  const dims = isLeftOut(choice, followed) ? " dims" : "";
  return createElement("dd", { class: `scope${dims}` }, scopeOf(choice, followed));
}

/** @param {FigureName} name */
function nameOf(name) {
  return getText(/** @type {TextKey} */ (`figure.${name}`));
}

/**
 * @param {FigureName} name
 * @param {number | null} value
 * @param {string} currency
 */
function wordsOf(name, value, currency) {
  if (value === null) return "–";
  if (name === "acceptance" || name === "again") return formatPercent(value, 1);
  if (name === "revenue" || name === "cost") return moneyOf(value, currency);
  return formatCount(value);
}

/**
 * @param {number} minor
 * @param {string} currency
 */
function moneyOf(minor, currency) {
  const digits = Math.abs(minor) < SMALL_MINOR ? 2 : 0;
  return formatMoney((minor / 100).toFixed(digits), currency);
}

/**
 * @param {FigureName} name
 * @param {DashboardAnswer} answer
 * @param {Record<string, number>} counts
 */
function noteOf(name, { currency, lists }, counts) {
  if (name === "revenue" && counts.orders_kept) {
    const basket = moneyOf((counts.revenue ?? 0) / counts.orders_kept, currency);
    return getText("figure.basket", { basket });
  }
  const vips = lists.vips?.rows;
  if (name !== "sponsors" || !vips) return "";
  return getText("figure.of-vips", { share: formatPercent(counts["sponsors.active"] ?? 0, vips) });
}

/**
 * The change in words, with an arrow and a colour that say the same.
 *
 * @param {Change} change
 */
function changeLine({ way, by, unit, isGood }) {
  if (way === null) return createElement("dd", { class: "muted" }, getText("change.none"));
  const amount =
    unit === "points"
      ? getText("change.points", { count: Math.round(by * 1_000) / 10 })
      : formatPercent(by, 1);
  const tone = isGood === null ? "" : isGood ? " good" : " bad";
  return createElement(
    "dd",
    { class: `change${tone}` },
    createElement("span", { "aria-hidden": "true" }, `${ARROWS[way]} `),
    getText(/** @type {TextKey} */ (`change.${way}`), { amount }),
  );
}

/**
 * A line without axes: how it went. The table below says the same in numbers.
 *
 * @param {(number | null)[]} values
 */
function sparkLine(values) {
  const known = values.filter((value) => value !== null);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  if (known.length < 2) return svg;
  const most = Math.max(...known, 0) || 1;
  const points = values.flatMap((value, at) =>
    value === null
      ? []
      : [`${(at / (values.length - 1)) * WIDTH} ${HEIGHT - 2 - (value / most) * (HEIGHT - 4)}`],
  );
  const line = `M${points.join("L")}`;
  const [first, last] = [points[0], points[points.length - 1]].map((point) => point.split(" ")[0]);
  for (const [name, path] of [
    ["area", `${line}L${last} ${HEIGHT}L${first} ${HEIGHT}Z`],
    ["line", line],
  ]) {
    const drawn = document.createElementNS(SVG, "path");
    drawn.setAttribute("class", name);
    drawn.setAttribute("d", path);
    svg.append(drawn);
  }
  return svg;
}
