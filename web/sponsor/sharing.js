/**
 * The sponsor's own link: one button that shares it, copying it, and its QR code.
 *
 * The message is the campaign's, filled with what the referee gets first; the sponsor may change it.
 */

import { asProblem } from "../shared/api.js";
import { firstBenefit } from "../shared/benefits.js";
import { copyValue } from "../shared/clipboard.js";
import { byId, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { formatMoney } from "../shared/format.js";
import { campaignText, getText } from "../shared/language.js";
import { clear, onLanguageChange, setText } from "../shared/page-text.js";
import { keepTyped } from "../shared/typed.js";
import { svgAddress } from "../shared/vouchers.js";

let url = "";
/** @type {CampaignAnswer | null} */
let campaign = null;
let isOwnMessage = false;
let forgetTyped = () => {};

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
  byId("qr", HTMLImageElement).src = svgAddress(link.qr_svg);
  byId("share").hidden = !navigator.share;
  byId("whatsapp").hidden = !!navigator.share;
  byId("link-stopped").hidden = !link.stopped;
  byId("sharing-ways").hidden = link.stopped;
  writeMessage();
}

/** Writes what depends on the language but is not text on the page. */
function writeMessage() {
  const message = byId("message", HTMLTextAreaElement);
  if (!isOwnMessage) message.value = proposedMessage();
  updateWays();
  byId("qr", HTMLImageElement).alt = getText("sharing.qr-alt");
}

function updateWays() {
  const address = `https://wa.me/?text=${encodeURIComponent(wholeMessage())}`;
  byId("whatsapp", HTMLAnchorElement).href = address;
}

/** The message and the link. */
function wholeMessage() {
  return `${byId("message", HTMLTextAreaElement).value.trim()} ${url}`.trim();
}

/** The campaign's own message, else one that promises what the rules grant. */
function proposedMessage() {
  if (!campaign) return "";
  const benefit = firstBenefit(campaign, "referee");
  const { currency, brand } = campaign;
  /** @type {Record<string, string>} */
  const values = { brand: brand.name };
  if (benefit) {
    values.value = formatMoney(benefit.value, currency);
    values.minimum_basket = formatMoney(benefit.minimum_basket, currency);
  }
  const own = campaignText(campaign.share ?? {});
  const places = own.match(/\{(\w+)\}/g) ?? [];
  if (own && places.every((place) => place.slice(1, -1) in values)) {
    return own.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  return getText(benefit ? "sharing.message" : "sharing.message-plain", values);
}

/**
 * Wires the buttons; called once.
 *
 * @param {string} campaignId
 * @param {() => Promise<LinkAnswer | null>} renew asks for a new link; null when the session ended
 */
export function wireSharing(campaignId, renew) {
  const ownLink = byId("own-link", HTMLInputElement);
  const message = byId("message", HTMLTextAreaElement);
  forgetTyped = keepTyped(message, `${campaignId}.message`);
  isOwnMessage = message.value !== "";
  ownLink.addEventListener("focus", () => ownLink.select());
  message.addEventListener("input", () => {
    isOwnMessage = true;
    updateWays();
  });
  onClick(byId("copy-link"), () => copyValue(ownLink, byId("sharing-notice")));
  onClick(byId("show-qr"), () => byId("qr-sheet", HTMLDialogElement).showModal());
  onClick(byId("share"), async () => {
    try {
      await navigator.share({ text: wholeMessage() });
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

/** Forgets the sponsor's own message: she has signed out. */
export function forgetMessage() {
  forgetTyped();
  byId("message", HTMLTextAreaElement).value = "";
  isOwnMessage = false;
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
