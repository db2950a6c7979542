/**
 * The rows of the invite form: one person each, with an address and a first name.
 *
 * Owns adding, removing and reading rows, and their errors. What is sent, and when, is up to
 * sponsor.js.
 */

import { createElement } from "../shared/elements.js";
import { clearFieldError, readAddress, showFieldError } from "../shared/form-errors.js";
import { setText } from "../shared/page-text.js";
import { fieldErrorTextKey } from "../shared/problems.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {ReturnType<typeof createRow>} Row */

let rowsCreated = 0;

/**
 * The rows inside `container`: one at first, then as many as the reader adds.
 *
 * @param {HTMLElement} container
 * @param {HTMLElement} addButton hidden once there are enough rows
 * @param {() => number} limit how many rows there may be
 */
export function createInviteRows(container, addButton, limit) {
  /** @type {Row[]} */
  const rows = [];

  function add() {
    const row = createRow();
    row.removeButton.addEventListener("click", () => remove(row));
    rows.push(row);
    container.append(row.root);
    renumber();
    return row;
  }

  /** @param {Row} row */
  function remove(row) {
    const index = rows.indexOf(row);
    rows.splice(index, 1);
    row.root.remove();
    renumber();
    (rows[index] ?? rows[index - 1]).email.focus();
  }

  /** Numbers the rows, and applies a limit that may have changed. */
  function renumber() {
    rows.forEach((row, index) => {
      setText(row.legend, "inviting.person", { number: index + 1 });
      setText(row.removeLabel, "inviting.remove-person", { number: index + 1 });
      row.removeButton.hidden = rows.length === 1;
    });
    addButton.hidden = rows.length >= limit();
  }

  addButton.addEventListener("click", () => add().email.focus());
  add();

  return {
    renumber,
    /** The rows that were filled in, each with the referee to send. */
    filled() {
      return rows
        .map((row) => ({ row, referee: readReferee(row) }))
        .filter(({ referee }) => referee.email || referee.first_name);
    },
    /** Back to one empty row. */
    reset() {
      for (const row of rows.splice(0)) row.root.remove();
      add();
    },
    clearErrors() {
      for (const { email, firstName } of rows) [email, firstName].forEach(clearFieldError);
    },
    first() {
      return rows[0];
    },
  };
}

/**
 * @param {Row} row
 * @returns {RefereeRequest}
 */
function readReferee({ email, firstName }) {
  const name = firstName.value.trim();
  return name ? { ...readAddress(email), first_name: name } : readAddress(email);
}

/**
 * Shows an error at a field of `row`; returns the field's input.
 *
 * @param {Row} row
 * @param {string} field
 * @param {FieldProblemAnswer} error
 */
export function showRowError(row, field, { reason, suggestion }) {
  const input = field === "first_name" ? row.firstName : row.email;
  showFieldError(input, fieldErrorTextKey(field, reason), { suggestion });
  return input;
}

function createRow() {
  rowsCreated += 1;
  const email = createElement("input", {
    id: `referee-${rowsCreated}-email`,
    type: "email",
    inputmode: "email",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: "254",
  });
  const firstName = createElement("input", {
    id: `referee-${rowsCreated}-first-name`,
    autocomplete: "off",
    maxlength: "40",
  });
  const legend = createElement("legend");
  const removeLabel = createElement("span", { class: "visually-hidden" });
  const cross = createElement("span", { "aria-hidden": "true" }, "×");
  const removeButton = createElement(
    "button",
    { type: "button", class: "remove" },
    removeLabel,
    cross,
  );
  const root = createElement(
    "fieldset",
    { class: "person" },
    legend,
    labelled(email, "field.email"),
    labelled(firstName, "inviting.first-name"),
    removeButton,
  );
  return { root, email, firstName, legend, removeButton, removeLabel };
}

/**
 * @param {HTMLInputElement} input
 * @param {TextKey} key
 */
function labelled(input, key) {
  const label = setText(createElement("label", { for: input.id }), key);
  return createElement("div", { class: "field" }, label, input);
}
