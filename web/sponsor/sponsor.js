/**
 * The sponsor's space: opening it from the mailed link, sharing, inviting, and the results.
 *
 * The session lives in this tab alone. A 401 from any call leads back to the sign-in form. The page
 * never says why an invitation is closed: the API does not give the reason.
 */

import { wireAddressForm } from "../shared/address-form.js";
import { apiPath, asProblem, callApi } from "../shared/api.js";
import { applyBrand } from "../shared/brand.js";
import { requestedCampaign } from "../shared/campaign.js";
import { byId, onClick, onSubmit, within } from "../shared/elements.js";
import { clearFieldError, showFieldError, showProblem } from "../shared/form-errors.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { clear, setCampaignText, setText } from "../shared/page-text.js";
import { showPrivacy } from "../shared/privacy.js";
import { showState, visibleState } from "../shared/states.js";
import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";
import { showVouchers } from "../shared/vouchers.js";
import { showInvitations } from "./entries.js";
import { wireInviteForm } from "./invite-form.js";
import { showLink, wireSharing } from "./sharing.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */

const campaignId = requestedCampaign();
const sessionName = `session.${campaignId}`;
const { token } = takeFragment("token");
/** @type {CampaignAnswer | null} */
let campaign = null;

const inviteForm = wireInviteForm({
  async send(body, idempotencyKey) {
    const answer = await callAsSponsor("POST", "/v1/sponsor/invitations", {
      body,
      headers: { "Idempotency-Key": idempotencyKey },
    });
    return answer !== null;
  },
  async refresh() {
    await refresh();
    return visibleState() === "space";
  },
});

async function start() {
  showState("loading");
  await loadCampaign();
  if (token) showState("welcome");
  else if (readFromTab(sessionName)) await openSpace();
  else showSignIn("sponsor.sign-in-text");
}

async function loadCampaign() {
  try {
    campaign = await callApi("GET", apiPath`/v1/campaigns/${campaignId}`);
  } catch {
    campaign = null; // The space works without: it only lacks its brand and offer.
    return;
  }
  if (!campaign) return;
  applyBrand(campaign.brand);
  showPrivacy(campaign);
  setCampaignText(byId("sponsor-offer"), campaign.sponsor_offer);
}

/** @param {TextKey} reason why the reader is asked to sign in */
function showSignIn(reason) {
  removeFromTab(sessionName);
  setText(byId("sign-in-reason"), reason);
  showState("sign-in");
}

onSubmit(byId("welcome", HTMLFormElement), async () => {
  const notice = within(byId("welcome"), ".notice");
  const firstNameInput = byId("welcome-first-name", HTMLInputElement);
  clear(notice);
  clearFieldError(firstNameInput);
  const firstName = firstNameInput.value.trim();
  try {
    const session = await callApi("POST", apiPath`/v1/campaigns/${campaignId}/sessions`, {
      body: firstName ? { token, first_name: firstName } : { token },
    });
    forgetFragment();
    storeInTab(sessionName, session);
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status === 401) {
      forgetFragment();
      showSignIn("sponsor.link-expired");
    } else if (problem.errors.some(({ field }) => field === "first_name")) {
      showFieldError(firstNameInput, "field-error.first-name");
      firstNameInput.focus();
    } else {
      showProblem(notice, problem);
    }
    return;
  }
  await openSpace();
});

onSubmit(byId("name", HTMLFormElement), async () => {
  const notice = within(byId("name"), ".notice");
  const firstNameInput = byId("own-first-name", HTMLInputElement);
  clear(notice);
  clearFieldError(firstNameInput);
  try {
    const body = { first_name: firstNameInput.value.trim() };
    await callAsSponsor("POST", "/v1/sponsor/first-name", { body });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.errors.some(({ field }) => field === "first_name")) {
      showFieldError(firstNameInput, "field-error.first-name");
      firstNameInput.focus();
    } else {
      showProblem(notice, problem);
    }
    return;
  }
  if (readFromTab(sessionName)) await openSpace();
});

wireAddressForm(byId("sign-in", HTMLFormElement), async (address) => {
  await callApi("POST", apiPath`/v1/campaigns/${campaignId}/sign-in`, { body: address });
  showState("sign-in-sent");
});

/**
 * Calls the API as the sponsor. When the session has ended, shows the sign-in form and returns
 * null.
 *
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, headers?: Record<string, string>}} [options]
 * @returns {Promise<T | null>}
 */
async function callAsSponsor(method, path, options = {}) {
  /** @type {SessionAnswer | null} */
  const session = readFromTab(sessionName);
  try {
    return await callApi(method, path, { ...options, bearer: session?.session });
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    showSignIn("sponsor.signed-out");
    return null;
  }
}

async function openSpace() {
  try {
    /** @type {SponsorAnswer | null} */
    const space = await callAsSponsor("GET", "/v1/sponsor");
    if (!space) return;
    showSpace(space);
    showState("space");
  } catch (error) {
    showProblem(byId("failure-reason"), error);
    showState("failure");
  }
}

async function refresh() {
  const notice = byId("space-notice");
  try {
    /** @type {SponsorAnswer | null} */
    const space = await callAsSponsor("GET", "/v1/sponsor");
    if (space) showSpace(space);
    clear(notice);
  } catch (error) {
    showProblem(notice, error);
  }
}

/** @param {SponsorAnswer} space */
function showSpace({ first_name: name, link, quota, invitations, vouchers }) {
  if (name) setText(byId("greeting"), "sponsor.greeting", { name });
  else setText(byId("greeting"), "sponsor.greeting-without-name");
  // Every invitation names the sponsor, so nobody can be invited before there is a name.
  byId("naming").hidden = !!name;
  byId("sharing").hidden = !name || !link || !offersChannel("link");
  if (link) showLink(link, campaign);
  byId("inviting").hidden = !name || !offersChannel("email");
  inviteForm.showQuota(quota);
  showInvitations(invitations, campaign?.time_zone);
  showVouchers(vouchers, campaign?.time_zone);
}

/** Ends the session, here at once: a server that cannot be reached ends it by its age. */
async function signOut() {
  /** @type {SessionAnswer | null} */
  const session = readFromTab(sessionName);
  showSignIn("sponsor.signed-out");
  try {
    await callApi("DELETE", "/v1/sponsor/session", { bearer: session?.session });
  } catch (error) {
    asProblem(error);
  }
}

/** @param {string} channel */
function offersChannel(channel) {
  return campaign?.channels.includes(channel) ?? true;
}

wireSharing(() => callAsSponsor("POST", "/v1/sponsor/link"));
onClick(byId("sign-out"), signOut);
onClick(byId("retry"), start);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && visibleState() === "space") refresh();
});
start();
