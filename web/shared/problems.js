/**
 * Saying what went wrong: beside a field, or in a notice of the page.
 */

import { ProblemError } from "/shared/api.js";
import { element } from "/shared/elements.js";
import { hasText, say } from "/shared/language.js";

/**
 * Tells a failed call in `notice` (a live region). Anything but a ProblemError is a fault of ours:
 * rethrown.
 */
export function tellProblem(notice, error) {
  if (!(error instanceof ProblemError)) throw error;
  say(notice, problemText(error));
}

/** The name of the text for a failed call. */
export function problemText(error) {
  if (hasText(`problem.${error.kind}`)) return `problem.${error.kind}`;
  if (error.status === 429) return "problem.too-many";
  if (error.status >= 500) return "problem.unavailable";
  return "problem.unexpected";
}

/** The name of the text for what is wrong with a field of that name. */
export function reasonText(field, { reason } = {}) {
  if (field === "first_name") return "reason.first-name";
  return hasText(`reason.${reason}`) ? `reason.${reason}` : "reason.invalid";
}

/**
 * Says under `input` what is wrong with it; a `suggestion` becomes a button that puts it in and
 * moves on to `next`.
 */
export function blame(input, key, { suggestion, next } = {}) {
  absolve(input);
  const id = `${input.id}-error`;
  const message = element("p", { class: "error", id }, say(element("span"), key));
  if (suggestion) {
    input.setAttribute("data-doubted", input.value.trim());
    const button = element("button", { type: "button", class: "suggestion" });
    say(button, "field.suggestion", { suggestion });
    button.addEventListener("click", () => {
      input.value = suggestion;
      absolve(input);
      (next ?? input).focus();
    });
    message.append(button);
  }
  input.after(message);
  input.setAttribute("aria-invalid", "true");
  const described = [input.getAttribute("data-hint"), id].filter(Boolean);
  input.setAttribute("aria-describedby", described.join(" "));
}

/** What `input` holds, as the API takes it: insisted on when sent again despite a suggestion. */
export function addressIn(input) {
  const email = input.value.trim();
  const insists = email && input.getAttribute("data-doubted") === email;
  return insists ? { email, as_typed: true } : { email };
}

/** Takes back what `blame` said. */
export function absolve(input) {
  document.getElementById(`${input.id}-error`)?.remove();
  input.removeAttribute("aria-invalid");
  const hint = input.getAttribute("data-hint");
  if (hint) input.setAttribute("aria-describedby", hint);
  else input.removeAttribute("aria-describedby");
}
