/**
 * The landing page: what the campaign offers, and the sign-in form.
 *
 * The answer to a sign-in is the same for everyone: only the mail says whether an address can take
 * part.
 */

import { wireAddressForm } from "./shared/address-form.js";
import { apiPath, asProblem, callApi } from "./shared/api.js";
import { applyBrand } from "./shared/brand.js";
import { requestedCampaign } from "./shared/campaign.js";
import { byId, onClick, setLink } from "./shared/elements.js";
import { formatDay } from "./shared/format.js";
import { showProblem } from "./shared/form-errors.js";
import { campaignText } from "./shared/language.js";
import { setCampaignText, setText } from "./shared/page-text.js";
import { showPrivacy } from "./shared/privacy.js";
import { showState } from "./shared/states.js";

const campaignId = requestedCampaign();
const signInForm = byId("sign-in", HTMLFormElement);

async function load() {
  try {
    show(await callApi("GET", apiPath`/v1/campaigns/${campaignId}`));
  } catch (error) {
    if (asProblem(error).status === 404) {
      showState("unknown-campaign");
      return;
    }
    showProblem(byId("failure-reason"), error);
    showState("failure");
  }
}

/** @param {CampaignAnswer} campaign */
function show(campaign) {
  applyBrand(campaign.brand);
  showPrivacy(campaign);
  if (!campaign.open) {
    showClosed(campaign);
    return;
  }
  setCampaignText(byId("title"), campaign.title);
  setCampaignText(byId("sponsor-offer"), campaign.sponsor_offer);
  setCampaignText(byId("referee-offer"), campaign.offer);
  setText(byId("dates"), "landing.dates", textValues(campaign));
  setLink(byId("terms", HTMLAnchorElement), campaign.terms?.url);
  showState("open");
}

/** @param {CampaignAnswer} campaign */
function showClosed(campaign) {
  const reason = reasonForClosing(campaign);
  setText(byId("closed-title"), `landing.${reason}.title`);
  setText(byId("closed-text"), `landing.${reason}.text`, textValues(campaign));
  showState("closed");
}

/**
 * Why a closed campaign is closed, by its own local date.
 *
 * @param {CampaignAnswer} campaign
 */
function reasonForClosing(campaign) {
  // Canadian English writes dates as ISO 8601 does, and the campaign's dates are compared as text.
  const isoDate = new Intl.DateTimeFormat("en-CA", { timeZone: campaign.time_zone });
  const today = isoDate.format(new Date());
  if (today < campaign.starts_on) return "opens-soon";
  return today > campaign.ends_on ? "ended" : "paused";
}

/** @param {CampaignAnswer} campaign */
function textValues(campaign) {
  return {
    title: () => campaignText(campaign.title),
    start: () => formatDay(campaign.starts_on),
    end: () => formatDay(campaign.ends_on),
  };
}

wireAddressForm(signInForm, async (address) => {
  await callApi("POST", apiPath`/v1/campaigns/${campaignId}/sign-in`, { body: address });
  signInForm.reset();
  showState("sign-in-sent");
});
onClick(byId("use-another-address"), () => {
  showState("open");
  byId("sign-in-email").focus();
});
onClick(byId("retry"), load);
load();
