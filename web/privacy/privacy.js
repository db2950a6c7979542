/**
 * “Your data”: asking for a copy or for their erasure, and, from the link in the mail, confirming it.
 *
 * The answer to a request is the same for everyone: only the mail says whether anything is known.
 * Opening the link changes nothing, its buttons do.
 */

import { wireAddressForm } from "../shared/address-form.js";
import { apiPath, asProblem, callApi } from "../shared/api.js";
import { applyBrand } from "../shared/brand.js";
import { askCampaign, requestedCampaign } from "../shared/campaign.js";
import { byId, createElement, onClick, within } from "../shared/elements.js";
import { formatMinute } from "../shared/format.js";
import { showProblem } from "../shared/form-errors.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { clear, setText } from "../shared/page-text.js";
import { showPrivacy } from "../shared/privacy.js";
import { showState } from "../shared/states.js";

const ASKS_AGAIN_MS = 3000;
const FILE_NAME = "my-data.json";

const campaignId = requestedCampaign();
const { token } = takeFragment("token");
const requestForm = byId("request", HTMLFormElement);

function load() {
  return token ? loadRequest(token) : loadForm();
}

async function loadForm() {
  try {
    const campaign = await askCampaign();
    applyBrand(campaign.brand);
    showPrivacy(campaign);
    setText(byId("form-text"), "privacy.text", { brand: campaign.brand.name });
    showState("form");
  } catch (error) {
    showFailure(error, "unknown-campaign", 404);
  }
}

/** @param {string} bearer */
async function loadRequest(bearer) {
  try {
    showRequest(await callApi("GET", apiPath`/v1/privacy/${bearer}`));
  } catch (error) {
    showFailure(error, "over", 410);
  }
}

/** @param {PrivacyRequestAnswer} request */
function showRequest(request) {
  applyBrand(request.brand);
  const values = {
    brand: request.brand.name,
    address: request.address,
    until: () => formatMinute(request.ends_at),
  };
  setText(byId("file-text"), "privacy-file.text", values);
  setText(byId("erasure-text"), "privacy-erasure.text", values);
  if (request.state === "started") showState("started");
  else showState(request.wish === "erase" ? "erasure" : "file");
}

/**
 * @param {unknown} error
 * @param {string} state what the page shows for an answer of that status
 * @param {number} status
 */
function showFailure(error, state, status) {
  if (asProblem(error).status === status) {
    if (state === "over") forgetFragment();
    showState(state);
    return;
  }
  showProblem(byId("failure-reason"), error);
  showState("failure");
}

/**
 * Asks for the file until it is made, and hands it over.
 *
 * @param {string} bearer
 * @param {HTMLElement} section says how far it is
 */
async function takeFile(bearer, section) {
  const status = within(section, "[role=status]");
  clear(within(section, "[role=alert]"));
  try {
    let file = await askForFile(bearer);
    while (file.status === "preparing") {
      setText(status, "privacy-file.preparing");
      await new Promise((resolve) => setTimeout(resolve, ASKS_AGAIN_MS));
      file = await askForFile(bearer);
    }
    save(file);
    setText(status, "privacy-file.taken", { name: FILE_NAME });
  } catch (error) {
    clear(status);
    showRefusal(error, section);
  }
}

/**
 * @param {unknown} error
 * @param {HTMLElement} section
 */
function showRefusal(error, section) {
  if (asProblem(error).status === 410) showFailure(error, "over", 410);
  else showProblem(within(section, "[role=alert]"), error);
}

/**
 * @param {string} bearer
 * @returns {Promise<Record<string, unknown>>}
 */
function askForFile(bearer) {
  return callApi("POST", apiPath`/v1/privacy/${bearer}/file`);
}

/** @param {Record<string, unknown>} file */
function save(file) {
  const content = new Blob([JSON.stringify(file, null, 2)], { type: "application/json" });
  const href = URL.createObjectURL(content);
  createElement("a", { href, download: FILE_NAME }).click();
  URL.revokeObjectURL(href);
}

/** @param {string} bearer */
async function erase(bearer) {
  const section = byId("erasure");
  clear(within(section, "[role=alert]"));
  try {
    await callApi("POST", apiPath`/v1/privacy/${bearer}/erasure`);
    showState("started");
  } catch (error) {
    showRefusal(error, section);
  }
}

wireAddressForm(requestForm, async (address) => {
  const wish = new FormData(requestForm).get("wish");
  await callApi("POST", "/v1/privacy/requests", {
    body: { campaign: campaignId, wish, ...address },
  });
  requestForm.reset();
  showState("sent");
});
if (token) {
  onClick(byId("take-file"), () => takeFile(token, byId("file")));
  onClick(byId("take-file-first"), () => takeFile(token, byId("erasure")));
  onClick(byId("erase"), () => erase(token));
}
onClick(byId("ask-again"), loadForm);
onClick(byId("retry"), load);
load();
