import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { emptyPage, put } from "./document.js";
import { applyBrand, textColourOn } from "../../web/shared/brand.js";

beforeEach(() => {
  emptyPage();
  delete document.documentElement.style["--brand"];
});

test("text on a colour is black or white, whichever is legible", () => {
  assert.equal(textColourOn("#1f4e3d"), "#ffffff");
  assert.equal(textColourOn("#FFE000"), "#000000");
  assert.equal(textColourOn("#000000"), "#ffffff");
  assert.equal(textColourOn("#ffffff"), "#000000");
});

test("a brand puts its name and colour on the page", () => {
  const header = put("p", { id: "brand" });
  applyBrand({ name: "Maison <b>Verte", colour: "#1f4e3d" });
  assert.equal(header.textContent, "Maison <b>Verte");
  assert.equal(document.documentElement.style["--brand"], "#1f4e3d");
  assert.equal(document.documentElement.style["--on-brand"], "#ffffff");
});

test("what is not a colour is left out", () => {
  put("p", { id: "brand" });
  for (const colour of ["red", "#12345", "#123456;}", undefined]) {
    applyBrand({ name: "Maison Verte", colour });
    assert.equal(document.documentElement.style["--brand"], undefined);
  }
});
