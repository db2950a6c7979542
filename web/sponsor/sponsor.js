/**
 * The sponsor's space: entering it from the mailed link, sharing, inviting, and what became of it.
 *
 * The session lives in this tab alone. A 401 at any call leads back to the sign-in form. The page
 * never says why an invitation is closed: it does not know.
 */

import { addressForm } from "/shared/address-form.js";
import { call, route } from "/shared/api.js";
import { wear } from "/shared/brand.js";
import { copyFrom } from "/shared/copying.js";
import { onPress, onSend, part } from "/shared/elements.js";
import { forgetFragment, takeFragment } from "/shared/fragment.js";
import { hush, onLanguage, say, sayIn, text, wording } from "/shared/language.js";
import { absolve, blame, tellProblem } from "/shared/problems.js";
import { forgetInTab, keepInTab, keptInTab } from "/shared/session.js";
import { campaignAsked } from "/shared/site.js";
import { show, shown } from "/shared/states.js";
import { presentInvitations, presentVouchers } from "/sponsor/entries.js";
import { blameRow, inviteRows } from "/sponsor/invite-rows.js";

const name = campaignAsked();
const sessionName = `session.${name}`;
const { token } = takeFragment("token");
let campaign = null;
let space = null;
/** The last submission not known to be taken in: sent again unchanged, it keeps its key. */
let submission = null;

const rows = inviteRows(part("rows"), part("add-row"), () =>
  Math.min(space?.quota.per_call ?? 1, space?.quota.left ?? 1),
);

async function begin() {
  show("loading");
  await loadCampaign();
  if (token) show("entrance");
  else if (keptInTab(sessionName)) await openSpace();
  else backToSignIn("sponsor.first-time");
}

async function loadCampaign() {
  try {
    campaign = await call("GET", route`/v1/campaigns/${name}`);
    wear(campaign.brand);
    sayIn(part("sponsor-offer"), campaign.sponsor_offer);
  } catch {
    campaign = null; // Only its looks are missing; what the sponsor came for does not need them.
  }
}

function backToSignIn(reason) {
  forgetInTab(sessionName);
  say(part("sign-in-reason"), reason);
  show("sign-in");
}

onSend(part("entrance"), async () => {
  const notice = part("entrance").querySelector(".notice");
  hush(notice);
  const firstName = part("entrance-first-name");
  absolve(firstName);
  const called = firstName.value.trim();
  try {
    const opened = await call("POST", route`/v1/campaigns/${name}/sessions`, {
      body: called ? { token, first_name: called } : { token },
    });
    forgetFragment();
    keepInTab(sessionName, opened);
  } catch (error) {
    if (error.status === 401) {
      forgetFragment();
      backToSignIn("sponsor.link-over");
    } else if (error.errors.some(({ field }) => field === "first_name")) {
      blame(firstName, "reason.first-name");
      firstName.focus();
    } else tellProblem(notice, error);
    return;
  }
  await openSpace();
});

addressForm(part("sign-in"), async (address) => {
  await call("POST", route`/v1/campaigns/${name}/sign-in`, { body: address });
  show("sent");
});

/** Calls as the sponsor; a session that is over leads back to the sign-in form and answers null. */
async function callAsSponsor(method, path, options) {
  try {
    return await call(method, path, { ...options, bearer: keptInTab(sessionName)?.session });
  } catch (error) {
    if (error.status !== 401) throw error;
    backToSignIn("sponsor.session-over");
    return null;
  }
}

async function openSpace() {
  try {
    const answer = await callAsSponsor("GET", "/v1/sponsor");
    if (!answer) return;
    present(answer);
    show("space");
  } catch (error) {
    tellProblem(part("failure-reason"), error);
    show("failure");
  }
}

async function refresh() {
  const notice = part("space-notice");
  try {
    const answer = await callAsSponsor("GET", "/v1/sponsor");
    if (answer) present(answer);
    hush(notice);
  } catch (error) {
    tellProblem(notice, error);
  }
}

function present(answer) {
  space = answer;
  if (space.first_name) say(part("greeting"), "sponsor.greeting", { name: space.first_name });
  else say(part("greeting"), "sponsor.greeting-plain");
  presentSharing();
  presentQuota();
  presentInvitations(space.invitations, campaign?.time_zone);
  presentVouchers(space.vouchers, campaign?.time_zone);
}

function offers(channel) {
  return campaign?.channels?.includes(channel) ?? true;
}

function presentSharing() {
  const { link } = space;
  part("sharing").hidden = !link || !offers("link");
  if (part("sharing").hidden) return;
  part("own-link").value = link.url;
  part("qr").src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standing(link.qr_svg))}`;
  part("share").hidden = !navigator.share;
  presentMessage();
}

/** An inline SVG as a document of its own, which must name its namespace. */
function standing(svg) {
  if (svg.includes("xmlns=")) return svg;
  return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

/** What depends on the language without being text on the page. */
function presentMessage() {
  part("whatsapp").href = `https://wa.me/?text=${encodeURIComponent(message())}`;
  part("qr").alt = text("sharing.qr-alternative");
}

function message() {
  const { url } = space.link;
  if (!campaign) return url;
  const { brand, offer } = campaign;
  return text("sharing.message", { brand: brand.name, offer: wording(offer), url });
}

function presentQuota() {
  const { left } = space.quota;
  part("inviting").hidden = !offers("email");
  part("invite").hidden = left === 0;
  say(part("quota"), left === 0 ? "inviting.quota-none" : "inviting.quota", { count: left });
  rows.number();
}

onPress(part("copy-link"), () => copyFrom(part("own-link"), part("sharing-notice")));
onPress(part("share"), async () => {
  try {
    await navigator.share({ text: message() });
  } catch {
    // Closing the share sheet is no failure.
  }
});
part("own-link").addEventListener("focus", (event) => event.target.select());

onSend(part("invite"), async () => {
  const notice = part("invite-notice");
  hush(notice);
  hush(part("invite-done"));
  rows.absolve();
  const filled = rows.filled();
  const bare = filled.length ? filled.find(({ referee }) => !referee.email)?.row : rows.first();
  if (bare) {
    blameRow(bare, "email", { reason: "missing" }).focus();
    return;
  }
  const body = { referees: filled.map(({ referee }) => referee) };
  const contents = JSON.stringify(body);
  if (submission?.contents !== contents) submission = { contents, key: crypto.randomUUID() };
  try {
    const answer = await callAsSponsor("POST", "/v1/sponsor/invitations", {
      body,
      headers: { "Idempotency-Key": submission.key },
    });
    if (!answer) return;
    submission = null;
    rows.clear();
    await refresh();
    if (shown() === "space") say(part("invite-done"), "inviting.done", { count: filled.length });
  } catch (error) {
    if (error.errors.some(({ field }) => field === "referees")) say(notice, "inviting.too-many");
    else if (error.status !== 422 || !blameRows(filled, error)) tellProblem(notice, error);
  }
});

/** Puts each error beside its row; false when none of them is about a row. */
function blameRows(filled, error) {
  const blamed = error.errors.flatMap((fault) => {
    const [, at, field] = /^referees\[(\d+)\](?:\.(\w+))?$/.exec(fault.field) ?? [];
    const row = filled[at]?.row;
    return row ? [blameRow(row, field ?? "email", fault)] : [];
  });
  if (!blamed.length) return false;
  say(part("invite-notice"), "inviting.wrong", { count: blamed.length });
  blamed[0].focus();
  return true;
}

onPress(part("leave"), () => backToSignIn("sponsor.session-over"));
onPress(part("retry"), begin);
onLanguage(() => space?.link && presentMessage());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && shown() === "space") refresh();
});
begin();
