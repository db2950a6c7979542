import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { fieldErrorTextKey, problemTextKey, refereeFieldOf } from "../../web/shared/problems.js";

chooseLanguage("en");

test("a problem is described by its kind, else by its status", () => {
  assert.equal(problemTextKey({ kind: "over-quota", status: 429 }), "problem.over-quota");
  assert.equal(problemTextKey({ kind: "slow-down", status: 429 }), "problem.too-many");
  assert.equal(problemTextKey({ kind: "", status: 502 }), "problem.unavailable");
  assert.equal(problemTextKey({ kind: "unreachable", status: 0 }), "problem.unreachable");
  assert.equal(problemTextKey({ kind: "", status: 418 }), "problem.unexpected");
});

test("a field's error is described by its reason, a first name's by that it is one", () => {
  assert.equal(fieldErrorTextKey("email", "no_at_sign"), "field-error.no_at_sign");
  assert.equal(fieldErrorTextKey("email", "never heard of"), "field-error.invalid");
  assert.equal(fieldErrorTextKey("email", undefined), "field-error.invalid");
  assert.equal(fieldErrorTextKey("first_name", "too_long"), "field-error.first-name");
});

test("the error of a list of referees names its row and field", () => {
  assert.deepEqual(refereeFieldOf("referees[2].first_name"), { index: 2, field: "first_name" });
  assert.deepEqual(refereeFieldOf("referees[11].email"), { index: 11, field: "email" });
  assert.deepEqual(refereeFieldOf("referees[0]"), { index: 0, field: "email" });
  for (const other of ["referees", "email", "referees[x].email", "referees[1].email.more"]) {
    assert.equal(refereeFieldOf(other), null);
  }
});
