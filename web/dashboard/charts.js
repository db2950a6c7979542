/**
 * Charts over time, by uPlot, and the same as a picture: PNG from its canvas, SVG from its numbers.
 *
 * Series differ by their dashes as well as by colour. A table beside each chart says the same, so
 * a chart is hidden from screen readers.
 */

import { byId } from "../shared/elements.js";
import { formatCount, formatShortDay } from "../shared/format.js";

/** @typedef {import("uplot")} uPlot */
/** @typedef {(number | null)[]} Values */
/** @typedef {{name: string, values: Values, steps?: boolean, band?: {low: Values, high: Values}}} Series */
/** @typedef {{x: number[], series: Series[], isTime: boolean, unit: string}} ChartData */

/** Told apart by whoever confuses colours (Okabe and Ito), on white and on black. */
const COLOURS = ["#2f8fcf", "#e07a1f", "#13a07a", "#cc79a7", "#a8852a", "#7c8a96"];
const DASHES = [[], [8, 4], [3, 3], [12, 4, 3, 4], [2, 2], [16, 5]];
const HEIGHT = 260;
const LEGEND = 48;
/** @type {Map<HTMLElement, uPlot>} */
const drawn = new Map();

/**
 * What is to be drawn: the library that does it comes after the numbers.
 * @type {Map<HTMLElement, ChartData>}
 */
const wanted = new Map();
/** @type {Promise<typeof import("uplot")> | undefined} */
let library;

/** The library, fetched once; again after a failure. */
function fetchLibrary() {
  const address = byId("numbers").getAttribute("data-plot");
  library ??= import(/** @type {string} */ (address)).then(
    (fetched) => fetched.default,
    (error) => {
      library = undefined;
      throw error;
    },
  );
  return library;
}

/**
 * Draws a chart in place of the one that is there, as wide as its box.
 *
 * @param {HTMLElement} box
 * @param {ChartData} data
 */
export async function drawChart(box, data) {
  wanted.set(box, data);
  drawOnPaper(box, data);
  try {
    const uPlot = await fetchLibrary();
    if (wanted.get(box) === data) draw(uPlot, box, data);
  } catch {
    // The table beside the chart says the same; the next numbers try again.
  }
}

/**
 * @param {typeof import("uplot")} uPlot
 * @param {HTMLElement} box
 * @param {ChartData} data
 */
function draw(uPlot, box, data) {
  drawn.get(box)?.destroy();
  const ink = getComputedStyle(box).color;
  const grid = { stroke: `color-mix(in srgb, ${ink} 15%, transparent)`, width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: "13px system-ui, sans-serif" };
  const labels = (/** @type {uPlot} */ _, /** @type {number[]} */ at) =>
    at.map((value) => labelOf(data, value));
  const chart = new uPlot(
    {
      width: Math.max(280, box.clientWidth),
      height: heightIn(box),
      scales: { x: { time: false }, y: { range: (_, __, most) => [0, most || 1] } },
      hooks: { drawAxes: [(plot) => drawBands(plot, data)] },
      cursor: { drag: { x: false, y: false } },
      legend: { live: false },
      axes: [
        { ...axis, values: labels, space: 90 },
        { ...axis, size: 60, values: (_, at) => at.map((value) => formatCount(value) + data.unit) },
      ],
      series: [
        { label: "", value: (_, at) => (at === null ? "" : labelOf(data, at)) },
        ...data.series.map(({ name, steps }, at) => ({
          label: name,
          stroke: COLOURS[at % COLOURS.length],
          dash: DASHES[at % DASHES.length],
          width: 2,
          points: { show: false },
          value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) =>
            value === null ? "–" : formatCount(value) + data.unit,
          ...(steps && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        })),
      ],
    },
    /** @type {import("uplot").AlignedData} */ ([
      data.x,
      ...data.series.map(({ values }) => values),
    ]),
    box,
  );
  drawn.set(box, chart);
}

/**
 * @param {HTMLElement} box
 * @param {ChartData} data
 */
function drawOnPaper(box, data) {
  box.querySelector(".on-paper")?.remove();
  const paper = document.createElement("img");
  paper.className = "on-paper";
  paper.alt = "";
  paper.src = `data:image/svg+xml,${encodeURIComponent(svgOf(data))}`;
  box.append(paper);
}

/**
 * On a wall a chart is as high as its style says; elsewhere all are alike.
 *
 * @param {HTMLElement} box
 */
function heightIn(box) {
  const least = Number.parseFloat(getComputedStyle(box).minHeight);
  return least > LEGEND ? least - LEGEND : HEIGHT;
}

const BAND = 0.16;

/**
 * What a curve may as well be, behind it.
 *
 * @param {uPlot} plot
 * @param {ChartData} data
 */
function drawBands(plot, { x, series }) {
  const { ctx } = plot;
  series.forEach(({ band }, at) => {
    if (!band) return;
    const corners = outline(
      x,
      band,
      (value) => plot.valToPos(value, "x", true),
      (value) => plot.valToPos(value, "y", true),
    );
    ctx.save();
    ctx.globalAlpha = BAND;
    ctx.fillStyle = COLOURS[at % COLOURS.length];
    ctx.beginPath();
    for (const [across, down] of corners) ctx.lineTo(across, down);
    ctx.fill();
    ctx.restore();
  });
}

/**
 * The corners of a band in steps: along its upper edge, and back along the lower one.
 *
 * @param {number[]} x
 * @param {{low: Values, high: Values}} band
 * @param {(value: number) => number} across
 * @param {(value: number) => number} down
 */
function outline(x, { low, high }, across, down) {
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
function labelOf(data, at) {
  if (!data.isTime) return formatCount(at);
  return formatShortDay(new Date(at * 86_400_000).toISOString().slice(0, 10));
}

/** Makes the charts as wide as their boxes again. */
export function fitCharts() {
  for (const [box, chart] of drawn) {
    if (box.clientWidth) {
      chart.setSize({ width: Math.max(280, box.clientWidth), height: heightIn(box) });
    }
  }
}

/**
 * The chart in a box as a PNG; null when none is there.
 *
 * @param {HTMLElement} box
 * @returns {Promise<Blob | null>}
 */
export function pngOf(box) {
  const canvas = drawn.get(box)?.ctx.canvas;
  return new Promise((resolve) => {
    if (canvas) canvas.toBlob(resolve, "image/png");
    else resolve(null);
  });
}

/**
 * A chart as SVG, with the names of its series beside their ends.
 *
 * @param {ChartData} data
 */
export function svgOf(data) {
  const [width, height, left, right, bottom] = [720, 300, 50, 560, 270];
  const numbers = data.series.flatMap(({ values }) => values.map((value) => value ?? 0));
  const most = Math.max(1, ...numbers);
  const [first, last] = [data.x[0] ?? 0, data.x[data.x.length - 1] ?? 1];
  const across = (/** @type {number} */ x) =>
    left + ((x - first) / (last - first || 1)) * (right - left);
  const down = (/** @type {number} */ y) => bottom - (y / most) * (bottom - 20);
  const lines = data.series.map(({ name, values, steps, band }, at) => {
    /** @type {string[]} */
    const points = [];
    let before = 0;
    values.forEach((value, index) => {
      if (value === null) return;
      if (steps && points.length) points.push(`${across(data.x[index])},${before}`);
      before = down(value);
      points.push(`${across(data.x[index])},${before}`);
    });
    const colour = COLOURS[at % COLOURS.length];
    const dash = DASHES[at % DASHES.length].join(" ");
    const area = band ? outline(data.x, band, across, down).join(" ") : "";
    const behind = area && `<polygon fill="${colour}" opacity="${BAND}" points="${area}"/>`;
    return (
      `${behind}<polyline fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" ` +
      `points="${points.join(" ")}"/><text x="${right + 8}" y="${20 + 18 * at}" ` +
      `fill="${colour}">${escaped(name)}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>` +
    `<path d="M${left} 20V${bottom}H${right}" fill="none" stroke="#999"/>` +
    `<text x="${left - 6}" y="24" text-anchor="end">${escaped(formatCount(most) + data.unit)}</text>` +
    `<text x="${left}" y="${height - 10}">${escaped(labelOf(data, first))}</text>` +
    `<text x="${right}" y="${height - 10}" text-anchor="end">${escaped(labelOf(data, last))}</text>` +
    `${lines.join("")}</svg>`
  );
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
