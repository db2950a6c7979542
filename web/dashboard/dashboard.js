/**
 * The dashboard: the campaign's counts, asked for again every five seconds while the page is on
 * view.
 *
 * A failed refresh never takes the last numbers away; the page says how old they are. The access
 * token lives in this tab alone.
 */

import { call, ProblemError, route } from "/shared/api.js";
import { onSend, part } from "/shared/elements.js";
import { moment } from "/shared/format.js";
import { takeFragment, forgetFragment } from "/shared/fragment.js";
import { hush, onLanguage, say } from "/shared/language.js";
import { absolve, blame, tellProblem } from "/shared/problems.js";
import { forgetInTab, keepInTab, keptInTab } from "/shared/session.js";
import { campaignAsked } from "/shared/site.js";
import { presentNumbers } from "/dashboard/numbers.js";

const EVERY_MS = 5_000;

/** What is being shown: `{campaign, token}`, or null while there is nobody to ask for. */
let access = null;
let numbers = null;
let timer = null;

function connect(campaign, token) {
  access = { campaign, token };
  numbers = null;
  keepInTab("access", access);
  part("connect").hidden = true;
  refresh();
}

function disconnect() {
  access = null;
  clearTimeout(timer);
  forgetInTab("access");
  part("access-token").value = "";
  part("connected").hidden = true;
  part("connect").hidden = false;
}

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return; // Goes on when the page is on view again.
  const asked = access;
  try {
    const path = route`/v1/ops/campaigns/${asked.campaign}/dashboard`;
    const answer = await call("GET", path, { bearer: asked.token });
    if (asked !== access) return;
    present(answer);
    hush(part("notice"));
  } catch (error) {
    if (asked !== access) return;
    if ([401, 403, 404].includes(error.status)) {
      refuse(error.status === 404 ? "dashboard.unknown" : "dashboard.refused-access");
      return;
    }
    tellFailure(error);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY_MS);
}

/** Told once, not at every attempt: a live region that repeats itself is noise. */
function tellFailure(error) {
  const notice = part("notice");
  if (notice.textContent) return;
  if (numbers && error instanceof ProblemError) say(notice, "dashboard.stale");
  else tellProblem(notice, error);
}

function refuse(key) {
  disconnect();
  say(part("notice"), key);
  part("campaign").focus();
}

function present(answer) {
  // Redrawing what has not changed would take away a selection, or the place in a scrolled table.
  const { as_of: _, ...counts } = answer;
  const { as_of: __, ...countsBefore } = numbers ?? {};
  const changed = JSON.stringify(counts) !== JSON.stringify(countsBefore);
  numbers = answer;
  const { campaign, version, as_of: asOf, time_zone: zone } = answer;
  say(part("connected-to"), "dashboard.connected", { campaign, version });
  say(part("as-of"), "dashboard.as-of", { moment: () => moment(asOf, zone), zone });
  if (changed) presentNumbers(answer);
  part("connected").hidden = false;
  part("numbers").hidden = false;
}

onSend(part("connect"), () => {
  hush(part("notice"));
  const fields = [part("campaign"), part("access-token")];
  fields.forEach(absolve);
  const empty = fields.filter((field) => !field.value.trim());
  for (const field of empty) blame(field, "dashboard.missing");
  if (empty.length) empty[0].focus();
  else connect(...fields.map((field) => field.value.trim()));
});
part("disconnect").addEventListener("click", () => {
  disconnect();
  numbers = null;
  part("numbers").hidden = true;
  hush(part("notice"));
  part("campaign").focus();
});
document.addEventListener("visibilitychange", () => access && refresh());
onLanguage(() => numbers && presentNumbers(numbers));

function begin() {
  const { token } = takeFragment("token");
  forgetFragment(); // It is kept with the campaign instead.
  part("campaign").value = campaignAsked();
  const kept = keptInTab("access");
  if (token) connect(campaignAsked(), token);
  else if (kept) connect(kept.campaign, kept.token);
}

begin();
