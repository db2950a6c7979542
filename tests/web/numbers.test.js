import assert from "node:assert/strict";
import { test } from "node:test";

import { readTexts } from "./catalogues.js";
import {
  ageOf,
  barWidth,
  COUNTERS,
  haveChanged,
  invitationRows,
  lagOf,
  mailRows,
  newestFirst,
  buyerRows,
  reasonRows,
  voucherRows,
  waitingSince,
  wordRows,
} from "../../web/dashboard/numbers.js";

test("every counter that has a text is shown, once, and no other", () => {
  const named = Object.keys(readTexts("en")).filter((key) => key.startsWith("count."));
  assert.deepEqual([...COUNTERS].sort(), named.map((key) => key.slice("count.".length)).sort());
});

test("invitations are a share of those received, vouchers of those issued, orders of none", () => {
  const funnel = Object.fromEntries(COUNTERS.map((key, index) => [key, index + 1]));
  assert.ok(invitationRows(funnel).every(({ total }) => total === funnel.invited));
  const rows = voucherRows(funnel);
  for (const { key, value, total } of rows) {
    assert.equal(value, funnel[key]);
    assert.equal(total, key.startsWith("vouchers_") ? funnel.vouchers_issued : null);
  }
});

test("a buyer's share is of all orders", () => {
  const [first, second] = buyerRows({ sponsor: 1, referee: 3 });
  assert.deepEqual(first, { key: "referee", value: 3, total: 4 });
  assert.deepEqual(second, { key: "sponsor", value: 1, total: 4 });
  assert.deepEqual(buyerRows({}), []);
});

test("the most frequent reason comes first, whatever its name", () => {
  const rows = reasonRows({ opposed: 1, customer: 9, new_one: 4 }, 14);
  assert.deepEqual(
    rows.map(({ key }) => key),
    ["customer", "new_one", "opposed"],
  );
  assert.deepEqual(rows[0], { key: "customer", value: 9, total: 14 });
  assert.deepEqual(reasonRows({}, 0), []);
});

test("the newest day comes first, and the answer is left as it was", () => {
  const days = [{ date: "2025-12-31" }, { date: "2026-01-02" }, { date: "2026-01-01" }];
  const sorted = newestFirst(days).map(({ date }) => date);
  assert.deepEqual(sorted, ["2026-01-02", "2026-01-01", "2025-12-31"]);
  assert.equal(days[0].date, "2025-12-31");
});

test("a bar never leaves its track", () => {
  assert.equal(barWidth(1, 4), 25);
  assert.equal(barWidth(5, 4), 100);
  assert.equal(barWidth(5, 0), 0);
});

test("an answer that differs in its time alone has not changed", () => {
  const answer = { as_of: "10:00", funnel: { invited: 1 }, days: [] };
  assert.equal(haveChanged(answer, null), true);
  assert.equal(haveChanged({ ...answer, as_of: "10:05" }, answer), false);
  assert.equal(haveChanged({ ...answer, funnel: { invited: 2 } }, answer), true);
});

test("what was found to wait does so until the counts are beyond it", () => {
  const at = (/** @type {string} */ time) => `2026-03-02T${time}Z`;
  const answer = (/** @type {string} */ time, lag = 0, until = "09:00:00") => ({
    as_of: at(time),
    lag_s: lag,
    counted_until: at(until),
  });
  const found = waitingSince(answer("10:00:30", 20), null);
  assert.equal(found, Date.parse(at("10:00:10")));
  assert.equal(waitingSince(answer("10:00:35"), found), found);
  assert.equal(waitingSince(answer("10:00:40", 90), found), Date.parse(at("09:59:10")));
  assert.equal(waitingSince(answer("10:00:40", 0, "10:00:20"), found), null);
  assert.equal(waitingSince(answer("10:00:40"), null), null);
  assert.equal(waitingSince({ ...answer("10:00:40"), counted_until: null }, found), found);
});

test("consent is a share of confirmations, a no of the mails that asked, an opposition of nothing", () => {
  const rows = wordRows({ consents: 3, confirmed: 6, declined: 1, sent: 10, oppositions: 2 });
  assert.deepEqual(rows, [
    { key: "consents", value: 3, total: 6 },
    { key: "declined", value: 1, total: 10 },
    { key: "oppositions", value: 2, total: null },
  ]);
  assert.deepEqual(mailRows({ "mails.sent": 9, "mails.failed": 1 }).at(-1), {
    key: "failed",
    value: 1,
    total: 9,
  });
});

test("a list is late when most of its time is over", () => {
  const list = { accepted_at: "2026-03-01T12:00:00Z", max_age_days: 10 };
  assert.deepEqual(ageOf(list, "2026-03-09T11:59:59Z"), { days: 7, isLate: false });
  assert.deepEqual(ageOf(list, "2026-03-09T12:00:00Z"), { days: 8, isLate: true });
  assert.equal(ageOf({ ...list, accepted_at: null }, "2026-03-09T12:00:00Z"), null);
  assert.equal(ageOf(list, "2026-03-01T11:00:00Z")?.days, 0);
});

test("counts are behind when something has waited for half a minute", () => {
  assert.equal(lagOf(30, false), "fresh");
  assert.equal(lagOf(31, false), "behind");
  assert.equal(lagOf(0, true), "offline");
});
