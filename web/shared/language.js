/**
 * The language of the page: which one, its texts, and the switch between them.
 *
 * Whatever is put on the page with `say`, `sayIn` or a `data-text` attribute is said again when the
 * language changes, so no page needs to rebuild itself. The texts are in /texts/, one file per
 * language.
 */

import { texts as en } from "/texts/en.js";
import { texts as fr } from "/texts/fr.js";

const books = { fr, en };
const regions = { fr: "fr-FR", en: "en-GB" };
const choiceKey = "tandem.language";
const composers = new WeakMap();
const listeners = [];

let current = chosen() ?? preferred();

function chosen() {
  try {
    const choice = localStorage.getItem(choiceKey);
    return choice in books ? choice : null;
  } catch {
    return null; // Storage may be switched off; the switch then lasts as long as the page.
  }
}

function preferred() {
  const tags = navigator.languages ?? [navigator.language];
  return tags.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in books) ?? "en";
}

/** The language in force: "fr" or "en". */
export function language() {
  return current;
}

/** The tag to give to Intl for dates and numbers. */
export function region() {
  return regions[current];
}

/** True when there is a text of that name. */
export function hasText(key) {
  return key in books[current];
}

/**
 * The text of that name, its {places} filled from `values`. A value may be a function, asked at
 * each telling. A text with plural forms (`{one, other}`) takes the form for `values.count`.
 */
export function text(key, values = {}) {
  let found = books[current][key];
  if (found === undefined) {
    console.error(`no text "${key}" in ${current}`);
    return key;
  }
  if (typeof found === "object") {
    found = found[new Intl.PluralRules(region()).select(valueOf(values.count))] ?? found.other;
  }
  // French puts a no-break space before double punctuation.
  if (current === "fr") {
    found = found.replace(/ ([?!:;»])/g, "\u00a0$1").replace(/« /g, "«\u00a0");
  }
  return found.replace(/\{(\w+)\}/g, (_, name) => shown(valueOf(values[name])));
}

function valueOf(value) {
  return typeof value === "function" ? value() : value;
}

function shown(value) {
  if (typeof value === "number") return new Intl.NumberFormat(region()).format(value);
  return String(value ?? "");
}

/** Puts the text of that name in `node`, now and after each change of language. */
export function say(node, key, values) {
  compose(node, () => ({ words: text(key, values) }));
  return node;
}

/** Puts what `words()` answers in `node`, now and after each change of language. */
export function sayWith(node, words) {
  compose(node, () => ({ words: words() }));
  return node;
}

/**
 * Puts a campaign's own text (`{fr, en, …}`) in `node`: the page's language, else the first there
 * is.
 */
export function sayIn(node, wordings) {
  compose(node, () => {
    const spoken = current in wordings ? current : Object.keys(wordings)[0];
    return { words: wordings[spoken] ?? "", lang: spoken };
  });
  return node;
}

/** The campaign's own text in the page's language, else in the first there is. */
export function wording(wordings) {
  return wordings[current] ?? Object.values(wordings)[0] ?? "";
}

/** Empties `node` and forgets what it said. */
export function hush(node) {
  composers.delete(node);
  node.removeAttribute("data-text");
  node.textContent = "";
}

function compose(node, composer) {
  composers.set(node, composer);
  node.setAttribute("data-text", "");
  tell(node);
}

function tell(node) {
  const composer = composers.get(node);
  if (!composer) {
    node.textContent = text(node.getAttribute("data-text"));
    return;
  }
  const { words, lang } = composer();
  node.textContent = words;
  if (lang && lang !== current) node.lang = lang;
  else node.removeAttribute("lang");
}

function tellAll() {
  document.documentElement.lang = current;
  for (const node of document.querySelectorAll("[data-text]")) tell(node);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", text(node.getAttribute("data-label")));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-language") === current));
  }
}

/** Calls `listener` after each change of language: for what `say` cannot carry. */
export function onLanguage(listener) {
  listeners.push(listener);
}

function change(to) {
  current = to;
  try {
    localStorage.setItem(choiceKey, to);
  } catch {
    // See chosen().
  }
  tellAll();
  for (const listener of listeners) listener();
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => change(button.getAttribute("data-language")));
}
tellAll();
