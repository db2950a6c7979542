/**
 * The sponsor's own link: copying it, its QR code, WhatsApp, and the device's share sheet.
 */

import { asProblem } from "../shared/api.js";
import { copyValue } from "../shared/clipboard.js";
import { byId, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { campaignText, getText } from "../shared/language.js";
import { clear, onLanguageChange, setText } from "../shared/page-text.js";

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

/**
 * Wires the buttons; called once.
 *
 * @param {() => Promise<LinkAnswer | null>} renew asks for a new link; null when the session ended
 */
export function wireSharing(renew) {
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
  onClick(byId("new-link"), () => askForNewLink(true));
  onClick(byId("keep-link"), () => askForNewLink(false));
  onClick(byId("confirm-new-link"), async () => {
    askForNewLink(false);
    try {
      const link = await renew();
      if (!link) return;
      showLink(link, campaign);
      setText(byId("new-link-made"), "sharing.new-link-made");
    } catch (error) {
      showNoNewLink(asProblem(error));
    }
  });
}

/** @param {boolean} asks whether the question is shown, or the button that leads to it */
function askForNewLink(asks) {
  clear(byId("new-link-notice"));
  clear(byId("new-link-made"));
  byId("new-link").hidden = asks;
  byId("new-link-question").hidden = !asks;
  byId(asks ? "confirm-new-link" : "new-link").focus();
}

/** @param {import("../shared/api.js").ProblemError} problem */
function showNoNewLink(problem) {
  const notice = byId("new-link-notice");
  if (problem.kind === "over-quota") setText(notice, "sharing.too-many-new-links");
  else showProblem(notice, problem);
}
