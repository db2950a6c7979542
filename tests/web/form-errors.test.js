import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { emptyPage, put } from "./document.js";
import { ProblemError } from "../../web/shared/api.js";
import {
  clearFieldError,
  readAddress,
  showFieldError,
  showProblem,
} from "../../web/shared/form-errors.js";

let input;

beforeEach(() => {
  emptyPage();
  chooseLanguage("en");
  input = put("input", { id: "email", "data-hint": "hint", "aria-describedby": "hint" });
});

test("an error describes its field beside the hint, and goes without a trace", () => {
  showFieldError(input, "field-error.missing");
  assert.equal(input.getAttribute("aria-invalid"), "true");
  assert.equal(input.getAttribute("aria-describedby"), "hint email-error");
  assert.equal(
    document.getElementById("email-error").textContent,
    "Please enter an e-mail address.",
  );
  clearFieldError(input);
  assert.equal(input.getAttribute("aria-invalid"), null);
  assert.equal(input.getAttribute("aria-describedby"), "hint");
  assert.equal(document.getElementById("email-error"), null);
});

test("a second error replaces the first", () => {
  showFieldError(input, "field-error.missing");
  showFieldError(input, "field-error.bad_domain");
  const messages = document.querySelectorAll("p");
  assert.equal(messages.length, 1);
});

test("a suggestion is filled in by its button, which moves on", () => {
  const next = put("button");
  input.value = "paul@gmial.com";
  showFieldError(input, "field-error.probably_mistyped", { suggestion: "paul@gmail.com", next });
  const button = document.getElementById("email-error").querySelector("button");
  assert.equal(button.textContent, "Use paul@gmail.com");
  button.click();
  assert.equal(input.value, "paul@gmail.com");
  assert.equal(input.getAttribute("aria-invalid"), null);
  assert.equal(document.activeElement, next);
  assert.deepEqual(readAddress(input), { email: "paul@gmail.com" });
});

test("an address sent again despite a suggestion is meant as typed, another is not", () => {
  input.value = " paul@gmial.com ";
  assert.deepEqual(readAddress(input), { email: "paul@gmial.com" });
  showFieldError(input, "field-error.probably_mistyped", { suggestion: "paul@gmail.com" });
  assert.deepEqual(readAddress(input), { email: "paul@gmial.com", as_typed: true });
  input.value = "pauline@gmial.com";
  assert.deepEqual(readAddress(input), { email: "pauline@gmial.com" });
  input.value = "";
  assert.deepEqual(readAddress(input), { email: "" });
});

test("a problem is described in its notice, and follows the language", () => {
  const notice = put("p", { id: "notice" });
  showProblem(notice, new ProblemError(429));
  assert.equal(notice.textContent, "Too many requests. Please wait a moment and try again.");
  assert.throws(() => showProblem(notice, new TypeError("a bug")), TypeError);
});
