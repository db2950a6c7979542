import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { emptyPage, put } from "./document.js";
import { applyBrand, contrast, readableOn, textColourOn } from "../../web/shared/brand.js";

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

test("the brand's colour is made as light or dark as its ground asks for", () => {
  for (const ground of ["#ffffff", "#1b211e", "#777777"]) {
    for (const colour of ["#1f4e3d", "#ffe000", "#000000", "#ffffff", "#d0006f"]) {
      assert.ok(contrast(readableOn(colour, ground), ground) >= 4.5, `${colour} on ${ground}`);
    }
  }
  assert.equal(readableOn("#1f4e3d", "#ffffff"), "#1f4e3d"); // dark enough as it is
});

/** What the frame has for a brand. */
function frame() {
  const put_ = (tag, id) => put(tag, { id });
  return {
    name: put_("span", "brand"),
    logo: put_("img", "brand-logo"),
    owner: put_("p", "owner"),
    contact: put_("a", "contact"),
  };
}

test("a brand puts its name, its colour and who is behind it on the page", () => {
  const { name, logo, contact } = frame();
  applyBrand({ name: "Maison <b>Verte", colour: "#1f4e3d", contact: "hi?cc=x@verte.example" });
  assert.equal(name.textContent, "Maison <b>Verte");
  assert.ok(logo.hidden && !name.hidden);
  assert.equal(contact.href, "mailto:hi%3Fcc%3Dx@verte.example");
  const { style } = document.documentElement;
  assert.equal(style["--brand"], "#1f4e3d");
  assert.equal(style["--on-brand"], "#ffffff");
  assert.equal(style["--tint-light"], "#e9edec");
});

test("a logo stands for the name, in its proportions", () => {
  const { name, logo } = frame();
  logo.height = 40;
  const picture = { path: "/pictures/a/logo.svg", width: 300, height: 100 };
  applyBrand({ name: "Maison Verte", colour: "", logo: picture });
  assert.ok(name.hidden && !logo.hidden);
  assert.deepEqual([logo.alt, logo.width], ["Maison Verte", 120]);
});

test("what is not a colour is left out", () => {
  frame();
  for (const colour of ["red", "#12345", "#123456;}", undefined]) {
    applyBrand({ name: "Maison Verte", colour });
    assert.equal(document.documentElement.style["--brand"], undefined);
  }
});
