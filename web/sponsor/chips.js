/**
 * The people to invite, each a chip: added by typing or pasting, put right, taken out again.
 *
 * What was entered is kept in this tab until it was sent, so that neither loading the page again nor
 * the end of a session loses it.
 */

import { byId, createElement } from "../shared/elements.js";
import { getText } from "../shared/language.js";
import { clear, onLanguageChange, setText } from "../shared/page-text.js";
import { fieldErrorTextKey } from "../shared/problems.js";
import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";
import { isEnded, readPeople } from "./addresses.js";

/** @typedef {{field: string, reason: string, suggestion?: string | null}} ChipError */
/** @typedef {RefereeRequest & {error?: ChipError}} Chip */

/**
 * Wires the field.
 *
 * @param {string} draftName what the draft is stored as
 * @param {() => void} changed called after each change
 * @param {(email: string) => Promise<boolean>} isOwn whether it is known to be the sponsor's own
 */
export function createChips(draftName, changed, isOwn) {
  const input = byId("addresses", HTMLTextAreaElement);
  const list = byId("chip-list");
  /** @type {Chip[]} */
  let chips = readFromTab(draftName) ?? [];

  function store() {
    if (chips.length) storeInTab(draftName, chips);
    else removeFromTab(draftName);
  }

  function update() {
    store();
    draw();
    changed();
  }

  /** Makes chips of what is in the field; what has no address stays there. */
  function take() {
    const { people, rest } = readPeople(input.value);
    if (!people.length) return;
    const known = new Set(chips.map(({ email }) => email.toLowerCase()));
    let doubles = 0;
    for (const person of people) {
      const email = person.email.toLowerCase();
      if (known.has(email)) doubles += 1;
      else chips.push(person);
      known.add(email);
    }
    input.value = rest;
    if (doubles) setText(byId("chip-notice"), "inviting.doubles", { count: doubles });
    else clear(byId("chip-notice"));
    update();
    questionOwn();
  }

  /** Says of an address that it is the sponsor's own. It is sent if she means it: the API decides. */
  async function questionOwn() {
    for (const chip of chips) {
      if (chip.error || chip.as_typed || !(await isOwn(chip.email))) continue;
      chip.error = { field: "email", reason: "own" };
      update();
    }
  }

  /** @param {number} at */
  function remove(at) {
    chips.splice(at, 1);
    update();
    const next = list.children[Math.min(at, chips.length - 1)];
    /** @type {HTMLElement} */ (next?.querySelector("button") ?? input).focus();
  }

  /** @param {number} at puts the chip back into the field */
  function edit(at) {
    const [{ email, first_name: name }] = chips.splice(at, 1);
    input.value = name ? `${name} <${email}>` : email;
    update();
    input.focus();
  }

  /**
   * @param {number} at
   * @param {Chip} chip in its place
   */
  function replace(at, chip) {
    chips[at] = chip;
    update();
    input.focus();
  }

  function draw() {
    list.hidden = chips.length === 0;
    list.replaceChildren(...chips.map(drawChip));
    const wrong = chips.flatMap((chip, at) => (chip.error ? [drawError(chip, at)] : []));
    byId("chip-errors").replaceChildren(...wrong);
    if (wrong.length) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  /**
   * @param {Chip} chip
   * @param {number} at
   */
  function drawChip({ email, first_name: name, error }, at) {
    const words = name ? `${name} · ${email}` : email;
    const editing = createElement("button", { type: "button", class: "chip-text" }, words);
    editing.setAttribute("aria-label", getText("inviting.edit-person", { person: words }));
    if (error) editing.setAttribute("aria-describedby", `chip-error-${at}`);
    editing.addEventListener("click", () => edit(at));
    const cross = createElement("button", { type: "button", class: "remove" }, "×");
    cross.setAttribute("aria-label", getText("inviting.remove-person", { person: words }));
    cross.addEventListener("click", () => remove(at));
    return createElement("li", { class: error ? "chip wrong" : "chip" }, editing, cross);
  }

  /**
   * @param {Chip} chip
   * @param {number} at
   */
  function drawError(chip, at) {
    const { field, reason, suggestion } = /** @type {ChipError} */ (chip.error);
    const text = createElement("span", { class: "error", id: `chip-error-${at}` });
    const whose = createElement("strong", {}, chip.email);
    const what = setText(createElement("span"), fieldErrorTextKey(field, reason));
    text.append(whose, " ", what);
    const item = createElement("li", {}, text);
    if (suggestion) {
      const use = createElement("button", { type: "button", class: "suggestion" });
      setText(use, "field.use-suggestion", { suggestion });
      use.addEventListener("click", () => replace(at, named(chip, suggestion)));
      const keep = createElement("button", { type: "button", class: "suggestion" });
      setText(keep, "field.keep", { email: chip.email });
      keep.addEventListener("click", () =>
        replace(at, { ...named(chip, chip.email), as_typed: true }),
      );
      item.append(createElement("span", { class: "actions" }, use, keep));
    }
    return item;
  }

  input.addEventListener("input", () => {
    if (isEnded(input.value)) take();
  });
  input.addEventListener("blur", take);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Backspace" && !input.value && chips.length) {
      event.preventDefault();
      edit(chips.length - 1);
    }
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // It ends an entry, and sends nothing.
    take();
  });
  onLanguageChange(draw);
  draw();

  return {
    take,
    /** @returns {RefereeRequest[]} */
    people: () => chips.map(({ error: _, ...person }) => person),
    /** What is in the field and is no address. */
    rest: () => input.value.trim(),
    count: () => chips.length,
    focus: () => input.focus(),
    /**
     * Marks those that the API refused, by their place in what was sent. What it does not say, that
     * an address is the sponsor's own, goes on being said.
     *
     * @param {Map<number, ChipError>} errors
     */
    mark(errors) {
      chips = chips.map(({ error: before, ...chip }, at) => {
        const error = errors.get(at) ?? (before?.reason === "own" ? before : null);
        return error ? { ...chip, error } : chip;
      });
      update();
      /** @type {HTMLElement | null} */ (list.querySelector(".wrong button"))?.focus();
    },
    /** Forgets everybody, once they were sent. */
    reset() {
      chips = [];
      input.value = "";
      clear(byId("chip-notice"));
      update();
    },
  };
}

/**
 * The same person at that address.
 *
 * @param {Chip} chip
 * @param {string} email
 * @returns {Chip}
 */
function named({ first_name: name }, email) {
  return name ? { email, first_name: name } : { email };
}
