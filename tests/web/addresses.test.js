import assert from "node:assert/strict";
import { test } from "node:test";

import { isEnded, readPeople } from "../../web/sponsor/addresses.js";

const LEA = { email: "lea@x.fr", first_name: "Léa" };
const PAUL = { email: "paul@y.fr", first_name: "Paul" };
const [lea, paul] = [{ email: "lea@x.fr" }, { email: "paul@y.fr" }];

const READ = {
  "one address": ["lea@x.fr", [lea]],
  "separators of any kind": ["lea@x.fr;paul@y.fr", [lea, paul]],
  "spaces alone": ["lea@x.fr paul@y.fr", [lea, paul]],
  lines: ["lea@x.fr\r\npaul@y.fr\n", [lea, paul]],
  "as mail programs write": ['"Léa" <lea@x.fr>, Paul <paul@y.fr>', [LEA, PAUL]],
  "names before, in a column": ["Léa\tlea@x.fr\nPaul\tpaul@y.fr", [LEA, PAUL]],
  "names behind, in a column": ["lea@x.fr\tLéa\npaul@y.fr\tPaul", [LEA, PAUL]],
};
for (const [name, [text, people]] of Object.entries(READ)) {
  test(`people are read from ${name}`, () => {
    assert.deepEqual(readPeople(text), { people, rest: "" });
  });
}

test("words without an address are left", () => {
  assert.deepEqual(readPeople("Léa"), { people: [], rest: "Léa" });
  assert.deepEqual(readPeople("lea@x.fr\nPaul"), { people: [lea], rest: "Paul" });
  assert.deepEqual(readPeople("Paul, Anne, lea@x.fr"), {
    people: [{ email: "lea@x.fr", first_name: "Anne" }],
    rest: "Paul",
  });
});

test("an entry is ended by a separator, or by a space behind an address", () => {
  for (const text of ["lea@x.fr,", "lea@x.fr ", "a@b.c\n", "x;"]) assert.ok(isEnded(text), text);
  for (const text of ["lea@x.fr", "Léa ", "lea@x ", "", "\n"]) assert.ok(!isEnded(text), text);
});
