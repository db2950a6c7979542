/**
 * Which text describes a failed call or a wrong field. form-errors.js puts it on the page.
 */

import { hasText } from "./language.js";

/** @typedef {import("./language.js").TextKey} TextKey */

/**
 * The text for a failed call: that of its kind, else that of its status.
 *
 * @param {{kind: string, status: number}} problem
 * @returns {TextKey}
 */
export function problemTextKey({ kind, status }) {
  const key = `problem.${kind}`;
  if (hasText(key)) return key;
  if (status === 429) return "problem.too-many";
  if (status >= 500) return "problem.unavailable";
  return "problem.unexpected";
}

/**
 * The text for what is wrong with a field.
 *
 * @param {string} field its name in the API
 * @param {string} [reason] the API's reason
 * @returns {TextKey}
 */
export function fieldErrorTextKey(field, reason) {
  if (field === "first_name") return "field-error.first-name";
  const key = `field-error.${reason}`;
  return hasText(key) ? key : "field-error.invalid";
}

/**
 * Which referee of a list, and which of its fields, an error is about; null when it is about none:
 * `referees[2].first_name` is the first name of the third.
 *
 * @param {string} path
 */
export function refereeFieldOf(path) {
  const match = /^referees\[(\d+)\](?:\.(\w+))?$/.exec(path);
  return match && { index: Number(match[1]), field: match[2] ?? "email" };
}
