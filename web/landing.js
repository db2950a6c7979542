/**
 * The landing page: what the campaign offers, and the sign-in form.
 *
 * The answer to a sign-in is the same for everyone; whether an address may take part is told by
 * mail alone.
 */

import { addressForm } from "/shared/address-form.js";
import { call, route } from "/shared/api.js";
import { wear } from "/shared/brand.js";
import { onPress, part, pointTo } from "/shared/elements.js";
import { day } from "/shared/format.js";
import { say, sayIn, wording } from "/shared/language.js";
import { tellProblem } from "/shared/problems.js";
import { campaignAsked } from "/shared/site.js";
import { show } from "/shared/states.js";

const name = campaignAsked();

async function load() {
  try {
    present(await call("GET", route`/v1/campaigns/${name}`));
  } catch (error) {
    if (error.status === 404) {
      show("unknown");
      return;
    }
    tellProblem(part("failure-reason"), error);
    show("failure");
  }
}

function present(campaign) {
  wear(campaign.brand);
  const values = {
    title: () => wording(campaign.title),
    start: () => day(campaign.starts_on),
    end: () => day(campaign.ends_on),
  };
  if (!campaign.open) {
    presentClosed(campaign, values);
    return;
  }
  sayIn(part("title"), campaign.title);
  sayIn(part("sponsor-offer"), campaign.sponsor_offer);
  sayIn(part("offer"), campaign.offer);
  say(part("dates"), "landing.dates", values);
  pointTo(part("terms"), campaign.terms?.url);
  show("open");
}

function presentClosed(campaign, values) {
  // In the one region that writes dates as ISO 8601 does.
  const local = new Intl.DateTimeFormat("en-CA", { timeZone: campaign.time_zone });
  const today = local.format(new Date());
  if (today < campaign.starts_on) {
    say(part("closed-title"), "landing.soon.title");
    say(part("closed-text"), "landing.soon.text", values);
  } else if (today > campaign.ends_on) {
    say(part("closed-title"), "landing.ended.title");
    say(part("closed-text"), "landing.ended.text", values);
  } else {
    say(part("closed-title"), "problem.closed");
    say(part("closed-text"), "landing.paused.text", values);
  }
  show("closed");
}

addressForm(part("sign-in"), async (address) => {
  await call("POST", route`/v1/campaigns/${name}/sign-in`, { body: address });
  part("sign-in").reset();
  show("sent");
});
onPress(part("again"), () => {
  show("open");
  part("sign-in-email").focus();
});
onPress(part("retry"), load);
load();
