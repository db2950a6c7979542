/**
 * Applies a campaign's brand to the page: name, logo, colours, and who is behind it.
 */

import { byId, setLink } from "./elements.js";
import { setText } from "./page-text.js";

/** What text and lines in the brand's colour stand on, in the light and in the dark. */
const CARDS = { light: "#ffffff", dark: "#1b211e" };
const READABLE = 6; // WCAG 2.2, 1.4.3 asks for 4.5

/** Whose brand the page has; empty before. */
let applied = "";

/** Whether the page has a brand yet. */
export function hasBrand() {
  return applied !== "";
}

/**
 * Puts the brand's name and logo in the header, who is behind it in the footer, and its colour on
 * buttons, tickets and the top line.
 *
 * @param {BrandAnswer} brand
 */
export function applyBrand(brand) {
  applied = brand.name;
  byId("brand").textContent = brand.name;
  showLogo(brand);
  showContact(brand);
  applyColour(brand.colour ?? "");
}

/** @param {BrandAnswer} brand */
function showLogo({ name, logo }) {
  const image = byId("brand-logo", HTMLImageElement);
  image.hidden = !logo;
  byId("brand").hidden = !!logo;
  if (!logo) return;
  image.alt = name;
  image.width = Math.round((logo.width / logo.height) * image.height);
  image.src = logo.path;
}

/** @param {BrandAnswer} brand */
function showContact({ name, contact, legal }) {
  const owner = [legal?.name, legal?.address, legal?.registration].filter(Boolean).join(", ");
  setText(byId("owner"), "page.owner", { name: owner || name });
  const link = byId("contact", HTMLAnchorElement);
  link.hidden = !contact;
  if (contact) link.href = `mailto:${encodeURIComponent(contact).replace("%40", "@")}`;
}

/** @param {string} given `#rrggbb` */
function applyColour(given) {
  const colour = /^#[0-9a-f]{6}$/i.exec(given)?.[0];
  if (!colour) return;
  // Set through the CSSOM: the pages' content security policy forbids style attributes.
  const { style } = document.documentElement;
  style.setProperty("--brand", colour);
  style.setProperty("--on-brand", textColourOn(colour));
  for (const [scheme, card] of Object.entries(CARDS)) {
    style.setProperty(`--tint-${scheme}`, mixed(colour, card, 0.1));
    style.setProperty(`--accent-${scheme}`, readableOn(colour, mixed(colour, card, 0.1)));
  }
  document.getElementById("theme-colour")?.setAttribute("content", colour);
}

/**
 * Fills in the links that follow from the campaign's terms.
 *
 * @param {{terms?: TermsAnswer | null}} campaign
 */
export function applyTerms({ terms }) {
  setLink(byId("page-terms", HTMLAnchorElement), terms?.url);
}

/**
 * Black or white, whichever has the better contrast on `colour`.
 *
 * @param {string} colour `#rrggbb`
 */
export function textColourOn(colour) {
  return contrast(colour, "#ffffff") >= contrast(colour, "#000000") ? "#ffffff" : "#000000";
}

/**
 * `colour`, made lighter or darker until it can be read on `ground`.
 *
 * @param {string} colour
 * @param {string} ground
 */
export function readableOn(colour, ground) {
  const towards = textColourOn(ground);
  for (let share = 1; share > 0; share -= 0.05) {
    const tried = mixed(colour, towards, share);
    if (contrast(tried, ground) >= READABLE) return tried;
  }
  return towards;
}

/**
 * @param {string} colour
 * @param {string} other
 * @param {number} share of `colour`, from 0 to 1
 */
function mixed(colour, other, share) {
  const from = channels(other);
  const parts = channels(colour).map((part, at) => part * share + from[at] * (1 - share));
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** @param {string} colour */
function channels(colour) {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}

/**
 * The contrast of two colours (WCAG relative luminance).
 *
 * @param {string} one
 * @param {string} other
 */
export function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = channels(colour).map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
