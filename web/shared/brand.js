/**
 * Dressing a page in its campaign's brand: name and colour.
 */

import { part } from "/shared/elements.js";

/** Puts the brand's name in the header and its colour on buttons and the top line. */
export function wear(brand) {
  part("brand").textContent = brand.name;
  const colour = /^#[0-9a-f]{6}$/i.exec(brand.colour ?? "")?.[0];
  if (!colour) return;
  // The CSSOM, not a style attribute: the pages' policy forbids those.
  const root = document.documentElement.style;
  root.setProperty("--brand", colour);
  root.setProperty("--on-brand", inkOn(colour));
}

/** Black or white, whichever has the better contrast on `colour` (WCAG relative luminance). */
function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}
