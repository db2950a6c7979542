/**
 * The landing page: what the campaign offers, and the sign-in form.
 *
 * What it promises follows from the campaign's rules (`benefits`). The answer to a sign-in is the
 * same for everyone: only the mail says whether an address can take part.
 */

import { wireAddressForm } from "./shared/address-form.js";
import { apiPath, asProblem, callApi } from "./shared/api.js";
import { createTicket, firstBenefit, showLadder, waitForReturns } from "./shared/benefits.js";
import { applyBrand } from "./shared/brand.js";
import { addressOf, askCampaign, requestedCampaign } from "./shared/campaign.js";
import { byId, onClick, setLink } from "./shared/elements.js";
import { formatDay, formatMoney } from "./shared/format.js";
import { showProblem } from "./shared/form-errors.js";
import { campaignText } from "./shared/language.js";
import { rememberOwnAddress } from "./shared/own-address.js";
import { setCampaignText, setText } from "./shared/page-text.js";
import { showPrivacy } from "./shared/privacy.js";
import { showSent } from "./shared/sent.js";
import { readSession } from "./shared/sponsor-session.js";
import { showState } from "./shared/states.js";

const campaignId = requestedCampaign();
const signInForm = byId("sign-in", HTMLFormElement);

async function load() {
  if (!campaignId) {
    showState("no-campaign");
    return;
  }
  try {
    show(await askCampaign());
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
  showPicture(campaign.brand);
  showTitle(campaign);
  showOffers(campaign);
  showWays(campaign);
  setText(byId("reserved"), "landing.reserved", { brand: campaign.brand.name });
  setText(byId("faq-who-answer"), "faq.who-answer", { brand: campaign.brand.name });
  setText(byId("dates"), "landing.dates", textValues(campaign));
  byId("open-space").hidden = !readSession(campaignId);
  byId("open-space-link", HTMLAnchorElement).href = addressOf("/sponsor/");
  showState("open");
}

/** @param {BrandAnswer} brand */
function showPicture({ picture }) {
  const image = byId("picture", HTMLImageElement);
  image.hidden = !picture;
  if (!picture) return;
  [image.width, image.height, image.src] = [picture.width, picture.height, picture.path];
}

/** @param {CampaignAnswer} campaign */
function showTitle(campaign) {
  const [give, get] = [firstBenefit(campaign, "referee"), firstBenefit(campaign, "sponsor")];
  const values = {
    brand: campaign.brand.name,
    give: () => formatMoney(give?.value ?? "0", campaign.currency),
    get: () => formatMoney(get?.value ?? "0", campaign.currency),
  };
  setText(byId("subtitle"), "landing.subtitle", values);
  byId("campaign-title").hidden = !give && !get;
  setCampaignText(byId("campaign-title"), campaign.title);
  if (give && get) setText(byId("title"), "landing.give-and-get", values);
  else if (give) setText(byId("title"), "landing.give", values);
  else if (get) setText(byId("title"), "landing.get", values);
  else setCampaignText(byId("title"), campaign.title);
}

/** @param {CampaignAnswer} campaign */
function showOffers(campaign) {
  const { benefits, currency } = campaign;
  const both = [...(benefits?.referee ?? []), ...(benefits?.sponsor ?? [])];
  byId("offers").hidden = both.length === 0;
  byId("kept-note").hidden = !waitForReturns(both);
  const give = showOwnWords("referee-offer", campaign.offer, benefits?.referee ?? []);
  const get = showOwnWords("sponsor-offer", campaign.sponsor_offer, benefits?.sponsor ?? []);
  showOffer("give", benefits?.referee ?? [], currency, give);
  showOffer("get", benefits?.sponsor ?? [], currency, get);
}

/**
 * @param {"give" | "get"} name
 * @param {BenefitAnswer[]} benefits
 * @param {string} currency
 * @param {boolean} hasWords whether the campaign says it in its own words: one step needs no more
 */
function showOffer(name, benefits, currency, hasWords) {
  byId(`you-${name}`).hidden = benefits.length === 0;
  const [first] = benefits;
  byId(`${name}-ticket`).replaceChildren(...(first ? [createTicket({ ...first, currency })] : []));
  const shown = hasWords && benefits.length === 1 ? [] : benefits;
  showLadder(byId(`${name}-ladder`), shown, "sponsor", currency);
}

/**
 * The campaign's own words, where it has some and its rules keep them; whether it has.
 *
 * @param {string} id
 * @param {CampaignTexts} texts
 * @param {BenefitAnswer[]} benefits
 */
function showOwnWords(id, texts, benefits) {
  const has = benefits.length > 0 && Object.keys(texts ?? {}).length > 0;
  byId(id).hidden = !has;
  if (has) setCampaignText(byId(id), texts);
  return has;
}

/** @param {CampaignAnswer} campaign */
function showWays({ channels, benefits }) {
  const byMail = channels.includes("email");
  const way = byMail && channels.includes("link") ? "both" : byMail ? "email" : "link";
  setText(byId("step-2"), `landing.step-2.${way}`);
  const isRewarded = (benefits?.sponsor ?? []).length > 0;
  setText(byId("step-3"), isRewarded ? "landing.step-3.rewarded" : "landing.step-3.plain");
  byId("faq-when").hidden = !isRewarded;
  for (const id of ["faq-many", "faq-addresses"]) byId(id).hidden = !byMail;
}

/** @param {CampaignAnswer} campaign */
function showClosed(campaign) {
  const reason = reasonForClosing(campaign);
  setText(byId("closed-title"), `landing.${reason}.title`);
  setText(byId("closed-text"), `landing.${reason}.text`, textValues(campaign));
  setLink(byId("closed-shop", HTMLAnchorElement), campaign.brand.shop_url ?? undefined);
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
  const send = () =>
    callApi("POST", apiPath`/v1/campaigns/${campaignId}/sign-in`, { body: address });
  await send();
  rememberOwnAddress(campaignId, address.email);
  showSent(address.email, send, () => {
    showState("open");
    byId("sign-in-email").focus();
  });
});
onClick(byId("retry"), load);
load();
