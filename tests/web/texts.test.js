import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { texts as en } from "../../web/texts/en.js";
import { texts as fr } from "../../web/texts/fr.js";

const WEB = new URL("../../web/", import.meta.url);
const LANGUAGES = { en, fr };
/** Keys made of a family and a name from the API: `count.invited`. */
const COMPOSED = /^(problem|field-error|refusal|count|list|invitations|vouchers|landing)\./;

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

test("both languages have the same keys, in the same order", () => {
  assert.deepEqual(Object.keys(fr), Object.keys(en));
});

test("both languages have the same places and plural forms in each text", () => {
  const places = (text) => new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []));
  for (const key of Object.keys(en)) {
    assert.deepEqual(places(fr[key]), places(en[key]), key);
    assert.equal(typeof fr[key], typeof en[key], key);
    if (typeof en[key] === "object") assert.deepEqual(Object.keys(fr[key]), Object.keys(en[key]));
  }
});

test("every key in the pages has a text, and every text is used", () => {
  const html = sources(".html");
  const inPages = [...html.matchAll(/(?:data-text|data-label)="([a-z][^"]*)"/g)];
  const titles = [...html.matchAll(/set title = "([^"]+)"/g)];
  assert.ok(inPages.length > 50);
  assert.equal(titles.length, 6);
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
