import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { emptyPage, put } from "./document.js";

let pages = 0;
let sections;
let page;

beforeEach(async () => {
  emptyPage();
  sections = {};
  for (const state of ["loading", "form", "done"]) {
    const heading = document.createElement("h1");
    sections[state] = put("section", { "data-state": state }, heading);
    sections[state].hidden = state !== "loading";
  }
  pages += 1;
  page = await import(`../../web/shared/states.js?page=${pages}`);
});

test("nothing but loading is visible before there are texts, then what was shown last", () => {
  page.showState("form");
  assert.equal(page.visibleState(), "loading");
  page.showState("done");
  assert.equal(page.visibleState(), "loading");
  chooseLanguage("en");
  page.showAwaited();
  assert.equal(page.visibleState(), "done");
  page.showState("form");
  page.showAwaited(); // after a change of language: the page is where it was
  assert.equal(page.visibleState(), "form");
});

test("one state is visible at a time", () => {
  assert.equal(page.visibleState(), "loading");
  page.showState("form");
  assert.equal(page.visibleState(), "form");
  assert.deepEqual(
    Object.values(sections).map((section) => section.hidden),
    [true, false, true],
  );
});

test("the heading takes the focus, except on the first state of the page", () => {
  page.showState("loading");
  page.showState("form");
  assert.equal(document.activeElement, null);
  page.showState("done");
  assert.equal(document.activeElement, sections.done.querySelector("h1"));
  assert.equal(document.activeElement.tabIndex, -1);
});
