/**
 * The dashboard: the campaign's counts, fetched again every five seconds while the page is visible.
 *
 * A failed refresh never removes the last numbers; the page says how old they are. The access token
 * is stored in this tab alone.
 */

import { apiPath, asProblem, callApi } from "../shared/api.js";
import { requestedCampaign } from "../shared/campaign.js";
import { byId, onSubmit } from "../shared/elements.js";
import { formatDateTime } from "../shared/format.js";
import { clearFieldError, showFieldError, showProblem } from "../shared/form-errors.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { clear, onLanguageChange, setText } from "../shared/page-text.js";
import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";
import { haveChanged } from "./numbers.js";
import { drawTables } from "./tables.js";

/** @typedef {{campaign: string, token: string}} Access */

const REFRESH_MS = 5_000;
const STORED_ACCESS = "access";

const campaignInput = byId("campaign", HTMLInputElement);
const tokenInput = byId("access-token", HTMLInputElement);
const notice = byId("notice");
/**
 * What is being shown; null while disconnected.
 * @type {Access | null}
 */
let access = null;
/** @type {DashboardAnswer | null} */
let lastAnswer = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Access} newAccess */
function connect(newAccess) {
  access = newAccess;
  lastAnswer = null;
  storeInTab(STORED_ACCESS, access);
  byId("connect").hidden = true;
  refresh();
}

/** Forgets the access; the last numbers stay on the page. */
function disconnect() {
  access = null;
  clearTimeout(timer);
  removeFromTab(STORED_ACCESS);
  tokenInput.value = "";
  byId("connected").hidden = true;
  byId("connect").hidden = false;
}

async function refresh() {
  clearTimeout(timer);
  if (!access || document.hidden) return; // Continues when the page is visible again.
  const usedAccess = access;
  try {
    /** @type {DashboardAnswer} */
    const answer = await callApi(
      "GET",
      apiPath`/v1/ops/campaigns/${usedAccess.campaign}/dashboard`,
      { bearer: usedAccess.token },
    );
    if (usedAccess !== access) return;
    show(answer);
    clear(notice);
  } catch (error) {
    if (usedAccess !== access) return;
    const { status } = asProblem(error);
    if ([401, 403, 404].includes(status)) {
      disconnect();
      setText(notice, status === 404 ? "dashboard.unknown-campaign" : "dashboard.access-refused");
      campaignInput.focus();
      return;
    }
    showFailure(error);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, REFRESH_MS);
}

/**
 * Says that a refresh failed, once and not at every attempt: screen readers read the notice out
 * each time it is written.
 *
 * @param {unknown} error
 */
function showFailure(error) {
  if (notice.textContent) return;
  if (lastAnswer) setText(notice, "dashboard.stale");
  else showProblem(notice, error);
}

/** @param {DashboardAnswer} answer */
function show(answer) {
  const { campaign, version, as_of: asOf, time_zone: zone } = answer;
  setText(byId("connected-to"), "dashboard.connected", { campaign, version });
  setText(byId("as-of"), "dashboard.as-of", { moment: () => formatDateTime(asOf, zone), zone });
  // Drawing unchanged tables again would lose a selection, or the place in a scrolled table.
  if (haveChanged(answer, lastAnswer)) drawTables(answer);
  lastAnswer = answer;
  byId("connected").hidden = false;
  byId("numbers").hidden = false;
}

onSubmit(byId("connect", HTMLFormElement), () => {
  clear(notice);
  const inputs = [campaignInput, tokenInput];
  inputs.forEach(clearFieldError);
  const empty = inputs.filter((input) => !input.value.trim());
  for (const input of empty) showFieldError(input, "dashboard.missing-field");
  if (empty.length) empty[0].focus();
  else connect({ campaign: campaignInput.value.trim(), token: tokenInput.value.trim() });
});
byId("disconnect").addEventListener("click", () => {
  disconnect();
  lastAnswer = null;
  byId("numbers").hidden = true;
  clear(notice);
  campaignInput.focus();
});
document.addEventListener("visibilitychange", refresh);
onLanguageChange(() => {
  if (lastAnswer) drawTables(lastAnswer);
});

function start() {
  const campaign = requestedCampaign();
  const { token } = takeFragment("token");
  forgetFragment(); // The token is stored with its campaign instead.
  campaignInput.value = campaign;
  /** @type {Access | null} */
  const stored = readFromTab(STORED_ACCESS);
  if (token) connect({ campaign, token });
  else if (stored) connect(stored);
}

start();
