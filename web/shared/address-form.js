/**
 * A form whose one question is an e-mail address: sign-in, and sign-up by a shared link.
 *
 * Owns the field's errors and the suggested correction. What the answer means is the page's
 * business, and the page says the same to everyone.
 */

import { onSend } from "/shared/elements.js";
import { hush, language } from "/shared/language.js";
import { absolve, addressIn, blame, reasonText, tellProblem } from "/shared/problems.js";

/**
 * Wires `form`, which has an input named `email`, a submit button and a `.notice`.
 *
 * `send(address)` makes the call and goes on from there; `address` is what the body says of it,
 * with the language for the mail. `onProblem(error)` may take a failed call
 * over by answering true; what it leaves is told in the form.
 */
export function addressForm(form, send, onProblem = () => false) {
  const input = form.elements.namedItem("email");
  const notice = form.querySelector(".notice");
  onSend(form, async () => {
    hush(notice);
    for (const field of form.querySelectorAll("input")) absolve(field);
    const address = addressIn(input);
    if (!address.email) {
      blame(input, "reason.missing");
      input.focus();
      return;
    }
    try {
      await send({ ...address, locale: language() });
    } catch (error) {
      if (onProblem(error)) return;
      if (error.status === 422) blameFields(form, error);
      else tellProblem(notice, error);
    }
  });
}

function blameFields(form, error) {
  const next = form.querySelector("button[type=submit]");
  const faults = error.errors.filter(({ field }) => form.elements.namedItem(field));
  if (!faults.length) faults.push({ field: "email" });
  for (const fault of faults) {
    const suggestion = fault.field === "email" ? error.suggestion : null;
    const reason = reasonText(fault.field, fault);
    blame(form.elements.namedItem(fault.field), reason, { suggestion, next });
  }
  form.elements.namedItem(faults[0].field).focus();
}
