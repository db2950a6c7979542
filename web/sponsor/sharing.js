/**
 * The sponsor's own link: copying it, its QR code, WhatsApp, and the device's share sheet.
 */

import { copyValue } from "../shared/clipboard.js";
import { byId, onClick } from "../shared/elements.js";
import { campaignText, getText } from "../shared/language.js";
import { onLanguageChange } from "../shared/page-text.js";

let url = "";
/** @type {CampaignAnswer | null} */
let campaign = null;

/**
 * Shows the link, or that it is stopped. The message sent with it is made from `campaign`, and is the link alone without.
 *
 * @param {LinkAnswer} link
 * @param {CampaignAnswer | null} ofCampaign
 */
export function showLink(link, ofCampaign) {
  url = link.url;
  campaign = ofCampaign;
  byId("own-link", HTMLInputElement).value = url;
  const svg = encodeURIComponent(asDocument(link.qr_svg));
  byId("qr", HTMLImageElement).src = `data:image/svg+xml;charset=utf-8,${svg}`;
  byId("share").hidden = !navigator.share;
  byId("link-stopped").hidden = !link.stopped;
  byId("sharing-ways").hidden = link.stopped;
  writeMessage();
}

/**
 * An inline SVG as a document of its own, which has to name its namespace.
 *
 * @param {string} svg
 */
export function asDocument(svg) {
  if (svg.includes("xmlns=")) return svg;
  return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

/** Writes what depends on the language but is not text on the page. */
function writeMessage() {
  const whatsapp = byId("whatsapp", HTMLAnchorElement);
  whatsapp.href = `https://wa.me/?text=${encodeURIComponent(message())}`;
  byId("qr", HTMLImageElement).alt = getText("sharing.qr-alt");
}

function message() {
  if (!campaign) return url;
  const { brand, offer } = campaign;
  return getText("sharing.message", { brand: brand.name, offer: campaignText(offer), url });
}

/** Wires the buttons; called once. */
export function wireSharing() {
  const ownLink = byId("own-link", HTMLInputElement);
  ownLink.addEventListener("focus", () => ownLink.select());
  onClick(byId("copy-link"), () => copyValue(ownLink, byId("sharing-notice")));
  onClick(byId("share"), async () => {
    try {
      await navigator.share({ text: message() });
    } catch {
      // The reader closed the share sheet.
    }
  });
  onLanguageChange(() => {
    if (url) writeMessage();
  });
}
