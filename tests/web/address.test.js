import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isCounted,
  periodsOf,
  readChoice,
  USUAL,
  writeChoice,
} from "../../web/dashboard/address.js";

const KNOWN = { templates: ["welcome", "order-1"], rules: ["thank-you"] };
const NOTHING = { templates: [], rules: [] };

test("what is written is read again, and the rest of the address stays", () => {
  for (const choice of [
    USUAL,
    { ...USUAL, period: "7", compares: false, channel: "link", unit: "hour", measure: "steps" },
    { ...USUAL, period: "dates", from: "2026-02-01", to: "2026-02-28", template: "order-1" },
    { ...USUAL, period: "dates", from: "2026-02-01" },
    { ...USUAL, rule: "thank-you" },
  ]) {
    const written = writeChoice("?campaign=demo-vip&period=30&from=2020-01-01", choice);
    assert.match(written, /^\?campaign=demo-vip/);
    assert.deepEqual(readChoice(written, KNOWN), { choice, wrong: [] });
  }
  assert.equal(writeChoice("?campaign=a&channel=link", USUAL), "?campaign=a");
});

test("what nobody has is left out and named", () => {
  const asked =
    "?period=90&compare=maybe&channel=sms&template=none&rule=none&unit=year&measure=clicks&from=2026-02-30&to=tomorrow";
  const { choice, wrong } = readChoice(asked, KNOWN);
  assert.deepEqual(choice, USUAL);
  assert.deepEqual(
    wrong.map(({ name }) => name),
    ["period", "from", "to", "rule", "unit", "compare", "channel", "template", "measure"],
  );
  assert.deepEqual(wrong[0], { name: "period", value: "90" });
});

test("a period that ends before it begins is none", () => {
  const { choice, wrong } = readChoice("?from=2026-03-02&to=2026-03-01", NOTHING);
  assert.equal(choice.period, "all");
  assert.equal(wrong.length, 2);
});

test("an empty value asks for nothing", () => {
  assert.deepEqual(readChoice("?channel=&period=&from=", NOTHING), { choice: USUAL, wrong: [] });
});

test("a period ends today, and the one before it is as long", () => {
  const { now, before } = periodsOf({ ...USUAL, period: "7" }, "2026-03-03", "2026-01-01");
  assert.deepEqual(now, { first: "2026-02-25", last: "2026-03-03" });
  assert.deepEqual(before, { first: "2026-02-18", last: "2026-02-24" });
  const whole = { now: null, before: null, isTooEarly: false };
  assert.deepEqual(periodsOf(USUAL, "2026-03-03", "2026-01-01"), whole);
});

test("dates that are left open reach from the first day to today", () => {
  const open = { ...USUAL, period: "dates", to: "2026-01-31" };
  assert.deepEqual(periodsOf(open, "2026-03-03", "2026-01-05").now, {
    first: "2026-01-05",
    last: "2026-01-31",
  });
  const soon = { ...USUAL, period: "dates", to: "2026-01-02" };
  assert.deepEqual(periodsOf(soon, "2026-03-03", "2026-01-05").now, {
    first: "2026-01-02",
    last: "2026-01-02",
  });
  const later = { ...USUAL, period: "dates", from: "2026-04-01" };
  assert.equal(periodsOf(later, "2026-03-03", "2026-01-05").now?.last, "2026-04-01");
  const since = { ...USUAL, period: "dates", from: "2026-03-01" };
  assert.deepEqual(periodsOf(since, "2026-03-03", "2026-01-05").before, {
    first: "2026-02-26",
    last: "2026-02-28",
  });
});

test("nothing is compared with days before the campaign, nor where the reader wants none", () => {
  const found = periodsOf({ ...USUAL, period: "7" }, "2026-03-03", "2026-02-19");
  assert.deepEqual([found.before, found.isTooEarly], [null, true]);
  const alone = periodsOf({ ...USUAL, period: "7", compares: false }, "2026-03-03", "2026-01-01");
  assert.deepEqual([alone.before, alone.isTooEarly], [null, false]);
});

test("mails are not counted by the hour", () => {
  const { choice, wrong } = readChoice("?unit=hour&measure=sent", NOTHING);
  assert.deepEqual([choice.unit, choice.measure], ["hour", "confirmed"]);
  assert.deepEqual(wrong, [{ name: "measure", value: "sent" }]);
  assert.deepEqual([isCounted("sent", "week"), isCounted("steps", "hour")], [true, true]);
});

test("a rule is chosen in place of a voucher", () => {
  const { choice, wrong } = readChoice("?rule=thank-you&template=welcome", KNOWN);
  assert.deepEqual([choice.rule, choice.template], ["thank-you", ""]);
  assert.deepEqual(wrong, [{ name: "template", value: "welcome" }]);
});
