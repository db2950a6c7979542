/**
 * Texts on the page, their language, and the switch between languages.
 *
 * The texts of one language are fetched when the page opens, beside whatever the page asks of the
 * API, and those of another when the reader switches. Whatever is put on the page with `setText`,
 * `setCampaignText` or a `data-text` attribute is written when they are there, and again when the
 * language changes, so that no page needs to rebuild itself or to wait.
 *
 * The language is that of the link (`?lang=`), else the reader's choice on an earlier page, else the
 * browser's, as far as the campaign has it; else the campaign's first.
 */

import {
  campaignText,
  campaignTextLanguage,
  currentLanguage,
  getText,
  hasTexts,
  preferredLanguage,
  storeLanguage,
  storedLanguage,
  useLanguage,
} from "./language.js";
import { forgetApology, showApology, showAwaited } from "./states.js";

/** @typedef {import("./language.js").TextKey} TextKey */
/** @typedef {import("./language.js").Values} Values */
/** @typedef {{name: string, address: string, button: HTMLElement}} Language */

/**
 * How to write an element's text in the current language; `lang` where the text has another one.
 * @type {WeakMap<Element, () => {text: string, lang?: string}>}
 */
const writers = new WeakMap();
/** @type {(() => unknown)[]} */
const languageListeners = [];
/**
 * The languages that the page can be in.
 * @type {Language[]}
 */
let languages = [];
/** What was asked for last: an answer to anything else comes too late. */
let wanted = "";

/**
 * Puts a text in `element`, now and after each change of language. Returns `element`. A `key` that
 * is a function is called each time.
 *
 * @template {Element} T
 * @param {T} element
 * @param {TextKey | (() => TextKey)} key
 * @param {Values} [values]
 */
export function setText(element, key, values) {
  const keyOf = typeof key === "function" ? key : () => key;
  setWriter(element, () => ({ text: getText(keyOf(), values) }));
  return element;
}

/**
 * Puts what `make` returns in `element`, now and after each change of language: an amount, a number.
 *
 * @template {Element} T
 * @param {T} element
 * @param {() => string} make
 */
export function setValue(element, make) {
  setWriter(element, () => ({ text: make() }));
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
 * Calls `listener` when the texts are there and after each change of language: for what `setText`
 * cannot do.
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
  if (!hasTexts()) return;
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

/**
 * The page is about a campaign, which has some languages only: the switch offers no others.
 *
 * @param {string[]} names
 */
export function offerLanguages(names) {
  const offered = languages.filter(({ name }) => names.includes(name));
  if (!offered.length) return;
  for (const { name, button } of languages) button.hidden = !names.includes(name);
  const group = offered[0].button.parentElement;
  if (group) group.hidden = offered.length < 2;
  languages = [...offered].sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  choose(firstLanguage());
}

/** What the language is when the page opens. */
function firstLanguage() {
  const linked = new URLSearchParams(location.search).get("lang");
  const wishes = [chosen, linked, storedLanguage(), ...(navigator.languages ?? [])];
  return preferredLanguage(
    wishes,
    languages.map(({ name }) => name),
  );
}

/** @type {string | null} */
let chosen = null;
/** The reader's language, of all that pages have: the campaign may have others. */
let readers = "";

/**
 * Fetches the texts of a language and writes the page in it. Without them the page keeps the
 * language that it has; one that has none yet says that it cannot be shown.
 *
 * @param {string} name
 */
async function choose(name) {
  const language = languages.find((one) => one.name === name);
  if (!language || wanted === name) return;
  wanted = name;
  try {
    // As the preload of the edge asks for it, which the browser then takes.
    const response = await fetch(language.address, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const texts = await response.json();
    if (wanted !== name) return;
    useLanguage(name, texts);
    forgetApology();
  } catch {
    if (wanted !== name) return;
    wanted = currentLanguage();
    if (!hasTexts()) showApology(chosen ?? readers);
    return;
  }
  writeAll();
  for (const listener of languageListeners) listener();
  showAwaited();
}

function start() {
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll("[data-language]");
  languages = Array.from(buttons, (button) => ({
    name: button.getAttribute("data-language") ?? "",
    address: button.getAttribute("data-texts") ?? "",
    button,
  }));
  for (const { name, button } of languages) {
    button.addEventListener("click", () => {
      chosen = name;
      storeLanguage(name);
      return choose(name);
    });
  }
  if (!languages.length) return;
  readers = firstLanguage();
  choose(readers);
}

start();
