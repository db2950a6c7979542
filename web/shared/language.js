/**
 * The language of the page, and its texts.
 *
 * Owns which language is current and how a text is made from its key: plural forms and {places}.
 * page-text.js fetches the texts and puts them on the page; before they are there every text is
 * empty. Which languages there are is up to the page: its buttons name them.
 */

/** @typedef {PageTextKey} TextKey */
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

const STORAGE_KEY = "tandem.language";
/** Where a language is written in several ways, the one that dates and numbers are written in. */
const REGIONS = /** @type {Record<string, string>} */ ({ en: "en-GB" });

let language = "en";
/** @type {Record<string, Text> | null} */
let texts = null;

/** The reader's choice on an earlier page, if any. */
export function storedLanguage() {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // Storage may be switched off; the choice then lasts as long as the page.
  }
}

/** @param {string} chosen */
export function storeLanguage(chosen) {
  try {
    localStorage.setItem(STORAGE_KEY, chosen);
  } catch {
    // See storedLanguage().
  }
}

/**
 * The first of `wishes` that is one of `languages`, else the first of these.
 *
 * @param {readonly (string | null | undefined)[]} wishes language tags, best first
 * @param {readonly string[]} languages
 */
export function preferredLanguage(wishes, languages) {
  const names = wishes.map((tag) => tag?.slice(0, 2).toLowerCase() ?? "");
  return names.find((name) => languages.includes(name)) ?? languages[0];
}

/** The current language. */
export function currentLanguage() {
  return language;
}

/** The locale to give to Intl for dates and numbers. */
export function currentLocale() {
  return REGIONS[language] ?? language;
}

/** Whether there are texts yet. */
export function hasTexts() {
  return texts !== null;
}

/**
 * Makes `name` the current language, with its texts.
 *
 * @param {string} name
 * @param {Record<string, Text>} its
 */
export function useLanguage(name, its) {
  language = name;
  texts = its;
}

/**
 * Whether there is a text with that key.
 *
 * @param {string} key
 * @returns {key is TextKey}
 */
export function hasText(key) {
  return texts !== null && Object.hasOwn(texts, key);
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
  if (!texts) return "";
  if (!hasText(key)) {
    console.error(`no text "${key}" in ${language}`);
    return key;
  }
  const found = texts[key];
  const chosen = typeof found === "string" ? found : pluralForm(found, resolve(values.count));
  return chosen.replace(/\{(\w+)\}/g, (_, name) => formatValue(resolve(values[name])));
}

/**
 * @param {Exclude<Text, string>} forms
 * @param {Value} count
 */
function pluralForm(forms, count) {
  const category = new Intl.PluralRules(currentLocale()).select(Number(count));
  return forms[category] ?? forms.other;
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
 * @param {CampaignTexts} own
 */
export function campaignTextLanguage(own) {
  return Object.hasOwn(own, language) ? language : Object.keys(own)[0];
}

/**
 * A campaign's own text, in that language.
 *
 * @param {CampaignTexts} own
 */
export function campaignText(own) {
  return own[campaignTextLanguage(own)] ?? "";
}
