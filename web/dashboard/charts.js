/**
 * Charts over time, by uPlot, and the same as a picture: PNG from its canvas, SVG from its numbers
 * (pictures.js).
 *
 * Series differ by their dashes, or the stripes of their bars, as well as by colour. A table beside
 * each chart says the same, so a chart is hidden from screen readers.
 */

import { byId } from "../shared/elements.js";
import { formatCount } from "../shared/format.js";
import {
  BAND,
  COLOURS,
  DASHES,
  STRIPE,
  TILE,
  cumulated,
  labelOf,
  outline,
  spanOf,
  stripesOf,
  svgOf,
} from "./pictures.js";

/** @typedef {import("uplot")} uPlot */
/** @typedef {import("./pictures.js").ChartData} ChartData */

const HEIGHT = 260;
const MARKS_ROOM = 22;
/** Days or hours from a line of the axis to the next; counts are whole too. */
const PACES = [1, 2, 3, 6, 7, 14, 28, 30, 60, 90, 180, 360];
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((digits) => [1, 2, 5].map((by) => by * 10 ** digits));
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
  const shown = data.isStacked ? cumulated(data.series).reverse() : data.series;
  const numberOf = (/** @type {number} */ at) => (data.isStacked ? shown.length - 1 - at : at);
  const keyOf = (/** @type {uPlot} */ _, /** @type {number} */ at) => keyColour(numberOf(at - 1));
  const half = data.isStacked ? spanOf(data.x) / 2 : 0;
  const chart = new uPlot(
    {
      width: Math.max(280, box.clientWidth),
      height: heightIn(box),
      scales: {
        x: { time: false, range: (_, first, last) => [first - half, last + half] },
        y: { range: (_, __, most) => [0, (most || 1) * (data.isStacked ? 1.05 : 1)] },
      },
      hooks: {
        drawAxes: [(plot) => drawBands(plot, data)],
        draw: [(plot) => drawMarks(plot, data, ink)],
      },
      cursor: { drag: { x: false, y: false } },
      legend: { live: false, ...(data.isStacked ? { markers: { fill: keyOf } } : {}) },
      ...(data.marks?.length ? { padding: [MARKS_ROOM, null, null, null] } : {}),
      axes: [
        { ...axis, values: labels, space: 90, incrs: PACES },
        {
          ...axis,
          size: 60,
          incrs: WHOLE,
          values: (_, at) => at.map((value) => formatCount(value) + data.unit),
        },
      ],
      series: [
        { label: "", value: (_, at) => (at === null ? "" : labelOf(data, at)) },
        ...shown.map(({ name, steps }, at) => ({
          label: name,
          stroke: COLOURS[numberOf(at) % COLOURS.length],
          width: 2,
          points: { show: false },
          value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) =>
            value === null ? "–" : formatCount(value) + data.unit,
          ...(data.isStacked ? barsOf(uPlot, numberOf(at)) : { dash: DASHES[at % DASHES.length] }),
          ...(steps && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        })),
      ],
    },
    /** @type {import("uplot").AlignedData} */ ([data.x, ...shown.map(({ values }) => values)]),
    box,
  );
  drawn.set(box, chart);
  box.classList.toggle("stacked", data.isStacked === true);
}

/**
 * Bars, which hide those of the series behind them: each is as high as what it and those below it
 * come to together.
 *
 * @param {typeof import("uplot")} uPlot
 * @param {number} number of the series
 * @returns {Partial<import("uplot").Series>}
 */
function barsOf(uPlot, number) {
  const paths = uPlot.paths.bars?.({ size: [0.8, 80] });
  return {
    paths,
    width: 0,
    fill: ({ ctx }) => patternOf(ctx, number) ?? COLOURS[number % COLOURS.length],
  };
}

/**
 * The colour of a series with its stripes.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} number
 */
function patternOf(ctx, number) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = TILE;
  const brush = tile.getContext("2d");
  if (!brush) return null;
  brush.fillStyle = COLOURS[number % COLOURS.length];
  brush.fillRect(0, 0, TILE, TILE);
  brush.strokeStyle = STRIPE.colour;
  brush.globalAlpha = STRIPE.opacity;
  brush.lineWidth = 2;
  brush.stroke(new Path2D(stripesOf(number)));
  return ctx.createPattern(tile, "repeat");
}

/**
 * The same as a background in the legend.
 *
 * @param {number} number
 */
function keyColour(number) {
  const colour = COLOURS[number % COLOURS.length];
  if (!stripesOf(number)) return colour;
  const stripe = `color-mix(in srgb, ${STRIPE.colour} ${100 * STRIPE.opacity}%, ${colour})`;
  return `repeating-linear-gradient(${-45 * number}deg, ${colour} 0 3px, ${stripe} 3px 5px)`;
}

/**
 * What happened at a place, as a line with its name.
 *
 * @param {uPlot} plot
 * @param {ChartData} data
 * @param {string} ink
 */
function drawMarks(plot, { marks = [] }, ink) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = ink;
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 4 * ratio]);
  let end = 0; // of the name before: what would be written over it is in the table alone
  for (const { x, name } of marks) {
    const across = plot.valToPos(x, "x", true);
    ctx.beginPath();
    ctx.moveTo(across, bbox.top);
    ctx.lineTo(across, bbox.top + bbox.height);
    ctx.stroke();
    const { width } = ctx.measureText(name);
    const left = Math.min(across - 4 * ratio, bbox.left + bbox.width - width);
    if (left < end) continue;
    ctx.fillText(name, left, bbox.top - 6 * ratio);
    end = left + width + 8 * ratio;
  }
  ctx.restore();
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
