import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import {
  formatCount,
  formatDateTime,
  formatDay,
  formatMinute,
  formatMoney,
  formatPercent,
  formatShortDay,
} from "../../web/shared/format.js";

/** With ordinary spaces, whichever kind Intl chose. */
function plain(text) {
  return text.replace(/\s/gu, " ");
}

beforeEach(() => chooseLanguage("en"));

test("an ISO date is that day in every time zone", () => {
  for (const zone of [undefined, "Pacific/Auckland", "America/Los_Angeles"]) {
    assert.equal(formatDay("2026-12-31", zone), "31 December 2026");
    assert.equal(formatShortDay("2026-12-31", zone), "31/12/2026");
  }
});

test("an instant is the day it falls on in the campaign's time zone", () => {
  assert.equal(formatDay("2026-06-30T22:30:00Z", "Europe/Paris"), "1 July 2026");
  assert.equal(formatDay("2026-06-30T22:30:00Z", "Europe/London"), "30 June 2026");
  assert.equal(formatDay("2026-12-31T22:30:00Z", "Europe/Paris"), "31 December 2026");
});

test("French writes the first of a month as an ordinal, and no other day", () => {
  chooseLanguage("fr");
  assert.equal(formatDay("2026-08-01"), "1er août 2026");
  assert.equal(formatDay("2026-08-11"), "11 août 2026");
  assert.equal(formatDay("2026-08-21"), "21 août 2026");
});

test("an instant is shown to the second", () => {
  assert.equal(formatDateTime("2025-10-02T08:15:30Z", "Europe/Paris"), "2 Oct 2025, 10:15:30");
});

test("an instant is said to the minute where people read it", () => {
  assert.equal(formatMinute("2025-10-02T08:15:30Z", "Europe/Paris"), "2 October 2025 at 10:15");
  chooseLanguage("fr");
  assert.equal(formatMinute("2025-10-02T08:15:30Z", "Europe/Paris"), "2 octobre 2025 à 10:15");
});

test("what is not a date is shown as it is", () => {
  assert.equal(formatDay("soon"), "soon");
  assert.equal(formatDay(undefined), "");
});

test("whole amounts have no decimals, others have two", () => {
  assert.equal(formatMoney("10.00", "EUR"), "€10");
  assert.equal(formatMoney("7.50", "EUR"), "€7.50");
  chooseLanguage("fr");
  assert.equal(plain(formatMoney("1234.50", "EUR")), "1 234,50 €");
});

test("counts are grouped as the language does", () => {
  assert.equal(formatCount(200_000), "200,000");
  assert.equal(formatCount(undefined), "0");
  chooseLanguage("fr");
  assert.equal(plain(formatCount(200_000)), "200 000");
});

test("a percentage has one decimal at most, and none is made of nothing", () => {
  assert.equal(formatPercent(412, 1240), "33.2%");
  assert.equal(formatPercent(1, 2), "50%");
  assert.equal(formatPercent(3, 0), "–");
  assert.equal(formatPercent(3, undefined), "–");
});
