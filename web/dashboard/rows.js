/**
 * The parts of the dashboard's tables: named rows, counts, and what a count means.
 *
 * A name that has a definition gets a `?`, which shows it in the one box that the page has for it.
 */

import { byId, createElement } from "../shared/elements.js";
import { formatCount } from "../shared/format.js";
import { getText, hasText } from "../shared/language.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/**
 * A text, or the key of one that has a definition.
 * @typedef {string | {key: string}} Heading
 */

/**
 * The text with that key. What is newer than the pages has none yet: its own name is made readable.
 *
 * @param {string} key
 */
export function nameOf(key) {
  return hasText(key) ? getText(key) : key.slice(key.indexOf(".") + 1).replaceAll("_", " ");
}

/**
 * The `?` beside a name; nothing where it has no definition.
 *
 * @param {string} key of the name
 * @returns {(Node | string)[]}
 */
export function helpFor(key) {
  const definition = `definition.${key}`;
  if (!hasText(definition)) return [];
  const name = nameOf(key);
  const button = createElement(
    "button",
    {
      type: "button",
      class: "help",
      popovertarget: "definition",
      "data-of": key,
      "aria-label": getText("dashboard.define", { name }),
    },
    "?",
  );
  button.addEventListener("click", () => {
    byId("definition-of").textContent = name;
    byId("definition-text").textContent = getText(definition);
    const { left, bottom } = button.getBoundingClientRect();
    const { style } = byId("definition");
    style.left = `min(${Math.max(0, left)}px, 100vw - 20rem)`;
    style.top = `min(${bottom + 6}px, 100vh - 10rem)`;
  });
  return [" ", button];
}

/** Puts a `?` beside each title that asks for one. */
export function drawTitleHelp() {
  for (const place of document.querySelectorAll("[data-help]")) {
    place.replaceChildren(...helpFor(place.getAttribute("data-help") ?? ""));
  }
}

/** A screen reader goes on from the definition, and comes back from it to its `?`. */
export function prepareDefinitions() {
  const box = byId("definition");
  box.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "open") box.focus();
  });
}

/**
 * The cell that names a row. Its `?` is no part of the name.
 *
 * @param {string} text
 * @param {string} [key] of what has a definition
 */
export function rowName(text, key) {
  const help = key ? helpFor(key) : [];
  /** @type {Record<string, string>} */
  const named = help.length ? { "aria-label": text } : {};
  return createElement("th", { scope: "row", ...named }, text, ...help);
}

/** @param {string | number | undefined} value */
export function numberCell(value) {
  return createElement("td", { class: "number" }, formatCount(Number(value ?? 0)));
}

/** @param {string} text */
export function textCell(text) {
  return createElement("td", { class: "number" }, text);
}

/** @param {Heading} heading */
function headingCell(heading) {
  if (typeof heading === "string") return createElement("th", { scope: "col" }, heading);
  const [text, help] = [nameOf(heading.key), helpFor(heading.key)];
  /** @type {Record<string, string>} */
  const named = help.length ? { "aria-label": text } : {};
  return createElement("th", { scope: "col", ...named }, text, ...help);
}

/**
 * @param {string} id
 * @param {Heading[]} headings
 * @param {HTMLElement[]} rows
 */
export function fillTable(id, headings, rows) {
  const cells = headings.map((heading) => headingCell(heading));
  // A heading stands over its numbers.
  for (const [at, cell] of [...(rows[0]?.children ?? [])].entries()) {
    if (cell.classList.contains("number")) cells[at]?.classList.add("number");
  }
  byId(id).replaceChildren(
    createElement("thead", {}, createElement("tr", {}, ...cells)),
    createElement("tbody", {}, ...rows),
  );
}

/**
 * A table of rows that are a name and texts.
 *
 * @param {string} id
 * @param {Heading[]} headings
 * @param {string[][]} rows
 * @param {(name: string) => string} [keyOf] where the names are not yet texts
 * @param {number} [words] how many cells beside the name are words, not numbers
 */
export function fill(id, headings, rows, keyOf, words = 0) {
  const line = (/** @type {string[]} */ [name, ...rest]) => {
    const key = keyOf?.(name);
    return createElement(
      "tr",
      {},
      rowName(key ? nameOf(key) : name, key),
      ...rest.map((text, at) => (at < words ? createElement("td", {}, text) : textCell(text))),
    );
  };
  fillTable(id, headings, rows.map(line));
}

/** @param {TextKey[]} keys */
export function texts(...keys) {
  return keys.map((key) => getText(key));
}
