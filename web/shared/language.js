/**
 * The language of the page, and its texts.
 *
 * Owns which language is current and how a text is made from its key: plural forms, {places},
 * French spacing. page-text.js puts texts on the page. The texts are in texts/, one file per
 * language, with the same keys in each.
 */

import { texts as en } from "../texts/en.js";
import { texts as fr } from "../texts/fr.js";

/** @typedef {keyof typeof en} TextKey */
/**
 * A text, or its plural forms by the categories of Intl.PluralRules.
 * @typedef {string | (Partial<Record<Intl.LDMLPluralRule, string>> & {other: string})} Text
 */
/** @typedef {string | number | null | undefined} Value */
/**
 * What the {places} of a text are filled with. A function is called each time the text is made, so
 * that what it returns can follow the language.
 * @typedef {Record<string, Value | (() => Value)>} Values
 */

/**
 * The languages of the pages, and the locale that Intl formats dates and numbers with in each.
 * @satisfies {Record<string, {locale: string, texts: Record<TextKey, Text>}>}
 */
const LANGUAGES = {
  fr: { locale: "fr-FR", texts: fr },
  en: { locale: "en-GB", texts: en },
};
/** @typedef {keyof typeof LANGUAGES} Language */

const STORAGE_KEY = "tandem.language";
const NO_BREAK_SPACE = "\u00a0";

/** @type {Language} */
let language = storedLanguage() ?? preferredLanguage(navigator.languages ?? [navigator.language]);

/**
 * @param {string | null | undefined} name
 * @returns {name is Language}
 */
function isLanguage(name) {
  return typeof name === "string" && Object.hasOwn(LANGUAGES, name);
}

function storedLanguage() {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
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
  return LANGUAGES[language].locale;
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
    localStorage.setItem(STORAGE_KEY, chosen);
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
  return Object.hasOwn(LANGUAGES[language].texts, key);
}

/**
 * The text with that key, in the current language, its {places} filled from `values`. A text with
 * plural forms takes the one for `values.count`.
 *
 * @param {TextKey} key
 * @param {Values} [values]
 * @returns {string}
 */
export function getText(key, values = {}) {
  /** @type {Text | undefined} */
  const found = LANGUAGES[language].texts[key];
  if (found === undefined) {
    console.error(`no text "${key}" in ${language}`);
    return key;
  }
  const chosen = typeof found === "string" ? found : pluralForm(found, resolve(values.count));
  const spaced = language === "fr" ? withFrenchSpaces(chosen) : chosen;
  return spaced.replace(/\{(\w+)\}/g, (_, name) => formatValue(resolve(values[name])));
}

/**
 * @param {Exclude<Text, string>} forms
 * @param {Value} count
 */
function pluralForm(forms, count) {
  const category = new Intl.PluralRules(currentLocale()).select(Number(count));
  return forms[category] ?? forms.other;
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
