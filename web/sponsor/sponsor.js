/**
 * The sponsor's space: opening it from the mailed link, sharing, inviting, and the results.
 *
 * The session lives in this tab, or on this device where the sponsor asks for it. A 401 from any call leads back to the sign-in form; what was
 * entered stays in this tab, for her alone. The page never says why an invitation is closed: the API does not give
 * the reason. It promises what the campaign's rules grant, and says nothing of vouchers without any.
 */

import { wireAddressForm } from "../shared/address-form.js";
import { apiPath, asProblem, callApi } from "../shared/api.js";
import { showLadder } from "../shared/benefits.js";
import { askCampaign, requestedCampaign } from "../shared/campaign.js";
import { byId, onClick, onSubmit, within } from "../shared/elements.js";
import { clearFieldError, showFieldError, showProblem } from "../shared/form-errors.js";
import { formatCount, formatMoney } from "../shared/format.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { forgetOwnAddress, isOwnAddress, rememberOwnAddress } from "../shared/own-address.js";
import { clear, setCampaignText, setText, setValue } from "../shared/page-text.js";
import { showPrivacy } from "../shared/privacy.js";
import { showSent } from "../shared/sent.js";
import {
  forgetSession,
  keepSession,
  readSession,
  storedSessions,
} from "../shared/sponsor-session.js";
import { showState, visibleState } from "../shared/states.js";
import { forgetTyped, keepTyped } from "../shared/typed.js";
import { showVouchers } from "../shared/vouchers.js";
import { showInvitations } from "./entries.js";
import { wireInviteForm } from "./invite-form.js";
import { forgetLabels, keepLabels, readLabels } from "./labels.js";
import { forgetOwner, takeOver } from "./owner.js";
import { offerMailLanguages } from "./preview.js";
import { forgetMessage, showLink, wireSharing } from "./sharing.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */

const campaignId = requestedCampaign();
const { token } = takeFragment("token");
/** @type {CampaignAnswer | null} */
let campaign = null;

const inviteForm = wireInviteForm(
  {
    async send(body, idempotencyKey) {
      /** @type {{invitations: {id: string}[]} | null} */
      const answer = await callAsSponsor("POST", "/v1/sponsor/invitations", {
        body,
        headers: { "Idempotency-Key": idempotencyKey },
      });
      if (answer) keepLabels(campaignId, body.referees, answer.invitations);
      return answer !== null;
    },
    isOwn: (email) => isOwnAddress(campaignId, email),
    preview(body) {
      return callAsSponsor("POST", "/v1/sponsor/invitation-preview", { body });
    },
    async refresh() {
      await refresh();
      return visibleState() === "space";
    },
  },
  `draft.${campaignId}`,
);

/** The campaign and the space are asked for together. */
async function start() {
  showState("loading");
  const isSignedIn = !token && readSession(campaignId);
  const space = isSignedIn ? openSpace() : null;
  await loadCampaign();
  if (token) showState("welcome");
  else if (!space) showSignIn("sponsor.sign-in-text");
}

/** @type {Promise<void> | undefined} */
let campaignLoaded;

function loadCampaign() {
  campaignLoaded ??= takeCampaign();
  return campaignLoaded;
}

async function takeCampaign() {
  try {
    campaign = await askCampaign();
  } catch {
    campaign = null; // The space works without: it only lacks its brand and offer.
    campaignLoaded = undefined;
    return;
  }
  showPrivacy(campaign);
  offerMailLanguages(campaign.locales);
  const { benefits, sponsor_offer: offer, currency } = campaign;
  const ofSponsor = benefits?.sponsor ?? [];
  showLadder(byId("sponsor-ladder"), ofSponsor, "sponsor", currency);
  byId("sponsor-ladder").hidden = !ofSponsor.length || Object.keys(offer ?? {}).length > 0;
  byId("sponsor-offer").hidden = !ofSponsor.length || !Object.keys(offer ?? {}).length;
  if (ofSponsor.length) setCampaignText(byId("sponsor-offer"), offer ?? {});
}

/** @param {TextKey} reason why the reader is asked to sign in */
function showSignIn(reason) {
  setText(byId("sign-in-reason"), reason);
  showState("sign-in");
}

// The name goes with the link that it was typed for.
const typedFor = `${campaignId}.welcome.${token ?? ""}`;
const forgetWelcome = keepTyped(byId("welcome-first-name", HTMLInputElement), typedFor);
onSubmit(byId("welcome", HTMLFormElement), async () => {
  const notice = within(byId("welcome"), ".notice");
  const firstNameInput = byId("welcome-first-name", HTMLInputElement);
  clear(notice);
  clearFieldError(firstNameInput);
  const firstName = firstNameInput.value.trim();
  const staysHere = byId("stay", HTMLInputElement).checked;
  /** @type {SessionRequest} */
  const body = { token: token ?? "" };
  if (firstName) body.first_name = firstName;
  if (staysHere) body.stay_signed_in = true;
  try {
    /** @type {SessionAnswer} */
    const session = await callApi("POST", apiPath`/v1/campaigns/${campaignId}/sessions`, { body });
    forgetFragment();
    const former = storedSessions(campaignId);
    keepSession(campaignId, session, staysHere);
    endSessions(former);
    forgetWelcome();
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status === 401) {
      forgetFragment();
      forgetWelcome();
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

const forgetName = keepTyped(byId("own-first-name", HTMLInputElement), `${campaignId}.first-name`);
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
  if (!readSession(campaignId)) return;
  forgetName();
  await openSpace();
});

wireAddressForm(byId("sign-in", HTMLFormElement), async (address) => {
  const send = () =>
    callApi("POST", apiPath`/v1/campaigns/${campaignId}/sign-in`, { body: address });
  await send();
  rememberOwnAddress(campaignId, address.email);
  showSent(address.email, send, () => {
    showState("sign-in");
    byId("sign-in-email").focus();
  });
});

/**
 * Calls the API as the sponsor. When the session has ended, shows the sign-in form and returns
 * null.
 *
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, headers?: Record<string, string>, file?: string}} [options]
 * @returns {Promise<T | null>}
 */
async function callAsSponsor(method, path, options = {}) {
  const session = readSession(campaignId);
  try {
    return await callApi(method, path, { ...options, bearer: session?.session });
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    if (session) forgetSession(campaignId, session);
    if (!readSession(campaignId)) showSignIn("sponsor.signed-out");
    else if (method === "GET")
      return callAsSponsor(method, path, options); // in another tab
    // Who is signed in there may be somebody else: nothing entered here is sent in her name.
    else await openSpace();
    return null;
  }
}

async function openSpace() {
  try {
    /** @type {SponsorAnswer | null} */
    const space = await callAsSponsor("GET", "/v1/sponsor");
    if (!space) return;
    await loadCampaign();
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
  if (isOfAnother(link)) forgetEntries();
  if (name) setText(byId("greeting"), "sponsor.greeting", { name });
  else setText(byId("greeting"), "sponsor.greeting-without-name");
  // Every invitation names the sponsor, so nobody can be invited before there is a name.
  byId("naming").hidden = !!name;
  byId("sharing").hidden = !name || !link || !offersChannel("link");
  if (link) showLink(link, campaign);
  byId("inviting").hidden = !name || !offersChannel("email");
  inviteForm.showQuota(quota);
  setText(byId("read-as"), "inviting.read-as", { name, brand: campaign?.brand.name });
  showInvitations(invitations, readLabels(campaignId), campaign?.time_zone);
  const promised = !campaign || (campaign.benefits?.sponsor ?? []).length > 0;
  byId("own-vouchers").hidden = !promised && vouchers.length === 0;
  showVouchers(vouchers, campaign, ({ id }, kind, options) =>
    callAsSponsor("GET", apiPath`/v1/sponsor/vouchers/${id}/${kind}`, options),
  );
  showStats(invitations, vouchers, promised);
}

/**
 * What came of it so far, in three numbers.
 *
 * @param {InvitationAnswer[]} invitations
 * @param {SponsorVoucher[]} vouchers
 * @param {boolean} isPromised whether there is anything to earn
 */
function showStats(invitations, vouchers, isPromised) {
  const earned = vouchers.filter(({ state }) => state !== "ended");
  const total = String(earned.reduce((sum, { value }) => sum + Number(value), 0));
  const currency = vouchers[0]?.currency ?? campaign?.currency ?? "EUR";
  const count = (/** @type {string} */ state) =>
    formatCount(invitations.filter((one) => one.state === state).length);
  byId("earned-stat").hidden = !isPromised && !earned.length;
  setValue(byId("earned"), () => formatMoney(total, currency));
  setValue(byId("confirmed-count"), () => count("confirmed"));
  setValue(byId("pending-count"), () => count("pending"));
}

/**
 * Whether somebody else entered what is in this tab; from now on it is hers who is signed in.
 *
 * @param {LinkAnswer} link
 */
function isOfAnother({ code }) {
  return takeOver(campaignId, { link: code, session: readSession(campaignId)?.expires_at });
}

/** Forgets what was entered in this tab, on any page. */
function forgetEntries() {
  inviteForm.forget();
  forgetMessage();
  forgetTyped();
  for (const id of ["own-first-name", "sign-in-email"]) byId(id, HTMLInputElement).value = "";
}

/** Ends the session, here at once: a server that cannot be reached ends it by its age. */
async function signOut() {
  const sessions = storedSessions(campaignId);
  for (const session of sessions) forgetSession(campaignId, session);
  forgetLabels(campaignId);
  forgetOwnAddress(campaignId);
  forgetOwner(campaignId);
  forgetEntries();
  showSignIn("sponsor.signed-out");
  await endSessions(sessions);
}

/**
 * On the server, as far as it can be reached.
 *
 * @param {SessionAnswer[]} sessions
 */
async function endSessions(sessions) {
  for (const { session } of sessions) {
    try {
      await callApi("DELETE", "/v1/sponsor/session", { bearer: session });
    } catch (error) {
      asProblem(error);
    }
  }
}

/** @param {string} channel */
function offersChannel(channel) {
  return campaign?.channels.includes(channel) ?? true;
}

wireSharing(campaignId, async () => {
  /** @type {LinkAnswer | null} */
  const link = await callAsSponsor("POST", "/v1/sponsor/link");
  if (link) isOfAnother(link); // it is hers still
  return link;
});
onClick(byId("sign-out"), signOut);
onClick(byId("retry"), start);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && visibleState() === "space") refresh();
});
start();
