/**
 * Applies a campaign's brand to the page: name and colour.
 */

import { byId } from "./elements.js";

/**
 * Puts the brand's name in the header, and its colour on buttons and the top line.
 *
 * @param {BrandAnswer} brand
 */
export function applyBrand(brand) {
  byId("brand").textContent = brand.name;
  const colour = /^#[0-9a-f]{6}$/i.exec(brand.colour ?? "")?.[0];
  if (!colour) return;
  // Set through the CSSOM: the pages' content security policy forbids style attributes.
  const rootStyle = document.documentElement.style;
  rootStyle.setProperty("--brand", colour);
  rootStyle.setProperty("--on-brand", textColourOn(colour));
}

/**
 * Black or white, whichever has the better contrast on `colour` (WCAG relative luminance).
 *
 * @param {string} colour `#rrggbb`
 */
export function textColourOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = parseInt(colour.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const contrastWithWhite = 1.05 / (luminance + 0.05);
  const contrastWithBlack = (luminance + 0.05) / 0.05;
  return contrastWithWhite >= contrastWithBlack ? "#ffffff" : "#000000";
}
