import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { emptyPage, put } from "./document.js";
import { asDocument, showLink } from "../../web/sponsor/sharing.js";

globalThis.HTMLImageElement = HTMLElement;
globalThis.HTMLAnchorElement = HTMLElement;

test("an inline SVG becomes a document by naming its namespace, once", () => {
  const named = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>';
  assert.equal(asDocument('<svg viewBox="0 0 1 1"></svg>'), named);
  assert.equal(asDocument(named), named);
});

test("the message has the offer and the whole link, and only the link without a campaign", () => {
  emptyPage();
  chooseLanguage("en");
  put("input", { id: "own-link" });
  put("img", { id: "qr" });
  put("button", { id: "share" });
  put("p", { id: "link-stopped" });
  put("div", { id: "sharing-ways" });
  const whatsapp = put("a", { id: "whatsapp" });
  const link = { url: "https://t.example/referee/?campaign=a&b#link=K7", code: "K7", qr_svg: "" };
  const message = () => new URL(whatsapp.href).searchParams.get("text");
  showLink(link, { brand: { name: "Maison & Verte" }, offer: { en: "€10 off" } });
  assert.equal(message(), `Maison & Verte: €10 off ${link.url}`);
  showLink(link, null);
  assert.equal(message(), link.url);
  assert.equal(document.getElementById("own-link").value, link.url);
});

test("of a link that is stopped the page shows that, and no way to share it", () => {
  emptyPage();
  chooseLanguage("en");
  for (const id of ["own-link", "qr", "share", "whatsapp", "link-stopped", "sharing-ways"]) {
    put("div", { id });
  }
  for (const stopped of [true, false]) {
    showLink({ url: "https://t.example/", code: "K7", qr_svg: "", stopped }, null);
    assert.equal(document.getElementById("link-stopped").hidden, !stopped);
    assert.equal(document.getElementById("sharing-ways").hidden, stopped);
  }
});
