/**
 * Who goes on buying: our newcomers beside the client's other sources, with 95 % bands.
 */

import { byId } from "../shared/elements.js";
import { formatCount } from "../shared/format.js";
import { getText, hasText } from "../shared/language.js";
import { fill, texts } from "./rows.js";

const DAYS = [30, 90, 180];
const SHOWN_DAYS = 365;

/**
 * Draws the table, and says what the chart is to show; null where nothing is known.
 *
 * @param {CohortAnswer[]} cohorts
 * @returns {import("./pictures.js").ChartData | null}
 */
export function drawSurvival(cohorts) {
  byId("survival-card").hidden = cohorts.length === 0;
  if (!cohorts.length) return null;
  const most = Math.max(...cohorts.map(({ known_days: known }) => Math.min(known, SHOWN_DAYS)));
  const x = Array.from({ length: most + 1 }, (_, day) => day);
  fill(
    "survival",
    [
      ...texts("overview.source", "overview.people"),
      ...DAYS.map((days) => getText("overview.days", { count: days })),
      getText("overview.p"),
    ],
    cohorts.map((cohort) => [
      sourceOf(cohort),
      formatCount(cohort.people),
      ...DAYS.map((days) => pointsAt(cohort, days)),
      probabilityOf(cohort),
    ]),
  );
  return {
    x,
    series: cohorts.map((cohort) => {
      const known = x.map((day) => (day > cohort.known_days ? null : pointAt(cohort, day)));
      const valuesOf = (/** @type {"share" | "low" | "high"} */ what) =>
        known.map((point) => point && Math.round(1_000 * point[what]) / 10);
      return {
        name: sourceOf(cohort),
        steps: true,
        values: valuesOf("share"),
        band: { low: valuesOf("low"), high: valuesOf("high") },
      };
    }),
    isTime: false,
    unit: " %",
  };
}

/** @param {CohortAnswer} cohort */
function sourceOf({ source }) {
  const key = `source.${source}`;
  return hasText(key) ? getText(key) : source;
}

/**
 * @param {CohortAnswer} cohort
 * @param {number} day
 */
function pointAt({ curve }, day) {
  return curve.findLast(({ days }) => days <= day) ?? { share: 1, low: 1, high: 1 };
}

/**
 * @param {CohortAnswer} cohort
 * @param {number} days
 */
function pointsAt({ compared }, days) {
  const found = compared?.differences.find((each) => each.days === days);
  if (!found) return "";
  const [points, low, high] = [found.points, found.low, found.high].map((value) =>
    formatCount(Math.round(10 * value) / 10),
  );
  return getText("overview.points", {
    points: found.points > 0 ? `+${points}` : points,
    low,
    high,
  });
}

/** @param {CohortAnswer} cohort */
function probabilityOf({ compared }) {
  if (compared?.p == null) return "";
  const least = 0.001;
  return compared.p < least ? `< ${formatCount(least)}` : formatCount(compared.p);
}
