/**
 * The referee's page: the offer of an invitation, or the sign-up of a shared link.
 *
 * `#token=` opens an invitation: reading it changes nothing; the buttons do. `#link=` asks for an
 * address, and the offer is then confirmed from the mail. Whether an address may be invited is
 * never told here.
 */

import { addressForm } from "/shared/address-form.js";
import { call, route } from "/shared/api.js";
import { wear } from "/shared/brand.js";
import { onPress, onSend, part, pointTo } from "/shared/elements.js";
import { day } from "/shared/format.js";
import { forgetFragment, takeFragment } from "/shared/fragment.js";
import { hush, say, sayIn } from "/shared/language.js";
import { tellProblem } from "/shared/problems.js";
import { campaignAsked } from "/shared/site.js";
import { show } from "/shared/states.js";

const campaignName = campaignAsked();
const { token, link } = takeFragment("token", "link");
let invitation = null;

async function load() {
  try {
    if (token) presentInvitation(await call("GET", route`/v1/invitations/${token}`));
    else if (link) presentSignUp(await call("GET", route`/v1/campaigns/${campaignName}`));
    else show("no-token");
  } catch (error) {
    if ([404, 410].includes(error.status)) {
      show(token ? "over" : "unknown");
      return;
    }
    tellProblem(part("failure-reason"), error);
    show("failure");
  }
}

function presentInvitation(opened) {
  invitation = opened;
  const { brand, offer, terms, sponsor, closes_on: closesOn } = opened;
  wear(brand);
  if (sponsor?.first_name) {
    say(part("who-invites"), "offer.invites", { name: sponsor.first_name, brand: brand.name });
  } else {
    say(part("who-invites"), "offer.invites-plain", { brand: brand.name });
  }
  sayIn(part("offer"), offer);
  say(part("closes"), "offer.closes", { day: () => day(closesOn) });
  say(part("terms"), "offer.terms", { version: terms.version });
  pointTo(part("terms"), terms.url);
  say(part("marketing-label"), "offer.consent", { brand: brand.name });
  show(opened.state === "confirmed" ? "confirmed" : "offer");
}

function presentSignUp(campaign) {
  wear(campaign.brand);
  say(part("sign-up-title"), "offer.invites-plain", { brand: campaign.brand.name });
  sayIn(part("sign-up-offer"), campaign.offer);
  show(campaign.open ? "sign-up" : "closed");
}

onSend(part("confirm"), async () => {
  const notice = part("offer-notice");
  hush(notice);
  try {
    await call("POST", route`/v1/invitations/${token}/confirmation`, {
      body: {
        terms_version: invitation.terms.version,
        marketing_consent: part("marketing-consent").checked,
      },
    });
    show("confirmed");
  } catch (error) {
    if ([404, 410].includes(error.status)) show("over");
    else if (error.status === 422) await readTermsAgain(notice);
    else tellProblem(notice, error);
  }
});

async function readTermsAgain(notice) {
  await load();
  say(notice, "offer.new-terms");
}

onPress(part("decline"), () => show("declining"));
onPress(part("decline-not"), () => show("offer"));
onPress(part("decline-surely"), async () => {
  hush(part("declining-notice"));
  try {
    await call("POST", route`/v1/invitations/${token}/decline`);
    forgetFragment();
    show("declined");
  } catch (error) {
    if ([404, 410].includes(error.status)) show("over");
    else tellProblem(part("declining-notice"), error);
  }
});

addressForm(
  part("sign-up"),
  async (address) => {
    const firstName = part("sign-up-first-name").value.trim();
    await call("POST", route`/v1/campaigns/${campaignName}/links/${link}/sign-up`, {
      body: firstName ? { ...address, first_name: firstName } : address,
    });
    show("sent");
  },
  (error) => {
    if (error.status === 404) show("unknown");
    else if (["closed", "over-quota"].includes(error.kind)) show("closed");
    else return false;
    return true;
  },
);

onPress(part("retry"), load);
load();
