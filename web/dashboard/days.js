/**
 * The days of an answer, which names each figure once: its counts are a run of numbers, one a day.
 *
 * @module
 */

/**
 * The answer with the figures of each day among its counts, where they are not 0.
 *
 * @param {DashboardAnswer} answer
 * @returns {DashboardAnswer}
 */
export function withFigures(answer) {
  const days = answer.days.map((day) => ({ ...day }));
  for (const [name, [first, ...counts]] of Object.entries(answer.figures_by_day)) {
    for (const [after, count] of counts.entries()) {
      if (count) days[first + after][name] = count;
    }
  }
  return { ...answer, days };
}
