/**
 * The language of the page, and its texts.
 *
 * Owns which language is current and how a text is made from its key: plural forms, {places},
 * French spacing. page-text.js puts texts on the page. The texts are in texts/, one file per
 * language, with the same keys in each.
 */

import { texts as en } from "../texts/en.js";
import { texts as fr } from "../texts/fr.js";

/** @typedef {"fr" | "en"} Language */
/** @typedef {keyof typeof en} TextKey */
/** @typedef {string | number | null | undefined} Value */
/**
 * What the {places} of a text are filled with. A function is called each time the text is made, so
 * that what it returns can follow the language.
 * @typedef {Record<string, Value | (() => Value)>} Values
 */

/** @type {Record<Language, Record<TextKey, string | {one: string, other: string}>>} */
const textsByLanguage = { fr, en };
const localeByLanguage = { fr: "fr-FR", en: "en-GB" };
const storageKey = "tandem.language";
const NO_BREAK_SPACE = "\u00a0";

/** @type {Language} */
let language = storedLanguage() ?? preferredLanguage(navigator.languages ?? [navigator.language]);

/**
 * @param {string | null | undefined} name
 * @returns {name is Language}
 */
function isLanguage(name) {
  return name === "fr" || name === "en";
}

function storedLanguage() {
  try {
    const stored = localStorage.getItem(storageKey);
    return isLanguage(stored) ? stored : null;
  } catch {
    return null; // Storage may be switched off; the choice then lasts as long as the page.
  }
}

/**
 * The first language of the reader's that the pages are written in, else English.
 *
 * @param {readonly string[]} tags language tags, best first
 * @returns {Language}
 */
export function preferredLanguage(tags) {
  return tags.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? "en";
}

/** The current language. */
export function currentLanguage() {
  return language;
}

/** The locale to give to Intl for dates and numbers. */
export function currentLocale() {
  return localeByLanguage[language];
}

/**
 * Makes `chosen` the current language, on this page and on those opened later. Ignores the name of
 * a language that the pages are not written in.
 *
 * @param {string | null} chosen
 */
export function chooseLanguage(chosen) {
  if (!isLanguage(chosen)) return;
  language = chosen;
  try {
    localStorage.setItem(storageKey, chosen);
  } catch {
    // See storedLanguage().
  }
}

/**
 * Whether there is a text with that key.
 *
 * @param {string} key
 * @returns {key is TextKey}
 */
export function hasText(key) {
  return Object.hasOwn(textsByLanguage[language], key);
}

/**
 * The text with that key, in the current language, its {places} filled from `values`. A text with
 * plural forms (`{one, other}`) takes the form for `values.count`.
 *
 * @param {TextKey} key
 * @param {Values} [values]
 * @returns {string}
 */
export function getText(key, values = {}) {
  const found = textsByLanguage[language][key];
  if (found === undefined) {
    console.error(`no text "${key}" in ${language}`);
    return key;
  }
  const chosen = typeof found === "string" ? found : pluralForm(found, resolve(values.count));
  const spaced = language === "fr" ? withFrenchSpaces(chosen) : chosen;
  return spaced.replace(/\{(\w+)\}/g, (_, name) => formatValue(resolve(values[name])));
}

/**
 * @param {{one: string, other: string}} forms
 * @param {Value} count
 */
function pluralForm(forms, count) {
  const category = new Intl.PluralRules(currentLocale()).select(Number(count));
  return category === "one" ? forms.one : forms.other;
}

/**
 * French has a space before double punctuation and inside quotation marks, at which no line may
 * break.
 *
 * @param {string} french
 */
function withFrenchSpaces(french) {
  return french.replace(/ ([?!:;»])/g, `${NO_BREAK_SPACE}$1`).replace(/« /g, `«${NO_BREAK_SPACE}`);
}

/** @param {Value | (() => Value)} value */
function resolve(value) {
  return typeof value === "function" ? value() : value;
}

/** @param {Value} value */
function formatValue(value) {
  if (typeof value === "number") return new Intl.NumberFormat(currentLocale()).format(value);
  return String(value ?? "");
}

/**
 * The language to show a campaign's own text in: the current one, else the first there is.
 *
 * @param {CampaignTexts} texts
 */
export function campaignTextLanguage(texts) {
  return Object.hasOwn(texts, language) ? language : Object.keys(texts)[0];
}

/**
 * A campaign's own text, in that language.
 *
 * @param {CampaignTexts} texts
 */
export function campaignText(texts) {
  return texts[campaignTextLanguage(texts)] ?? "";
}
