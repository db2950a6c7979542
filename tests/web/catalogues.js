/** The texts of the pages for tests without a browser: test_scripts.py has them written before. */

import { readFileSync } from "node:fs";

import { useLanguage } from "../../web/shared/language.js";

/** Every text of a language, as a page fetches it. */
export function readTexts(name) {
  return JSON.parse(readFileSync(`${process.env.TANDEM_TEXTS}/${name}.json`, "utf-8"));
}

/** Makes `name` the language of the page. */
export function chooseLanguage(name) {
  useLanguage(name, readTexts(name));
}
