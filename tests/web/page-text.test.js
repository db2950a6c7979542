import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { readTexts } from "./catalogues.js";
import { emptyPage, put } from "./document.js";

/** The page's switch; the module wires it when it is loaded. */
const group = put("div", { "data-label": "page.language" });
function languageButton(name) {
  const button = put("button", { "data-language": name, "data-texts": `/${name}.json` });
  button.parentElement = group;
  return button;
}
const [french, english, polish] = ["fr", "en", "pl"].map(languageButton);
const note = put("p", { "data-text": "vouchers.none" });
const fetched = [];
/** What the front answers. */
let answer = async (url) => ({
  ok: true,
  json: async () => readTexts(url === "/fr.json" ? "fr" : "en"),
});
globalThis.location = new URL("https://tandem.example/?lang=en");
globalThis.fetch = (url) => {
  fetched.push(url);
  return answer(url);
};
const { clear, offerLanguages, onLanguageChange, setCampaignText, setText } = await import(
  "../../web/shared/page-text.js"
);

beforeEach(() => english.click());

test("texts and labels in the page are written, and again in the language chosen", async () => {
  assert.deepEqual(fetched, ["/en.json"]);
  assert.equal(group.getAttribute("aria-label"), "Language");
  assert.match(note.textContent, /^No vouchers yet/);
  await french.click();
  assert.equal(group.getAttribute("aria-label"), "Langue");
  assert.match(note.textContent, /^Aucun bon d’achat/);
  assert.equal(document.documentElement.lang, "fr");
  assert.equal(french.getAttribute("aria-pressed"), "true");
  assert.equal(english.getAttribute("aria-pressed"), "false");
});

test("a text that was set follows the language with its values, until it is cleared", async () => {
  const greeting = put("h1");
  assert.equal(setText(greeting, "sponsor.greeting", { name: "Camille" }), greeting);
  assert.equal(greeting.textContent, "Hello Camille");
  await french.click();
  assert.equal(greeting.textContent, "Bonjour Camille");
  clear(greeting);
  await english.click();
  assert.equal(greeting.textContent, "");
});

test("a campaign's text in another language than the page says which", async () => {
  const offer = put("p");
  setCampaignText(offer, { fr: "10 € offerts" });
  assert.equal(offer.textContent, "10 € offerts");
  assert.equal(offer.getAttribute("lang"), "fr");
  await french.click();
  assert.equal(offer.getAttribute("lang"), null);
});

test("listeners are called once the page is in the new language", async () => {
  const heard = [];
  onLanguageChange(() => heard.push(note.textContent.slice(0, 5)));
  await french.click();
  assert.deepEqual(heard, ["Aucun"]);
});

test("a language whose texts do not come leaves the page as it is, and may be tried again", async () => {
  const working = answer;
  answer = async () => ({ ok: false, status: 503 });
  await french.click();
  assert.equal(document.documentElement.lang, "en");
  answer = () => Promise.reject(new TypeError("offline"));
  await french.click();
  assert.equal(document.documentElement.lang, "en");
  answer = working;
  await french.click();
  assert.equal(document.documentElement.lang, "fr");
});

test("the language pressed last is shown, whichever comes first", async () => {
  const working = answer;
  let release;
  answer = (url) =>
    url === "/fr.json" ? new Promise((done) => (release = () => done(working(url)))) : working(url);
  const first = french.click();
  await polish.click();
  release();
  await first;
  answer = working;
  assert.equal(document.documentElement.lang, "pl");
});

test("only the languages of the campaign are offered, and its first is taken for another", async () => {
  await polish.click();
  offerLanguages(["de"]);
  assert.equal(french.hidden, false);
  offerLanguages(["fr", "en"]);
  assert.deepEqual([french.hidden, english.hidden, polish.hidden], [false, false, true]);
  assert.ok(!group.hidden);
  await new Promise(setImmediate);
  assert.equal(document.documentElement.lang, "en"); // The link says so, the choice is not offered.
  offerLanguages(["fr"]);
  assert.equal(group.hidden, true);
  await new Promise(setImmediate);
  assert.equal(document.documentElement.lang, "fr");
  emptyPage();
});
