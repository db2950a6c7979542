import assert from "node:assert/strict";
import { test } from "node:test";

import { cumulated, stripesOf, svgOf } from "../../web/dashboard/pictures.js";

const DATA = {
  x: [20_000, 20_001],
  isTime: true,
  unit: "",
  series: [
    { name: "E-mail", values: [3, 0] },
    { name: "A & <b>", values: [1, 2] },
  ],
};
const count = (/** @type {string} */ text, /** @type {RegExp} */ what) =>
  [...text.matchAll(what)].length;

test("each series is added to all that are below it, and what is unknown adds nothing", () => {
  const series = [
    { name: "a", values: [1, null, 3] },
    { name: "b", values: [2, 2, null] },
  ];
  assert.deepEqual(
    cumulated(series).map(({ values }) => values),
    [
      [1, 0, 3],
      [3, 2, 3],
    ],
  );
});

test("stacked bars stand on each other, and differ by their stripes", () => {
  const svg = svgOf({ ...DATA, isStacked: true });
  const [, first, second] = svg
    .split("<g ")
    .map((group) =>
      [...group.matchAll(/<rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g)].map(
        ([, ...box]) => box.map(Number),
      ),
    );
  const bottom = 270;
  assert.ok(Math.abs(first[0][1] + first[0][3] - bottom) < 1e-6);
  assert.ok(Math.abs(second[0][1] + second[0][3] - first[0][1]) < 1e-6);
  assert.equal(second[0][0], first[0][0]);
  assert.ok(first[0][0] >= 50);
  assert.notEqual(stripesOf(0), stripesOf(1));
  assert.equal(count(svg, /<pattern /g), 2);
  assert.equal(count(svg, /<polyline /g), 0);
});

test("words are escaped, and what happened is named beside its line", () => {
  const marks = [
    { x: 20_000, name: "version 2" },
    { x: 20_001, name: "version 3" },
  ];
  const svg = svgOf({ ...DATA, marks });
  assert.ok(svg.includes("A &#38; &#60;b&#62;"));
  assert.ok(!svg.includes("<b>"));
  assert.equal(count(svg, /stroke-dasharray="4 4"/g), 2);
  assert.match(svg, /text-anchor="start" fill="#333">version 2/);
  assert.match(svg, /text-anchor="end" fill="#333">version 3/);
});

test("a chart of nothing is a picture all the same", () => {
  for (const isStacked of [true, false]) {
    const svg = svgOf({ ...DATA, isStacked, x: [], series: [{ name: "a", values: [] }] });
    assert.ok(!svg.includes("NaN"));
  }
});
