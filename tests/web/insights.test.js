import assert from "node:assert/strict";
import { test } from "node:test";

import {
  byChannel,
  byHour,
  byRule,
  changeOf,
  channelsOf,
  cohortsByWeek,
  countedByRuleSince,
  csvOf,
  figuresOf,
  medianDays,
  medianHours,
  moneyByTemplate,
  reached,
  releasesOf,
  rulesOf,
  series,
  stepName,
  summed,
  templatesOf,
  trendOf,
  weekOf,
  within,
} from "../../web/dashboard/insights.js";

const BOTH = { channel: "", template: "", rule: "" };
const WEDNESDAY = "2026-05-06";

test("the days of a period are those from its first to its last", () => {
  const days = ["2026-05-01", "2026-05-02", "2026-05-03"].map((date) => ({ date }));
  const found = within(days, { first: "2026-05-02", last: "2026-05-02" });
  assert.deepEqual(found, [{ date: "2026-05-02" }]);
  assert.equal(within(days, null).length, 3);
});

test("an order is in the cohort of the week its referee confirmed in", () => {
  const days = [
    { date: WEDNESDAY, confirmed: 3 },
    { date: "2026-05-13", confirmed: 1, "kept.1.7": 2, "kept.1.0": 1 },
    { date: "2026-05-15", "kept.2.9": 1, "lost.1.9": 1 },
  ];
  assert.deepEqual(cohortsByWeek(days), [
    { week: "2026-05-04", confirmed: 3, reached: [1, 1, 0] },
    { week: "2026-05-11", confirmed: 1, reached: [1, 0, 0] },
  ]);
  assert.equal(reached(summed(days), 1), 2);
});

test("a median is where half have come", () => {
  assert.equal(medianDays({ "kept.1.3": 1, "kept.1.10": 1, "kept.1.30": 1 }, 1), 10);
  assert.equal(medianDays({}, 1), null);
  assert.equal(medianHours({ "within.1": 1, "within.24": 2 }), 24);
  assert.equal(medianHours({ "within.1": 1, "within.more": 3 }), null);
});

test("a series has no gaps, by day and by week", () => {
  const days = [
    { date: "2026-05-21", sent: 1 },
    { date: WEDNESDAY, sent: 2 },
  ];
  assert.deepEqual(series(days, ["sent"], "week"), {
    at: ["2026-05-04", "2026-05-11", "2026-05-18"],
    values: [[2, 0, 1]],
  });
  assert.equal(series(days, ["sent"], "day").at.length, 16);
  assert.deepEqual(series([], ["sent"], "day"), { at: [], values: [[]] });
  assert.equal(weekOf("2026-05-10"), "2026-05-04");
});

test("figures of nothing are null, not a number", () => {
  assert.deepEqual(figuresOf({}, BOTH), {
    new: 0,
    acceptance: null,
    revenue: 0,
    cost: null,
    sponsors: 0,
    again: null,
  });
  const counts = {
    confirmed: 4,
    sent: 8,
    revenue: 9_000,
    "kept.1.3": 2,
    "kept.2.9": 1,
    "sponsors.active": 3,
    "money.redeemed.welcome": 1_000,
  };
  assert.deepEqual(figuresOf(counts, BOTH), {
    new: 2,
    acceptance: 0.5,
    revenue: 9_000,
    cost: 500,
    sponsors: 3,
    again: 0.5,
  });
});

test("figures follow a channel or a voucher where the counts tell them apart", () => {
  const counts = {
    confirmed: 4,
    sent: 8,
    "channel.link.confirmed": 3,
    "channel.link.sent": 4,
    "kept.1.3": 2,
    "money.redeemed.welcome": 1_000,
    "money.redeemed.order-1": 400,
  };
  assert.equal(figuresOf(counts, { ...BOTH, channel: "link" }).acceptance, 0.75);
  assert.equal(figuresOf(counts, BOTH).cost, 700);
  assert.equal(figuresOf(counts, { ...BOTH, template: "order-1" }).cost, 200);
  assert.equal(figuresOf(counts, { ...BOTH, template: "none" }).cost, 0);
  assert.equal(stepName("sent", "email"), "channel.email.sent");
});

test("what rules granted is by rung, in their order, and a cost follows a rule", () => {
  const counts = {
    "kept.1.3": 2,
    "rule.granted.ladder.10": 1,
    "rule.granted.ladder.2": 3,
    "rule.granted.ladder.more": 1,
    "rule.replaced.ladder.2": 1,
    "rule.redeemed.ladder.2": 2,
    "rule.refused.welcome.0": 1,
    "rule_money.granted.ladder.2": 1_500,
    "rule_money.redeemed.ladder.2": 1_000,
    "rule_money.redeemed.welcome.0": 800,
    "money.redeemed.order-1": 1_800,
  };
  assert.deepEqual(rulesOf(counts), ["ladder", "welcome"]);
  const usedAlone = { "rule.redeemed.old.0": 1, "rule_money.redeemed.old.0": 500 };
  assert.deepEqual(rulesOf(usedAlone), ["old"]);
  const places = byRule(counts, "").map(({ rule, rung }) => `${rule} ${rung}`);
  assert.deepEqual(places, ["ladder 2", "ladder 10", "ladder more", "welcome 0"]);
  assert.deepEqual(byRule(counts, "ladder")[0], {
    rule: "ladder",
    rung: "2",
    of: { granted: 3, replaced: 1, redeemed: 2, expired: 0, revoked: 0, refused: 0 },
    grantedMinor: 1_500,
    usedMinor: 1_000,
  });
  assert.equal(figuresOf(counts, { ...BOTH, rule: "ladder" }).cost, 500);
  assert.equal(figuresOf(counts, BOTH).cost, 900);
});

test("a table by rule says since when, where days before were counted without", () => {
  const before = { date: "2026-05-01", sent: 3, figured: 3 };
  const [first, next] = ["2026-05-02", "2026-05-03"].map((date) => ({ date, "figured.2": 1 }));
  assert.equal(countedByRuleSince([next, first, before]), "2026-05-02");
  assert.equal(countedByRuleSince([next, first]), null);
  assert.equal(countedByRuleSince([before]), null);
  assert.equal(countedByRuleSince([]), null);
});

test("a change is a share of what was before, of shares it is in points, and a cost is to fall", () => {
  assert.deepEqual(changeOf("new", 12, 10), { way: "up", by: 0.2, unit: "share", isGood: true });
  assert.deepEqual(changeOf("cost", 12, 10), { way: "up", by: 0.2, unit: "share", isGood: false });
  const points = { way: "down", by: 0.05, unit: "points", isGood: false };
  assert.deepEqual(changeOf("acceptance", 0.4, 0.45), points);
  assert.equal(changeOf("again", 0.1, 0).way, "up");
  assert.equal(changeOf("sponsors", 3, 3).way, "same");
  for (const [here, there] of [
    [null, 3],
    [3, null],
    [3, 0],
  ]) {
    assert.equal(changeOf("new", here, there).way, null);
  }
});

test("a trend is by day, of a long time by week, without gaps", () => {
  const days = [
    { date: "2026-05-01", "kept.1.3": 2 },
    { date: "2026-05-03", "kept.1.3": 1 },
  ];
  assert.deepEqual(trendOf(days, "new", BOTH), [2, 0, 1]);
  assert.deepEqual(trendOf(days, "acceptance", BOTH), [null, null, null]);
  assert.deepEqual(trendOf([], "new", BOTH), []);
  const later = [...days, { date: "2026-08-03", "kept.1.3": 5 }];
  const weeks = trendOf(later, "new", BOTH);
  assert.equal(weeks.length, 15);
  assert.deepEqual([weeks[0], weeks[14]], [3, 5]);
});

test("hours are all of a day, and templates those of which anything was counted", () => {
  const counts = { "hour.9.email.invited": 4, "hour.9.link.invited": 2, "channel.link.sent": 1 };
  const { at, values } = byHour(counts, ["invited", "confirmed"], "email");
  assert.deepEqual([at.length, values[0][9], values[1][9]], [24, 4, 0]);
  const both = { ...counts, "channel.email.sent": 1, "hour.9.invited": 3 };
  assert.equal(byHour(both, ["invited"], "").values[0][9], 9); // 3 by a version before channels
  assert.deepEqual(templatesOf({ "issued.b": 1, "money.issued.a": 2, "issued.a": 1 }), ["a", "b"]);
});

test("sums are by template and by what became of the vouchers", () => {
  const rows = moneyByTemplate({ "money.issued.b": 2, "money.redeemed.a": 1, "money.issued.a": 3 });
  assert.deepEqual(rows, [
    ["a", { issued: 3, redeemed: 1, expired: 0, revoked: 0 }],
    ["b", { issued: 2, redeemed: 0, expired: 0, revoked: 0 }],
  ]);
});

test("a step over time has a part for each channel, and what has none is a part of its own", () => {
  const days = [
    { date: "2026-05-04", sent: 5, "channel.email.sent": 3, "channel.link.sent": 2 },
    { date: WEDNESDAY, sent: 4, "channel.email.sent": 1, "channel.link.sent": 1 },
  ];
  const parts = (unit, channel = "") => byChannel(days, "sent", unit, channel).parts;
  assert.deepEqual(parts("day"), [
    { channel: "email", values: [3, 0, 1] },
    { channel: "link", values: [2, 0, 1] },
    { channel: "unknown", values: [0, 0, 2] },
  ]);
  assert.deepEqual(parts("week", "link"), [{ channel: "link", values: [3] }]);
  assert.deepEqual(
    parts("week").map(({ values }) => values),
    [[4], [3], [2]],
  );
  const hours = byChannel([{ date: WEDNESDAY, "hour.7.invited": 2 }], "invited", "hour", "");
  assert.deepEqual(
    hours.parts.map(({ channel, values }) => [channel, values[7]]),
    [
      ["email", 0],
      ["link", 0],
      ["unknown", 2],
    ],
  );
  assert.deepEqual(byChannel([], "sent", "day", "").parts[0], { channel: "email", values: [] });
});

test("channels that only a later version knows come after those that are known", () => {
  const counts = { "channel.shop.sent": 1, "channel.link.sent": 1, "channel.link.invited": 1 };
  assert.deepEqual(channelsOf(counts), ["link", "shop"]);
});

test("a day, or a week, shows the newest version that came in force in it", () => {
  const days = [
    { date: WEDNESDAY, "release.9": 1, "release.10": 1 },
    { date: "2026-05-04", "release.2": 1 },
    { date: "2026-05-13", sent: 1 },
  ];
  assert.deepEqual(
    [...releasesOf(days, "day")],
    [
      ["2026-05-04", 2],
      [WEDNESDAY, 10],
    ],
  );
  assert.deepEqual([...releasesOf(days, "week")], [["2026-05-04", 10]]);
});

test("a CSV has a row a day and nothing where nothing was counted", () => {
  assert.equal(
    csvOf([{ date: WEDNESDAY, sent: 2, "release.3": 1 }, { date: "2026-05-07" }], ["sent"]),
    "date,version,sent\r\n2026-05-06,3,2\r\n2026-05-07,,0\r\n",
  );
});
