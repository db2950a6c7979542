/**
 * What every page has around it: the campaign's brand, its languages, and the links at the foot.
 *
 * A page whose own answer names the brand (an invitation's) applies that one, and it stays.
 */

import { asProblem } from "./api.js";
import { applyBrand, applyTerms, hasBrand } from "./brand.js";
import { addressOf, askCampaign, requestedCampaign } from "./campaign.js";
import { byId } from "./elements.js";
import { offerLanguages } from "./page-text.js";

async function frame() {
  byId("rights", HTMLAnchorElement).href = addressOf("/privacy/");
  byId("home", HTMLAnchorElement).href = addressOf("/");
  if (!requestedCampaign() || !document.querySelector("[data-branded]")) return;
  try {
    const answer = await askCampaign();
    if (!hasBrand()) applyBrand(answer.brand);
    applyTerms(answer);
    offerLanguages(answer.locales);
  } catch (error) {
    asProblem(error); // Without a brand the page works all the same, and says what else fails.
  }
}

frame();
