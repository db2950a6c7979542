import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import {
  campaignText,
  campaignTextLanguage,
  currentLanguage,
  currentLocale,
  getText,
  hasText,
  hasTexts,
  preferredLanguage,
  storeLanguage,
  storedLanguage,
} from "../../web/shared/language.js";

test("before there are texts every text is empty, and none is missing", (context) => {
  const error = context.mock.method(console, "error", () => {});
  assert.equal(hasTexts(), false);
  assert.equal(getText("declined.title"), "");
  assert.equal(hasText("declined.title"), false);
  assert.equal(error.mock.callCount(), 0);
  chooseLanguage("en");
  assert.equal(hasTexts(), true);
});

beforeEach((context) => {
  if (!context.name.startsWith("before there are texts")) chooseLanguage("en");
});

test("the first wish that the page can be in is used, else the page's first language", () => {
  const languages = ["fr", "en", "pl"];
  assert.equal(preferredLanguage([null, "de-DE", "pl-PL", "en"], languages), "pl");
  assert.equal(preferredLanguage([undefined, "EN_us", "fr"], languages), "en");
  assert.equal(preferredLanguage(["de", "constructor"], languages), "fr");
  assert.equal(preferredLanguage([], languages), "fr");
});

test("English is formatted as in Britain, the others as the language is", () => {
  assert.equal(currentLocale(), "en-GB");
  chooseLanguage("fr");
  assert.equal(currentLanguage(), "fr");
  assert.equal(currentLocale(), "fr");
});

test("a choice is stored, and read by the next page, as far as the browser stores anything", () => {
  const stored = new Map();
  assert.equal(storedLanguage(), null);
  storeLanguage("fr");
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  try {
    storeLanguage("fr");
    assert.equal(storedLanguage(), "fr");
  } finally {
    delete globalThis.localStorage;
  }
});

test("places are filled, numbers as the language writes them", () => {
  const values = { campaign: "demo", version: 1234 };
  assert.equal(getText("dashboard.connected", values), "Campaign demo, version 1,234");
  chooseLanguage("fr");
  assert.match(getText("dashboard.connected", values), /^Campagne demo, version 1\s234$/u);
});

test("a value may be a function, called each time the text is made", () => {
  const values = { name: () => (currentLanguage() === "fr" ? "Jeanne" : "Jane") };
  assert.equal(getText("sponsor.greeting", values), "Hello Jane");
  chooseLanguage("fr");
  assert.equal(getText("sponsor.greeting", values), "Bonjour Jeanne");
});

test("a value is never read as a place or as markup", () => {
  assert.equal(getText("sponsor.greeting", { name: "{brand} $& <b>" }), "Hello {brand} $& <b>");
  assert.equal(getText("sponsor.greeting", { name: null }), "Hello ");
});

test("the plural form follows the language: zero is singular in French", () => {
  const quota = (count) => getText("inviting.quota", { count });
  assert.equal(quota(1), "You can invite one more person.");
  assert.equal(quota(0), "You can invite 0 more people.");
  chooseLanguage("fr");
  assert.equal(quota(0), quota(1));
  assert.equal(quota(2), "Vous pouvez encore inviter 2 personnes.");
  assert.match(quota(1_000_000), /1\s000\s000 personnes/u); // French has a third form for millions.
});

test("a key without a text is shown as it is, and reported", (context) => {
  const error = context.mock.method(console, "error", () => {});
  assert.equal(getText("no.such"), "no.such");
  assert.equal(error.mock.callCount(), 1);
  assert.equal(hasText("no.such"), false);
  assert.equal(hasText("toString"), false);
  assert.equal(hasText("declined.title"), true);
});

test("a campaign's text is in the page's language, else in the campaign's first", () => {
  const texts = { de: "Hallo", fr: "Bonjour" };
  assert.equal(campaignText(texts), "Hallo");
  assert.equal(campaignTextLanguage(texts), "de");
  chooseLanguage("fr");
  assert.equal(campaignText(texts), "Bonjour");
  assert.equal(campaignText({}), "");
});
