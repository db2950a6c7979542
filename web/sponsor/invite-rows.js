/**
 * The rows of the invite form: one person each, an address and a first name.
 *
 * Owns adding, removing, reading and blaming rows. What is sent, and when, is sponsor.js's
 * business.
 */

import { element } from "/shared/elements.js";
import { say } from "/shared/language.js";
import { absolve, addressIn, blame, reasonText } from "/shared/problems.js";

let made = 0;

/** The rows inside `box`, at most `limit()` of them. */
export function inviteRows(box, addButton, limit) {
  const rows = [];

  function add() {
    const row = makeRow();
    row.remove.addEventListener("click", () => remove(row));
    rows.push(row);
    box.append(row.root);
    number();
    return row;
  }

  function remove(row) {
    const at = rows.indexOf(row);
    rows.splice(at, 1);
    row.root.remove();
    number();
    (rows[at] ?? rows[at - 1]).email.focus();
  }

  function number() {
    rows.forEach((row, at) => {
      say(row.legend, "inviting.person", { number: at + 1 });
      say(row.removeLabel, "inviting.remove-person", { number: at + 1 });
      row.remove.hidden = rows.length === 1;
    });
    addButton.hidden = rows.length >= limit();
  }

  addButton.addEventListener("click", () => add().email.focus());
  add();

  return {
    /** The rows that were filled in, as `{row, referee}`. */
    filled() {
      return rows
        .map((row) => ({ row, referee: read(row) }))
        .filter(({ referee }) => referee.email || referee.first_name);
    },
    /** Back to one empty row. */
    clear() {
      for (const row of rows.splice(0)) row.root.remove();
      add();
    },
    /** Counts again after the limit has changed. */
    number,
    absolve() {
      for (const { email, firstName } of rows) [email, firstName].forEach(absolve);
    },
    first() {
      return rows[0];
    },
  };
}

function read({ email, firstName }) {
  const referee = addressIn(email);
  if (firstName.value.trim()) referee.first_name = firstName.value.trim();
  return referee;
}

/** Says beside the field of `row` what is wrong with it. */
export function blameRow(row, field, fault) {
  const input = field === "first_name" ? row.firstName : row.email;
  blame(input, reasonText(field, fault), { suggestion: fault.suggestion });
  return input;
}

function makeRow() {
  made += 1;
  const email = element("input", {
    id: `referee-${made}-email`,
    type: "email",
    inputmode: "email",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: "254",
  });
  const firstName = element("input", {
    id: `referee-${made}-first-name`,
    autocomplete: "off",
    maxlength: "40",
  });
  const legend = element("legend");
  const removeLabel = element("span", { class: "unseen" });
  const remove = element("button", { type: "button", class: "remove" }, removeLabel, cross());
  const root = element(
    "fieldset",
    { class: "row" },
    legend,
    field(email, "field.email"),
    field(firstName, "inviting.first-name"),
    remove,
  );
  return { root, email, firstName, legend, remove, removeLabel };
}

function field(input, key) {
  return element("div", { class: "field" }, say(element("label", { for: input.id }), key), input);
}

function cross() {
  return element("span", { "aria-hidden": "true" }, "×");
}
