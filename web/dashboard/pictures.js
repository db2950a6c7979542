/**
 * A chart as numbers, and as an SVG picture of them. Pure: charts.js draws the same on a canvas.
 */

import { formatCount, formatShortDay } from "../shared/format.js";

/** @typedef {(number | null)[]} Values */
/** @typedef {{name: string, values: Values, steps?: boolean, band?: {low: Values, high: Values}}} Series */
/** @typedef {{x: number, name: string}} Mark */
/**
 * `isStacked`: bars, each series above the one before it. `marks`: what happened at a place.
 * @typedef {{x: number[], series: Series[], isTime: boolean, unit: string, isStacked?: boolean,
 *   marks?: Mark[]}} ChartData
 */

/** Distinct also for readers who confuse colours (Okabe and Ito), on white and on black. */
export const COLOURS = ["#2f8fcf", "#e07a1f", "#13a07a", "#cc79a7", "#a8852a", "#7c8a96"];
export const DASHES = [[], [8, 4], [3, 3], [12, 4, 3, 4], [2, 2], [16, 5]];
export const BAND = 0.16;
export const TILE = 8;
export const STRIPE = { colour: "#fff", opacity: 0.6 };
/** On a bar of each series, within a tile: nothing, diagonals, and lines across and down. */
const STRIPES = ["", "M-2 2L2-2M0 8L8 0M6 10L10 6", "M0 4H8", "M4 0V8", "M0 4H8M4 0V8"];

/** @param {number} number of a series */
export function stripesOf(number) {
  return STRIPES[number % STRIPES.length];
}

/**
 * Each series with all that are below it.
 *
 * @param {Series[]} series
 */
export function cumulated(series) {
  /** @type {number[]} */
  const below = [];
  return series.map((one) => {
    one.values.forEach((value, at) => {
      below[at] = (below[at] ?? 0) + (value ?? 0);
    });
    return { ...one, values: [...below] };
  });
}

/**
 * How far two places of an axis are apart.
 *
 * @param {number[]} x
 */
export function spanOf(x) {
  return x.length > 1 ? x[1] - x[0] : 1;
}

/**
 * The corners of a band in steps: along its upper edge, and back along the lower one.
 *
 * @param {number[]} x
 * @param {{low: Values, high: Values}} band
 * @param {(value: number) => number} across
 * @param {(value: number) => number} down
 */
export function outline(x, { low, high }, across, down) {
  const edge = (/** @type {Values} */ values) => {
    /** @type {[number, number][]} */
    const corners = [];
    values.forEach((value, at) => {
      if (value === null) return;
      const before = corners[corners.length - 1];
      if (before) corners.push([across(x[at]), before[1]]);
      corners.push([across(x[at]), down(value)]);
    });
    return corners;
  };
  return [...edge(high), ...edge(low).reverse()];
}

/**
 * @param {ChartData} data
 * @param {number} at
 */
export function labelOf(data, at) {
  if (!data.isTime) return formatCount(at);
  return formatShortDay(new Date(at * 86_400_000).toISOString().slice(0, 10));
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 300, 50, 560, 20, 270];
/** @typedef {{across: (x: number) => number, down: (y: number) => number}} Plane */

/**
 * A chart as SVG, with the names of its series beside it.
 *
 * @param {ChartData} data
 */
export function svgOf(data) {
  const shown = data.isStacked ? cumulated(data.series) : data.series;
  const most = Math.max(1, ...shown.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const half = data.isStacked ? spanOf(data.x) / 2 : 0;
  const [first, last] = [data.x[0] ?? 0, data.x[data.x.length - 1] ?? 1];
  const plane = {
    across: (/** @type {number} */ x) =>
      LEFT + ((x - first + half) / (last - first + 2 * half || 1)) * (RIGHT - LEFT),
    down: (/** @type {number} */ y) => BOTTOM - (y / most) * (BOTTOM - TOP),
  };
  const drawn = data.isStacked
    ? shown.map((_, at) => barsOf(data, shown, at, plane))
    : shown.map((one, at) => lineOf(data, one, at, plane));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>` +
    `<path d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}" fill="none" stroke="#999"/>` +
    wordOf(LEFT - 6, 24, formatCount(most) + data.unit, "end") +
    wordOf(LEFT, HEIGHT - 10, labelOf(data, first)) +
    wordOf(RIGHT, HEIGHT - 10, labelOf(data, last), "end") +
    drawn.join("") +
    (data.marks ?? []).map((mark) => markOf(mark, plane)).join("") +
    "</svg>"
  );
}

/**
 * @param {ChartData} data
 * @param {Series} series
 * @param {number} number
 * @param {Plane} plane
 */
function lineOf(data, { name, values, steps, band }, number, { across, down }) {
  /** @type {string[]} */
  const points = [];
  let before = 0;
  values.forEach((value, index) => {
    if (value === null) return;
    if (steps && points.length) points.push(`${across(data.x[index])},${before}`);
    before = down(value);
    points.push(`${across(data.x[index])},${before}`);
  });
  const colour = COLOURS[number % COLOURS.length];
  const dash = DASHES[number % DASHES.length].join(" ");
  const area = band ? outline(data.x, band, across, down).join(" ") : "";
  const behind = area && `<polygon fill="${colour}" opacity="${BAND}" points="${area}"/>`;
  return (
    `${behind}<polyline fill="none" stroke="${colour}" stroke-width="2" ` +
    `stroke-dasharray="${dash}" points="${points.join(" ")}"/>` +
    wordOf(RIGHT + 8, 20 + 18 * number, name, "start", colour)
  );
}

/**
 * @param {ChartData} data
 * @param {Series[]} shown each with all that are below it
 * @param {number} number
 * @param {Plane} plane
 */
function barsOf(data, shown, number, { across, down }) {
  const below = shown[number - 1]?.values ?? [];
  const width = 0.8 * (across(spanOf(data.x)) - across(0));
  const bars = shown[number].values.map((value, at) => {
    const [top, foot] = [down(value ?? 0), down(below[at] ?? 0)];
    return boxOf(across(data.x[at]) - width / 2, top, width, foot - top);
  });
  const key = boxOf(RIGHT + 8, 9 + 18 * number, 12, 12);
  return (
    `${tileOf(number)}<g fill="url(#tile-${number})">${bars.join("")}${key}</g>` +
    wordOf(RIGHT + 26, 20 + 18 * number, shown[number].name)
  );
}

/**
 * @param {Mark} mark
 * @param {Plane} plane
 */
function markOf({ x, name }, { across }) {
  const at = across(x);
  const isLast = at > RIGHT - 50;
  return (
    `<path d="M${at} ${TOP}V${BOTTOM}" stroke="#555" stroke-dasharray="4 4"/>` +
    wordOf(at + (isLast ? -4 : 4), 16, name, isLast ? "end" : "start", "#333")
  );
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {"start" | "end"} [anchor]
 * @param {string} [colour]
 */
function wordOf(x, y, text, anchor = "start", colour = "#000") {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${escaped(text)}</text>`;
}

/** @param {number[]} box */
function boxOf(...[x, y, width, height]) {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}"/>`;
}

/** @param {number} number */
function tileOf(number) {
  return (
    `<pattern id="tile-${number}" width="${TILE}" height="${TILE}" patternUnits="userSpaceOnUse">` +
    `<rect width="${TILE}" height="${TILE}" fill="${COLOURS[number % COLOURS.length]}"/>` +
    `<path d="${stripesOf(number)}" stroke="${STRIPE.colour}" ` +
    `stroke-opacity="${STRIPE.opacity}" stroke-width="2"/></pattern>`
  );
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
