/**
 * A form that asks for an e-mail address: sign-in, and sign-up by a shared link.
 *
 * Owns the errors of its fields and the suggested correction. What the answer means is up to the
 * page, and the page says the same to everyone.
 */

import { asProblem } from "./api.js";
import { onSubmit, within } from "./elements.js";
import { clearFieldError, readAddress, showFieldError, showProblem } from "./form-errors.js";
import { currentLanguage } from "./language.js";
import { clear } from "./page-text.js";
import { fieldErrorTextKey } from "./problems.js";
import { keepTyped } from "./typed.js";

/** @typedef {import("./api.js").ProblemError} ProblemError */
/** @typedef {{email: string, as_typed?: true, locale: string}} AddressBody */

/**
 * Wires `form`, which has an input named `email`, a submit button and a `.notice`.
 *
 * @param {HTMLFormElement} form
 * @param {(address: AddressBody) => Promise<unknown>} send makes the call and goes on from there;
 *   the address is in the API's form, with the language for the mail
 * @param {(problem: ProblemError) => boolean} [handleProblem] returns true for a failed call that
 *   it has dealt with; the others are shown in the form
 */
export function wireAddressForm(form, send, handleProblem = () => false) {
  const input = inputNamed(form, "email");
  const notice = within(form, ".notice");
  if (!input) throw new Error(`"${form.id}" has no field for an address`);
  const forget = keepTyped(input, `${location.pathname}.${form.id}`);
  onSubmit(form, async () => {
    clear(notice);
    for (const field of form.querySelectorAll("input")) clearFieldError(field);
    const address = readAddress(input);
    if (!address.email) {
      showFieldError(input, "field-error.missing");
      input.focus();
      return;
    }
    try {
      await send({ ...address, locale: currentLanguage() });
      forget();
    } catch (error) {
      const problem = asProblem(error);
      if (handleProblem(problem)) return;
      if (problem.status === 422) showFieldErrors(form, input, problem);
      else showProblem(notice, problem);
    }
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function inputNamed(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement ? found : null;
}

/**
 * Shows each error at its field, and those of fields that the form does not have at the address.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} addressInput
 * @param {ProblemError} problem
 */
function showFieldErrors(form, addressInput, problem) {
  const submit = within(form, "button[type=submit]");
  const errors = problem.errors.flatMap(({ field, reason }) => {
    const input = inputNamed(form, field);
    return input ? [{ input, field, reason }] : [];
  });
  if (!errors.length) errors.push({ input: addressInput, field: "email", reason: "invalid" });
  for (const { input, field, reason } of errors) {
    const suggestion = input === addressInput ? problem.suggestion : null;
    showFieldError(input, fieldErrorTextKey(field, reason), { suggestion, next: submit });
  }
  errors[0].input.focus();
}
