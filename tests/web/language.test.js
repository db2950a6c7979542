import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  campaignText,
  campaignTextLanguage,
  chooseLanguage,
  currentLanguage,
  currentLocale,
  getText,
  hasText,
  preferredLanguage,
} from "../../web/shared/language.js";

beforeEach(() => chooseLanguage("en"));

test("the first of the reader's languages that we have is used, else English", () => {
  assert.equal(preferredLanguage(["de-DE", "fr-CA", "en"]), "fr");
  assert.equal(preferredLanguage(["EN_us", "fr"]), "en");
  assert.equal(preferredLanguage(["de", "constructor"]), "en");
  assert.equal(preferredLanguage([]), "en");
});

test("a choice changes the language and the locale, and one we do not have changes nothing", () => {
  chooseLanguage("fr");
  assert.equal(currentLanguage(), "fr");
  assert.equal(currentLocale(), "fr-FR");
  for (const unknown of ["de", "toString", null]) chooseLanguage(unknown);
  assert.equal(currentLanguage(), "fr");
});

test("a choice is stored, and read by the next page", async () => {
  const stored = new Map();
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  try {
    chooseLanguage("fr");
    const nextPage = await import("../../web/shared/language.js?next-page");
    assert.equal(nextPage.currentLanguage(), "fr");
    stored.set("tandem.language", "toString");
    const another = await import("../../web/shared/language.js?another-page");
    assert.equal(another.currentLanguage(), another.preferredLanguage(navigator.languages));
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

test("French never breaks a line before double punctuation or inside quotation marks", () => {
  const title = "Invitez";
  chooseLanguage("fr");
  assert.equal(getText("decline.title"), "Refuser cette invitation\u00a0?");
  assert.match(getText("landing.paused.text", { title }), /«\u00a0Invitez\u00a0»/u);
});

test("a key without a text is shown as it is, and reported", (context) => {
  const error = context.mock.method(console, "error", () => {});
  assert.equal(getText("no.such"), "no.such");
  assert.equal(error.mock.callCount(), 1);
  assert.equal(hasText("no.such"), false);
  assert.equal(hasText("toString"), false);
  assert.equal(hasText("decline.title"), true);
});

test("a campaign's text is in the page's language, else in the campaign's first", () => {
  const texts = { de: "Hallo", fr: "Bonjour" };
  assert.equal(campaignText(texts), "Hallo");
  assert.equal(campaignTextLanguage(texts), "de");
  chooseLanguage("fr");
  assert.equal(campaignText(texts), "Bonjour");
  assert.equal(campaignText({}), "");
});
