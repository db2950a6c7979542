/**
 * Shows what went wrong: beside a field, or in a notice of the page.
 */

import { asProblem } from "./api.js";
import { createElement } from "./elements.js";
import { setText } from "./page-text.js";
import { problemTextKey } from "./problems.js";

/** @typedef {import("./language.js").TextKey} TextKey */

/**
 * Describes a failed call in `notice` (a live region). Anything but a ProblemError is thrown again.
 *
 * @param {HTMLElement} notice
 * @param {unknown} error
 */
export function showProblem(notice, error) {
  const problem = asProblem(error);
  setText(notice, () => problemTextKey(problem));
}

/**
 * Shows an error under `input`. A `suggestion` becomes a button that fills it in and moves the
 * focus to `next`.
 *
 * @param {HTMLInputElement} input
 * @param {TextKey} key
 * @param {{suggestion?: string | null, next?: HTMLElement}} [correction]
 */
export function showFieldError(input, key, { suggestion, next } = {}) {
  clearFieldError(input);
  const id = `${input.id}-error`;
  const message = createElement("p", { class: "error", id }, setText(createElement("span"), key));
  if (suggestion) {
    input.setAttribute("data-questioned", input.value.trim());
    const button = createElement("button", { type: "button", class: "suggestion" });
    setText(button, "field.use-suggestion", { suggestion });
    button.addEventListener("click", () => {
      input.value = suggestion;
      clearFieldError(input);
      (next ?? input).focus();
    });
    message.append(button);
  }
  input.after(message);
  input.setAttribute("aria-invalid", "true");
  const describedBy = [input.getAttribute("data-hint"), id].filter(Boolean);
  input.setAttribute("aria-describedby", describedBy.join(" "));
}

/**
 * Takes away what `showFieldError` showed.
 *
 * @param {HTMLInputElement} input
 */
export function clearFieldError(input) {
  document.getElementById(`${input.id}-error`)?.remove();
  input.removeAttribute("aria-invalid");
  const hint = input.getAttribute("data-hint");
  if (hint) input.setAttribute("aria-describedby", hint);
  else input.removeAttribute("aria-describedby");
}

/**
 * The address in `input`, as the API takes it. An address sent again unchanged, despite a
 * suggestion, is meant as it was typed.
 *
 * @param {HTMLInputElement} input
 * @returns {{email: string, as_typed?: true}}
 */
export function readAddress(input) {
  const email = input.value.trim();
  const isInsisted = email !== "" && input.getAttribute("data-questioned") === email;
  return isInsisted ? { email, as_typed: true } : { email };
}
