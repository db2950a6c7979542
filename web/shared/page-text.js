/**
 * Texts on the page, and the switch between languages.
 *
 * Whatever is put on the page with `setText`, `setCampaignText` or a `data-text` attribute is
 * written again when the language changes, so that no page needs to rebuild itself.
 */

import {
  campaignText,
  campaignTextLanguage,
  chooseLanguage,
  currentLanguage,
  getText,
} from "./language.js";

/** @typedef {import("./language.js").TextKey} TextKey */
/** @typedef {import("./language.js").Values} Values */

/**
 * How to write an element's text in the current language; `lang` where the text has another one.
 * @type {WeakMap<Element, () => {text: string, lang?: string}>}
 */
const writers = new WeakMap();
/** @type {(() => unknown)[]} */
const languageListeners = [];

/**
 * Puts a text in `element`, now and after each change of language. Returns `element`.
 *
 * @template {Element} T
 * @param {T} element
 * @param {TextKey} key
 * @param {Values} [values]
 */
export function setText(element, key, values) {
  setWriter(element, () => ({ text: getText(key, values) }));
  return element;
}

/**
 * Puts a campaign's own text in `element`, now and after each change of language.
 *
 * @param {HTMLElement} element
 * @param {CampaignTexts} texts
 */
export function setCampaignText(element, texts) {
  setWriter(element, () => ({ text: campaignText(texts), lang: campaignTextLanguage(texts) }));
}

/**
 * Empties `element` for good: a change of language leaves it empty.
 *
 * @param {Element} element
 */
export function clear(element) {
  element.removeAttribute("data-text");
  element.textContent = "";
}

/**
 * Calls `listener` after each change of language: for what `setText` cannot do.
 *
 * @param {() => unknown} listener
 */
export function onLanguageChange(listener) {
  languageListeners.push(listener);
}

/**
 * @param {Element} element
 * @param {() => {text: string, lang?: string}} writer
 */
function setWriter(element, writer) {
  writers.set(element, writer);
  element.setAttribute("data-text", "");
  write(element);
}

/** @param {Element} element */
function write(element) {
  const writer = writers.get(element);
  if (!writer) {
    element.textContent = getText(textKeyIn(element, "data-text"));
    return;
  }
  const { text, lang } = writer();
  element.textContent = text;
  if (lang && lang !== currentLanguage()) element.setAttribute("lang", lang);
  else element.removeAttribute("lang");
}

/**
 * tests/web/test_texts.py checks that every key in the pages has its text.
 *
 * @param {Element} element
 * @param {string} attribute
 */
function textKeyIn(element, attribute) {
  return /** @type {TextKey} */ (element.getAttribute(attribute));
}

function writeAll() {
  document.documentElement.lang = currentLanguage();
  for (const element of document.querySelectorAll("[data-text]")) write(element);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", getText(textKeyIn(element, "data-label")));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    const isCurrent = button.getAttribute("data-language") === currentLanguage();
    button.setAttribute("aria-pressed", String(isCurrent));
  }
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    chooseLanguage(button.getAttribute("data-language"));
    writeAll();
    for (const listener of languageListeners) listener();
  });
}
writeAll();
