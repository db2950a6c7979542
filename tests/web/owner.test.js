import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { forgetOwner, takeOver } from "../../web/sponsor/owner.js";

const stored = new Map();

function storage(isOn = true) {
  const refuse = () => {
    throw new Error("storage is switched off");
  };
  globalThis.sessionStorage = isOn
    ? {
        getItem: (name) => stored.get(name) ?? null,
        setItem: (name, value) => stored.set(name, value),
        removeItem: (name) => stored.delete(name),
      }
    : { getItem: refuse, setItem: refuse, removeItem: refuse };
}

beforeEach(() => {
  stored.clear();
  storage();
});

test("what was entered is hers who signs in again, by her link", () => {
  assert.equal(takeOver("demo", { link: "K7", session: "1" }), false);
  assert.equal(takeOver("demo", { link: "K7", session: "2" }), false);
});

test("it is hers also when her link is another meanwhile, while her session lasts", () => {
  takeOver("demo", { link: "K7", session: "1" });
  assert.equal(takeOver("demo", { link: "Q9", session: "1" }), false);
  assert.equal(takeOver("demo", { link: "Q9", session: "2" }), false);
});

test("it is nobody else's, and of each campaign apart", () => {
  takeOver("demo", { link: "K7", session: "1" });
  assert.equal(takeOver("other", { link: "Q9", session: "2" }), false);
  assert.equal(takeOver("demo", { link: "Q9", session: "2" }), true);
  assert.equal(takeOver("demo", { link: "Q9", session: "3" }), false);
});

test("signing out leaves nothing, and nobody is known without storage", () => {
  takeOver("demo", { link: "K7", session: "1" });
  forgetOwner("demo");
  assert.equal(stored.size, 0);
  assert.equal(takeOver("demo", { link: "Q9", session: "2" }), false);
  storage(false);
  assert.equal(takeOver("demo", { link: "K7", session: "4" }), false);
});
