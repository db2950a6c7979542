/**
 * The campaigns to choose from, in the head of the page: each is one brand's in one country.
 *
 * The list is asked for once in a session of the tab, after the numbers. Without it a campaign is
 * typed, as before.
 */

import { byId, createElement } from "../shared/elements.js";
import { campaignText, currentLanguage } from "../shared/language.js";
import { onLanguageChange } from "../shared/page-text.js";
import { askSignedIn } from "./session.js";

/** @type {CampaignLineAnswer[] | null} */
let campaigns = null;
let shown = "";

/**
 * Offers the others beside the one that is shown; nothing where there is no other.
 *
 * @param {string} campaign
 */
export async function showCampaigns(campaign) {
  shown = campaign;
  try {
    campaigns ??= /** @type {CampaignsAnswer} */ (await askSignedIn("/v1/ops/campaigns")).campaigns;
  } catch {
    return; // The numbers say what is wrong, if anything is; the next campaign asks again.
  }
  draw();
}

function draw() {
  if (!campaigns) return;
  byId("campaigns").hidden = campaigns.every(({ campaign }) => campaign === shown);
  byId("campaign-switch").replaceChildren(
    ...groupsOf(campaigns).map(([name, some]) =>
      createElement("optgroup", { label: name }, ...some.map(optionOf)),
    ),
  );
  byId("campaign-switch", HTMLSelectElement).value = shown;
  byId("campaign-names").replaceChildren(
    ...campaigns.map(({ campaign, ...one }) =>
      createElement("option", { value: campaign }, `${placeOf(one)}: ${campaignText(one.title)}`),
    ),
  );
}

/** @param {CampaignLineAnswer} line */
function optionOf({ campaign, title }) {
  return createElement("option", { value: campaign }, `${campaignText(title)} (${campaign})`);
}

/** @param {Pick<CampaignLineAnswer, "brand" | "country">} line */
function placeOf({ brand, country }) {
  const names = new Intl.DisplayNames([currentLanguage()], { type: "region" });
  return `${brand} · ${names.of(country) ?? country}`;
}

/**
 * The campaigns of each brand in each country, in the order of the answer.
 *
 * @param {CampaignLineAnswer[]} every
 */
function groupsOf(every) {
  /** @type {Map<string, CampaignLineAnswer[]>} */
  const groups = new Map();
  for (const one of every) {
    const name = placeOf(one);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups];
}

/** @param {(campaign: string) => void} choose */
export function prepareCampaigns(choose) {
  const list = byId("campaign-switch", HTMLSelectElement);
  list.addEventListener("change", () => choose(list.value));
  onLanguageChange(draw);
}
