/**
 * The referee's page: the offer of an invitation, or the sign-up by a shared link.
 *
 * `#token=` opens an invitation: reading it changes nothing; the buttons do. `#link=` asks for an
 * address, and the offer is then confirmed from the mail. The page never says whether an address
 * may be invited.
 */

import { wireAddressForm } from "../shared/address-form.js";
import { apiPath, asProblem, callApi } from "../shared/api.js";
import { applyBrand } from "../shared/brand.js";
import { requestedCampaign } from "../shared/campaign.js";
import { byId, onClick, onSubmit, setLink } from "../shared/elements.js";
import { formatDay } from "../shared/format.js";
import { showProblem } from "../shared/form-errors.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { clear, setCampaignText, setText } from "../shared/page-text.js";
import { showPrivacy } from "../shared/privacy.js";
import { showState } from "../shared/states.js";
import { showVouchers } from "../shared/vouchers.js";

const campaignId = requestedCampaign();
const { token = "", link = "" } = takeFragment("token", "link");
/** The terms the reader sees, which are those a confirmation accepts. */
let termsVersion = "";

async function load() {
  try {
    if (token) showInvitation(await callApi("GET", apiPath`/v1/invitations/${token}`));
    else if (link) showSignUp(await callApi("GET", apiPath`/v1/campaigns/${campaignId}`));
    else showState("missing-link");
  } catch (error) {
    if (isGone(error)) {
      showState(token ? "ended" : "unknown-link");
      return;
    }
    showProblem(byId("failure-reason"), error);
    showState("failure");
  }
}

/**
 * Whether the invitation or the campaign is no longer there.
 *
 * @param {unknown} error
 */
function isGone(error) {
  return [404, 410].includes(asProblem(error).status);
}

/** @param {OfferAnswer} invitation */
function showInvitation(invitation) {
  const { brand, sponsor, offer, terms, state, closes_on: closesOn } = invitation;
  const { vouchers, marketing_consent: consents } = invitation;
  applyBrand(brand);
  showPrivacy(invitation);
  if (sponsor?.first_name) {
    setText(byId("offer-title"), "offer.title", { name: sponsor.first_name, brand: brand.name });
  } else {
    setText(byId("offer-title"), "offer.title-without-name", { brand: brand.name });
  }
  setCampaignText(byId("offer"), offer);
  setText(byId("closes-on"), "offer.closes-on", { day: () => formatDay(closesOn) });
  termsVersion = terms.version;
  setText(byId("terms"), "offer.terms-link", { version: terms.version });
  setLink(byId("terms", HTMLAnchorElement), terms.url);
  setText(byId("marketing-consent-label"), "offer.consent", { brand: brand.name });
  setText(byId("news-text"), "news.text", { brand: brand.name });
  if (state === "confirmed") showConfirmed(vouchers, consents);
  else showState("offer");
}

/**
 * What the referee has: vouchers, and a consent that ends as easily as it was given.
 *
 * @param {SponsorVoucher[]} vouchers
 * @param {boolean} consents whether the brand may send its news
 */
function showConfirmed(vouchers, consents) {
  showVouchers(vouchers);
  byId("news").hidden = !consents;
  showState("confirmed");
}

onClick(byId("end-consent"), async () => {
  const notice = byId("news-notice");
  clear(notice);
  try {
    await callApi("POST", apiPath`/v1/invitations/${token}/consent-withdrawal`);
    byId("news").hidden = true;
    setText(notice, "news.ended");
  } catch (error) {
    showProblem(notice, error);
  }
});

/** @param {CampaignAnswer} campaign */
function showSignUp(campaign) {
  const { brand, offer, open } = campaign;
  applyBrand(brand);
  showPrivacy(campaign);
  setText(byId("sign-up-title"), "offer.title-without-name", { brand: brand.name });
  setCampaignText(byId("sign-up-offer"), offer);
  showState(open ? "sign-up" : "sign-up-closed");
}

onSubmit(byId("confirm", HTMLFormElement), async () => {
  const notice = byId("offer-notice");
  clear(notice);
  try {
    await callApi("POST", apiPath`/v1/invitations/${token}/confirmation`, {
      body: {
        terms_version: termsVersion,
        marketing_consent: byId("marketing-consent", HTMLInputElement).checked,
      },
    });
    showConfirmed([], byId("marketing-consent", HTMLInputElement).checked);
  } catch (error) {
    if (isGone(error)) showState("ended");
    else if (asProblem(error).status === 422) await showNewTerms(notice);
    else showProblem(notice, error);
  }
});

/** @param {HTMLElement} notice */
async function showNewTerms(notice) {
  await load();
  setText(notice, "offer.terms-changed");
}

onClick(byId("decline"), () => showState("decline"));
onClick(byId("cancel-decline"), () => showState("offer"));
onClick(byId("confirm-decline"), async () => {
  clear(byId("decline-notice"));
  try {
    await callApi("POST", apiPath`/v1/invitations/${token}/decline`);
    forgetFragment();
    showState("declined");
  } catch (error) {
    if (isGone(error)) showState("ended");
    else showProblem(byId("decline-notice"), error);
  }
});

wireAddressForm(
  byId("sign-up", HTMLFormElement),
  async (address) => {
    await callApi("POST", apiPath`/v1/campaigns/${campaignId}/links/${link}/sign-up`, {
      body: address,
    });
    showState("sign-up-sent");
  },
  (problem) => {
    if (problem.status === 404) showState("unknown-link");
    else if (problem.kind === "over-quota") showState("sign-up-full");
    else if (problem.kind === "closed") showState("sign-up-closed");
    else return false;
    return true;
  },
);

onClick(byId("retry"), load);
load();
