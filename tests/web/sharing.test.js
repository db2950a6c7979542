import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { emptyPage, put } from "./document.js";
import { svgAddress } from "../../web/shared/vouchers.js";
import { showLink } from "../../web/sponsor/sharing.js";

test("an inline SVG becomes a document by naming its namespace, once", () => {
  const named = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>';
  const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
  assert.equal(svgAddress('<svg viewBox="0 0 1 1"></svg>'), address);
  assert.equal(svgAddress(named), address);
});

const LINK = { url: "https://t.example/referee/?campaign=a&b#link=K7", qr_svg: "<svg></svg>" };
const BENEFIT = { value: "10.00", minimum_basket: "40.00", when: {} };
const campaign = (share, benefits) => ({
  brand: { name: "Maison & Verte" },
  currency: "EUR",
  share: share && { en: share },
  benefits: { sponsor: [], referee: benefits },
});

/** What is shared of that campaign. */
function shared(ofCampaign) {
  emptyPage();
  chooseLanguage("en");
  put("input", { id: "own-link" });
  put("img", { id: "qr" });
  put("button", { id: "share" });
  put("p", { id: "link-stopped" });
  put("div", { id: "sharing-ways" });
  put("textarea", { id: "message" });
  const whatsapp = put("a", { id: "whatsapp" });
  showLink(LINK, ofCampaign);
  return new URL(whatsapp.href).searchParams.get("text");
}

test("the campaign's message is filled with what the referee gets first, and the whole link", () => {
  const own = "At {brand}: {value} off {minimum_basket}";
  assert.equal(shared(campaign(own, [BENEFIT])), `At Maison & Verte: €10 off €40 ${LINK.url}`);
});

test("a message with a promise that no rule keeps is not proposed", () => {
  const plain = `I shop at Maison & Verte. Here is my link: ${LINK.url}`;
  assert.equal(shared(campaign("Get {value} at {brand}", [])), plain);
  assert.equal(shared(campaign(null, [])), plain);
  const promised = `I shop at Maison & Verte. With my link you get €10: ${LINK.url}`;
  assert.equal(shared(campaign(null, [BENEFIT])), promised);
});

test("without a campaign the link alone is shared", () => {
  assert.equal(shared(null), LINK.url);
});
