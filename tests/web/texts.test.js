import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);
const LANGUAGES = {};
for (const file of readdirSync(new URL("texts/", WEB))) {
  const { texts } = await import(new URL(`texts/${file}`, WEB));
  LANGUAGES[file.replace(".js", "")] = texts;
}
const { en, fr } = LANGUAGES;
/** Keys made of a family and a name from the API: `count.invited`. */
const COMPOSED = /^(problem|field-error|refusal|buyer|count|list|watch|invitations|vouchers|landing)\./;

/** Every form of a text. */
function forms(text) {
  return typeof text === "string" ? [text] : Object.values(text);
}

function sources(suffix) {
  return readdirSync(WEB, { recursive: true })
    .filter((name) => name.endsWith(suffix) && !name.startsWith("texts"))
    .map((name) => readFileSync(new URL(name, WEB), "utf-8"))
    .join("\n");
}

test("all languages have the same keys, in the same order", () => {
  assert.ok(Object.keys(LANGUAGES).length >= 2);
  for (const [language, texts] of Object.entries(LANGUAGES)) {
    assert.deepEqual(Object.keys(texts), Object.keys(en), language);
  }
});

test("all languages have the same places in each text, and plural forms of the same texts", () => {
  const places = (text) => new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []));
  for (const [language, texts] of Object.entries(LANGUAGES)) {
    for (const key of Object.keys(en)) {
      assert.deepEqual(places(texts[key]), places(en[key]), `${language} ${key}`);
      assert.equal(typeof texts[key], typeof en[key], `${language} ${key}`);
    }
  }
});

test("every key in the pages has a text, and every text is used", () => {
  const html = sources(".html");
  const inPages = [...html.matchAll(/(?:data-text|data-label)="([a-z][^"]*)"/g)];
  const titles = [...html.matchAll(/set title = "([^"]+)"/g)];
  assert.ok(inPages.length > 50);
  assert.equal(titles.length, 8);
  for (const [, key] of [...inPages, ...titles]) assert.ok(Object.hasOwn(en, key), key);
  const everything = html + sources(".js");
  const unused = Object.keys(en).filter(
    (key) => !COMPOSED.test(key) && !everything.includes(`"${key}"`),
  );
  assert.deepEqual(unused, []);
});

test("texts have typographic apostrophes, quotation marks and ellipses", () => {
  for (const [language, texts] of Object.entries(LANGUAGES)) {
    for (const [key, text] of Object.entries(texts)) {
      for (const form of forms(text)) {
        assert.doesNotMatch(form, /['"]|\.\.\.| {2}|^\s|\s$/u, `${language} ${key}`);
      }
    }
  }
});

test("French has a space before double punctuation and inside quotation marks", () => {
  for (const [key, text] of Object.entries(fr)) {
    for (const form of forms(text)) assert.doesNotMatch(form, /[^ ][?!:;»]|«[^ ]/u, key);
  }
});
