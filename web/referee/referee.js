/**
 * The referee's page: the offer of an invitation, or the sign-up by a shared link.
 *
 * `#token=` opens an invitation: reading it changes nothing; the buttons do. The same link shows the
 * vouchers later. A shared link (`/p/{code}`, or `#link=` as it was before) asks for an address, and
 * the offer is then confirmed from the mail. The page never says whether an address may be invited,
 * and promises what the rules grant.
 */

import { wireAddressForm } from "../shared/address-form.js";
import { apiPath, asProblem, callApi, ProblemError } from "../shared/api.js";
import { createTicket, showLadder, waitForReturns } from "../shared/benefits.js";
import { applyBrand } from "../shared/brand.js";
import { askCampaign, requestedCampaign } from "../shared/campaign.js";
import { byId, onClick, onSubmit, setLink } from "../shared/elements.js";
import { formatDay } from "../shared/format.js";
import { showProblem } from "../shared/form-errors.js";
import { takeFragment } from "../shared/fragment.js";
import { given } from "../shared/given.js";
import { clear, setCampaignText, setText } from "../shared/page-text.js";
import { showPrivacy } from "../shared/privacy.js";
import { showState, visibleState } from "../shared/states.js";
import { showVouchers } from "../shared/vouchers.js";
import { wireDecline } from "./decline.js";
import { showTimeline } from "./timeline.js";

const campaignId = requestedCampaign();
const { token = "", link = given?.link ?? "" } = given ? {} : takeFragment("token", "link");
/** The terms the reader sees, which are those a confirmation accepts. */
let termsVersion = "";
/** @type {CampaignAnswer | null} */
let campaign = null;

async function load() {
  try {
    if (token) await loadInvitation();
    else if (given?.status) throw new ProblemError(given.status);
    else if (link) await loadSignUp();
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

async function loadInvitation() {
  /** @type {Promise<OfferAnswer>} */
  const invitation = callApi("GET", apiPath`/v1/invitations/${token}`);
  const [offer, ofCampaign] = await Promise.allSettled([invitation, askCampaign()]);
  if (ofCampaign.status === "fulfilled") {
    campaign = ofCampaign.value;
    setLink(byId("ended-shop", HTMLAnchorElement), campaign.brand.shop_url ?? undefined);
  } else asProblem(ofCampaign.reason); // The offer stands on its own, without its steps.
  if (offer.status === "rejected") throw offer.reason;
  showInvitation(offer.value);
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
  const { brand, sponsor, terms, state, vouchers, marketing_consent: consents } = invitation;
  if (campaign && campaign.campaign !== invitation.campaign) campaign = null;
  applyBrand(brand);
  showPrivacy(invitation);
  const name = sponsor?.first_name;
  showInitial("initial", name);
  if (name) setText(byId("offer-title"), "offer.title", { name, brand: brand.name });
  else setText(byId("offer-title"), "offer.title-without-name", { brand: brand.name });
  showOffer(invitation);
  showReasons(invitation);
  termsVersion = terms.version;
  setText(byId("terms"), "offer.terms-link", { version: terms.version });
  setLink(byId("terms", HTMLAnchorElement), terms.url);
  setText(byId("marketing-consent-label"), "offer.consent", { brand: brand.name });
  setText(byId("news-text"), "news.text", { brand: brand.name });
  setLink(byId("shop", HTMLAnchorElement), brand.shop_url ?? undefined);
  if (state === "confirmed") showConfirmed(vouchers, consents);
  else showState("offer");
}

/**
 * @param {string} id
 * @param {string | null | undefined} name
 */
function showInitial(id, name) {
  byId(id).textContent = name ? [...name][0].toUpperCase() : "";
  byId(id).hidden = !name;
}

/** @param {OfferAnswer} invitation */
function showOffer({ offer, closes_on: closesOn }) {
  setText(byId("closes-on"), "offer.closes-on", { day: () => formatDay(closesOn) });
  showPromise("offer", "offer-ticket", "ladder", offer);
  byId("kept-note").hidden = !waitForReturns(campaign?.benefits?.referee ?? []);
}

/**
 * What is offered: a ticket, the campaign's own words if it has some, and the steps.
 *
 * @param {string} words
 * @param {string} ticket
 * @param {string} ladder
 * @param {CampaignTexts} texts
 */
function showPromise(words, ticket, ladder, texts) {
  const benefits = campaign?.benefits?.referee ?? [];
  const currency = campaign?.currency ?? "EUR";
  const [first] = benefits;
  byId(ticket).replaceChildren(...(first ? [createTicket({ ...first, currency })] : []));
  showLadder(byId(ladder), benefits.length > 1 ? benefits : [], "referee", currency);
  byId(words).hidden = Object.keys(texts ?? {}).length === 0;
  setCampaignText(byId(words), texts ?? {});
}

/** @param {OfferAnswer} invitation */
function showReasons({ brand, sponsor, controller, closes_on: closesOn }) {
  const values = { brand: brand.name, name: sponsor?.first_name, day: () => formatDay(closesOn) };
  setText(byId("why-who"), sponsor?.first_name ? "why.who" : "why.who-without-name", values);
  setText(byId("why-once"), "why.once", values);
  byId("why-controller").hidden = !controller;
  setText(byId("why-controller"), "why.controller", { ...controller });
  setText(byId("genuine"), "genuine.title", values);
  const key = brand.support_url ? "genuine.text" : "genuine.text-contact";
  setText(byId("genuine-text"), key, { ...values, contact: brand.contact, host: location.host });
  setLink(byId("genuine-link", HTMLAnchorElement), brand.support_url ?? undefined);
}

/**
 * What the referee has: vouchers, and a consent that ends as easily as it was given.
 *
 * @param {SponsorVoucher[]} vouchers
 * @param {boolean} consents whether the brand may send its news
 */
function showConfirmed(vouchers, consents) {
  showVouchers(vouchers, campaign, ({ id }, kind, options) =>
    callApi("GET", apiPath`/v1/invitations/${token}/vouchers/${id}/${kind}`, options),
  );
  const benefits = campaign?.benefits?.referee ?? [];
  const currency = campaign?.currency ?? "EUR";
  for (const id of ["vouchers-title", "vouchers"]) byId(id).hidden = !vouchers.length;
  byId("no-vouchers").hidden = vouchers.length > 0 || benefits.length === 0;
  showTimeline(byId("timeline"), vouchers, campaign);
  const isUsable = vouchers.some(({ state }) => state === "available");
  byId("shop").hidden = isUsable || !byId("shop").getAttribute("href"); // A ticket has its own.
  const further = benefits.filter(({ when }) => when.trigger !== "referral_confirmed");
  byId("next").hidden = further.length === 0;
  showLadder(byId("next-ladder"), further, "referee", currency);
  byId("news").hidden = !consents;
  showState("confirmed");
}

/** Shows what became of the vouchers meanwhile; whatever fails, the page stays as it is. */
async function refresh() {
  try {
    /** @type {OfferAnswer} */
    const {
      state,
      vouchers,
      marketing_consent: consents,
    } = await callApi("GET", apiPath`/v1/invitations/${token}`);
    if (state === "confirmed" && visibleState() === "confirmed") showConfirmed(vouchers, consents);
  } catch (error) {
    asProblem(error);
  }
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

/** Who shares the link is asked for beside the campaign; a page that came with both asks nobody. */
async function loadSignUp() {
  const [found, shared] = await Promise.all([askCampaign(), given?.shared ?? askShared()]);
  showSignUp(found, shared);
}

/**
 * Who shares the link. Without an answer the page goes on without a name; a link that is not there
 * any more is an error.
 *
 * @returns {Promise<Pick<SharedLinkAnswer, "sponsor" | "open">>}
 */
async function askShared() {
  try {
    /** @type {SharedLinkAnswer} */
    const answer = await callApi("GET", apiPath`/v1/campaigns/${campaignId}/links/${link}`);
    return answer;
  } catch (error) {
    if (isGone(error)) throw error;
    return { sponsor: { first_name: null }, open: true };
  }
}

/**
 * @param {CampaignAnswer} found
 * @param {Pick<SharedLinkAnswer, "sponsor" | "open">} shared whose link it is, and if it is open
 */
function showSignUp(found, { sponsor: { first_name: name }, open }) {
  campaign = found;
  const { brand, offer } = campaign;
  applyBrand(brand);
  showPrivacy(campaign);
  showInitial("sign-up-initial", name);
  if (name) setText(byId("sign-up-title"), "offer.title", { name, brand: brand.name });
  else setText(byId("sign-up-title"), "offer.title-without-name", { brand: brand.name });
  showPromise("sign-up-offer", "sign-up-ticket", "sign-up-ladder", offer);
  showState(open && campaign.open ? "sign-up" : "sign-up-closed");
}

onSubmit(byId("confirm", HTMLFormElement), async () => {
  const notice = byId("offer-notice");
  clear(notice);
  const consents = byId("marketing-consent", HTMLInputElement).checked;
  try {
    await callApi("POST", apiPath`/v1/invitations/${token}/confirmation`, {
      body: { terms_version: termsVersion, marketing_consent: consents },
    });
    showConfirmed([], consents);
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

wireDecline(token, () => showState("ended"));

wireAddressForm(
  byId("sign-up", HTMLFormElement),
  async (address) => {
    await callApi("POST", apiPath`/v1/campaigns/${campaignId}/links/${link}/sign-up`, {
      body: address,
    });
    setText(byId("sign-up-to"), "sign-in-sent.to", { email: address.email });
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
onClick(byId("correct-address"), () => {
  showState("sign-up");
  byId("sign-up-email").focus();
});
onClick(byId("retry"), () => (given?.status ? location.reload() : load()));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && visibleState() === "confirmed") refresh();
});
load();
