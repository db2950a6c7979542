/**
 * The dashboard: the campaign's counts, fetched again every five seconds while the page is visible.
 *
 * Somebody who signed in sees any campaign (session.js), a screen with a wall link (`#wall=`) its
 * own. A failed refresh never removes the last numbers; the page says how old they are. When the
 * session or the link is over the page says so and waits: it sends nobody away by itself.
 */

import { apiPath, asProblem, callApi } from "../shared/api.js";
import { applyBrand } from "../shared/brand.js";
import { requestedCampaign } from "../shared/campaign.js";
import { byId, onClick, onSubmit } from "../shared/elements.js";
import { formatAgo, formatCount, formatDateTime } from "../shared/format.js";
import { clearFieldError, showFieldError, showProblem } from "../shared/form-errors.js";
import { takeFragment } from "../shared/fragment.js";
import { campaignText, currentLanguage, hasTexts } from "../shared/language.js";
import { clear, onLanguageChange, setText, setValue } from "../shared/page-text.js";
import { prepareCampaigns, showCampaigns } from "./campaigns.js";
import { viewOf } from "./choices.js";
import { withFigures } from "./days.js";
import { haveChanged, lagOf, waitingSince } from "./numbers.js";
import { drawHead, drawOverview, prepareOverview } from "./overview.js";
import {
  SessionOverError,
  SignInFailedError,
  accountName,
  askSignedIn,
  finishSignIn,
  isSignedIn,
  signOut,
  startSignIn,
} from "./session.js";
import { drawTables } from "./tables.js";
import { layOut, prepareWall } from "./wall.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {{campaign: string, ask: () => Promise<DashboardAnswer>}} Source */

const REFRESH_MS = 5_000;

const campaignInput = byId("campaign", HTMLInputElement);
const notice = byId("notice");
/**
 * What is being shown; null while nothing is asked for.
 * @type {Source | null}
 */
let source = null;
/** @type {DashboardAnswer | null} */
let lastAnswer = null;
/**
 * Since when something waits to be counted, by the server's clock; null while nothing does.
 * @type {number | null}
 */
let lateSince = null;
/** Whether this screen has a wall link: there nobody can press anything. */
let isWallLink = false;
/** Whether the last refresh failed. */
let isOffline = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Source} chosen */
function show(chosen) {
  source = chosen;
  lastAnswer = null;
  lateSince = null;
  byId("numbers").hidden = true;
  byId("connect").hidden = true;
  refresh();
}

/**
 * Says whose numbers these are. They are shown all the same where nobody says it.
 *
 * @param {Source} shown
 */
async function showBrand(shown) {
  clear(byId("campaign-title"));
  try {
    /** @type {CampaignAnswer} */
    const { brand, title } = await callApi("GET", apiPath`/v1/campaigns/${shown.campaign}`);
    if (shown !== source) return;
    applyBrand(brand);
    setValue(byId("campaign-title"), () => `${brand.name} · ${campaignText(title)}`);
  } catch (error) {
    asProblem(error);
  }
}

/**
 * Shows a campaign, as the address says it is to be shown; another one gets an address of its own,
 * so that the reader can come back.
 *
 * @param {string} campaign
 */
function showSignedIn(campaign) {
  const address = new URLSearchParams(location.search);
  if (address.get("campaign") !== campaign) {
    address.set("campaign", campaign);
    for (const name of ["template", "rule", "from", "to"]) address.delete(name); // of another campaign
    history.pushState(null, "", `${location.pathname}?${address}`);
  }
  show({ campaign, ask: () => askSignedIn(apiPath`/v1/ops/campaigns/${campaign}/dashboard`) });
}

/**
 * @param {string} campaign
 * @param {string} token of a wall link
 */
function showOnWall(campaign, token) {
  isWallLink = true;
  layOut(true);
  const ask = () => callApi("GET", apiPath`/v1/campaigns/${campaign}/wall`, { bearer: token });
  show({ campaign, ask: /** @type {() => Promise<DashboardAnswer>} */ (ask) });
}

/** Asks for nothing any more; the last numbers stay on the page. */
function rest() {
  source = null;
  clearTimeout(timer);
}

/** Shows the form for a campaign. */
function choose() {
  rest();
  lastAnswer = null;
  byId("numbers").hidden = true;
  byId("connect").hidden = false;
  showControls();
  campaignInput.focus();
}

/** Says what the reader can do: sign in, see another campaign, sign out. */
function showControls() {
  const isIn = isSignedIn();
  setText(byId("submit"), isIn ? "dashboard.show" : "dashboard.sign-in");
  byId("sign-in-hint").hidden = isIn;
  byId("connect").hidden = source !== null;
  byId("loading").hidden = true;
  byId("connected").hidden = !isIn && !source;
  byId("account").textContent = accountName();
  byId("other-campaign").hidden = !isIn || !source;
  if (!isIn || !source) byId("campaigns").hidden = true;
  byId("sign-out").hidden = !isIn;
  byId("sign-in-again").hidden = true;
  if (!source) for (const id of ["connected-to", "as-of"]) clear(byId(id));
  byId("numbers").classList.remove("outdated");
}

async function refresh() {
  clearTimeout(timer);
  if (!source || document.hidden) return; // Continues when the page is visible again.
  const asked = source;
  try {
    const answer = withFigures(await asked.ask());
    if (asked !== source) return;
    isOffline = false;
    draw(answer);
    clear(notice);
  } catch (error) {
    if (asked !== source || endOf(error, asked)) return;
    showFailure(error);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, REFRESH_MS);
}

/**
 * Whether asking again makes no sense; then the page says why.
 *
 * @param {unknown} error
 * @param {Source} asked
 */
function endOf(error, asked) {
  if (error instanceof SessionOverError) {
    end(lastAnswer ? "dashboard.session-over" : "dashboard.session-over-before");
    campaignInput.value = asked.campaign;
    byId("sign-in-again").hidden = false;
    return true;
  }
  const { status } = asProblem(error);
  if (status === 401) end(lastAnswer ? "dashboard.wall-over" : "dashboard.wall-over-before");
  else if (status === 403) refuse("dashboard.no-role");
  else if (status === 404) refuse("dashboard.unknown-campaign");
  else return false;
  return true;
}

/**
 * Nothing new comes: the last numbers stay, and look like what they are.
 *
 * @param {TextKey} key
 */
function end(key) {
  rest();
  showControls();
  byId("connected").hidden = lastAnswer === null;
  byId("numbers").classList.add("outdated");
  isOffline = true;
  if (lastAnswer) showAge(lastAnswer);
  const { as_of: asOf = "", time_zone: zone = "UTC" } = lastAnswer ?? {};
  setText(notice, key, { moment: () => formatDateTime(asOf, zone) });
}

/** @param {TextKey} key */
function refuse(key) {
  choose();
  setText(notice, key);
}

/**
 * Says that a refresh failed, once and not at every attempt: screen readers read the notice out
 * each time it is written.
 *
 * @param {unknown} error
 */
function showFailure(error) {
  isOffline = true;
  if (lastAnswer) showAge(lastAnswer);
  else showControls();
  if (notice.textContent) return;
  if (lastAnswer) setText(notice, "dashboard.stale");
  else showProblem(notice, error);
}

/** @param {DashboardAnswer} answer */
function draw(answer) {
  showAge(answer);
  // Drawing unchanged tables again would lose a selection, or the place in a scrolled table.
  const isNew = haveChanged(answer, lastAnswer);
  lastAnswer = answer;
  if (byId("numbers").hidden) drawFirst(answer);
  else if (isNew) drawNumbers(answer);
}

/**
 * Shows the figures, once there are words for them, and then the rest, which is below.
 *
 * @param {DashboardAnswer} answer
 */
function drawFirst(answer) {
  if (!hasTexts()) return;
  showControls();
  byId("numbers").hidden = false;
  layOutFor(answer);
  drawHead(answer);
  if (source) showBrand(source);
  if (source && isSignedIn()) showCampaigns(source.campaign);
  requestAnimationFrame(() => setTimeout(() => lastAnswer && drawNumbers(lastAnswer)));
}

/**
 * Draws everything again. What is drawn again loses the focus: its successor gets it.
 *
 * @param {DashboardAnswer} answer
 */
function drawNumbers(answer) {
  layOutFor(answer);
  const focused = document.activeElement?.getAttribute("data-of");
  drawTables(answer);
  drawOverview(answer);
  if (!focused) return;
  /** @type {HTMLElement | null} */
  const again = document.querySelector(`[data-of="${CSS.escape(focused)}"]`);
  again?.focus();
}

/** @param {DashboardAnswer} answer */
function layOutFor(answer) {
  layOut(isWallLink || viewOf(answer).choice.view === "wall");
  byId("wall-leave").hidden = isWallLink;
}

/** Another view of the same numbers; of another campaign, that one's. */
function followAddress() {
  const asked = requestedCampaign();
  if (source && isSignedIn() && source.campaign !== asked) showSignedIn(asked);
  else if (lastAnswer) drawNumbers(lastAnswer);
}

/** @param {DashboardAnswer} answer */
function showAge(answer) {
  const { campaign, version, as_of: asOf, counted_until: until, time_zone: zone } = answer;
  setText(byId("connected-to"), "dashboard.connected", { campaign, version });
  lateSince = waitingSince(answer, lateSince);
  const lateS = lateSince === null ? 0 : (Date.parse(asOf) - lateSince) / 1_000;
  const lag = lagOf(lateS, isOffline);
  byId("lag").setAttribute("data-lag", lag);
  const minutes = () => formatCount(Math.ceil(lateS / 60));
  const ago = () => formatAgo(until ?? asOf, asOf);
  setText(byId("lag"), /** @type {TextKey} */ (`lag.${lag}`), { minutes, ago });
  if (lag === "behind" && until) {
    setText(byId("as-of"), "dashboard.behind", {
      minutes,
      moment: () => formatDateTime(until, zone),
      zone,
    });
  } else {
    setText(byId("as-of"), "dashboard.as-of", { moment: () => formatDateTime(asOf, zone), zone });
  }
}

/** @param {string} campaign */
async function signIn(campaign) {
  clear(notice);
  try {
    await startSignIn(campaign, currentLanguage());
  } catch (error) {
    showProblem(notice, error);
  }
}

onSubmit(byId("connect", HTMLFormElement), async () => {
  clear(notice);
  clearFieldError(campaignInput);
  const campaign = campaignInput.value.trim();
  if (!campaign) {
    showFieldError(campaignInput, "dashboard.missing-field");
    campaignInput.focus();
  } else if (isSignedIn()) showSignedIn(campaign);
  else await signIn(campaign);
});
onClick(byId("sign-in-again"), () => signIn(campaignInput.value));
onClick(byId("sign-out"), async () => {
  clear(notice);
  choose();
  try {
    await signOut();
  } catch (error) {
    showProblem(notice, error);
  }
  showControls();
});
byId("other-campaign").addEventListener("click", () => {
  clear(notice);
  choose();
});
prepareCampaigns(showSignedIn);
prepareOverview(followAddress);
prepareWall();
addEventListener("popstate", followAddress);
document.addEventListener("visibilitychange", refresh);
onLanguageChange(() => {
  if (lastAnswer && byId("numbers").hidden) drawFirst(lastAnswer);
  else if (lastAnswer) drawNumbers(lastAnswer);
});

async function start() {
  campaignInput.value = requestedCampaign();
  const { wall } = takeFragment("wall");
  if (wall) {
    showOnWall(requestedCampaign(), wall);
    return;
  }
  try {
    const campaign = await finishSignIn();
    if (campaign) {
      campaignInput.value = campaign;
      showSignedIn(campaign);
      return;
    }
  } catch (error) {
    campaignInput.value = requestedCampaign();
    if (error instanceof SignInFailedError) setText(notice, "dashboard.sign-in-failed");
    else showProblem(notice, error);
  }
  const isNamed = new URLSearchParams(location.search).has("campaign");
  if (isSignedIn() && isNamed) showSignedIn(campaignInput.value);
  else showControls();
}

start();
