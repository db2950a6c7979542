import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { emptyPage, put } from "./document.js";

/** The page's switch; the module wires it when it is loaded. */
const french = put("button", { "data-language": "fr" });
const english = put("button", { "data-language": "en" });
const note = put("p", { "data-text": "vouchers.none" });
const group = put("div", { "data-label": "page.language" });
const { clear, onLanguageChange, setCampaignText, setText } = await import(
  "../../web/shared/page-text.js"
);

beforeEach(() => english.click());

test("texts and labels in the page are written, and again in the language chosen", () => {
  assert.equal(group.getAttribute("aria-label"), "Language");
  assert.match(note.textContent, /^No vouchers yet/);
  french.click();
  assert.equal(group.getAttribute("aria-label"), "Langue");
  assert.match(note.textContent, /^Aucun bon d’achat/);
  assert.equal(document.documentElement.lang, "fr");
  assert.equal(french.getAttribute("aria-pressed"), "true");
  assert.equal(english.getAttribute("aria-pressed"), "false");
});

test("a text that was set follows the language with its values, until it is cleared", () => {
  const greeting = put("h1");
  assert.equal(setText(greeting, "sponsor.greeting", { name: "Camille" }), greeting);
  assert.equal(greeting.textContent, "Hello Camille");
  french.click();
  assert.equal(greeting.textContent, "Bonjour Camille");
  clear(greeting);
  english.click();
  assert.equal(greeting.textContent, "");
});

test("a campaign's text in another language than the page says which", () => {
  const offer = put("p");
  setCampaignText(offer, { fr: "10 € offerts" });
  assert.equal(offer.textContent, "10 € offerts");
  assert.equal(offer.getAttribute("lang"), "fr");
  french.click();
  assert.equal(offer.getAttribute("lang"), null);
});

test("listeners are called once the page is in the new language", () => {
  const heard = [];
  onLanguageChange(() => heard.push(note.textContent.slice(0, 5)));
  french.click();
  assert.deepEqual(heard, ["Aucun"]);
  emptyPage();
});
