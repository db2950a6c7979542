import assert from "node:assert/strict";
import { test } from "node:test";

import { withFigures } from "../../web/dashboard/days.js";

test("a figure is put beside the counts of each day that has any", () => {
  const days = ["2026-03-03", "2026-03-02", "2026-03-01"].map((date) => ({ date, sent: 1 }));
  const figures = { revenue: [0, 500, 0, -200], "kept.1.4": [1, 2] };
  const answer = /** @type {DashboardAnswer} */ (
    /** @type {unknown} */ ({ campaign: "spring", days, figures_by_day: figures })
  );
  const shown = withFigures(answer);
  assert.equal(shown.campaign, "spring");
  assert.deepEqual(shown.days, [
    { date: "2026-03-03", sent: 1, revenue: 500 },
    { date: "2026-03-02", sent: 1, "kept.1.4": 2 },
    { date: "2026-03-01", sent: 1, revenue: -200 },
  ]);
  assert.deepEqual(answer.days, days);
});
