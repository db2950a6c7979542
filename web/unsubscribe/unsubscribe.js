/**
 * Unsubscribing: opening the page changes nothing, its button does.
 */

import { apiPath, callApi } from "../shared/api.js";
import { byId, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { forgetFragment, takeFragment } from "../shared/fragment.js";
import { clear } from "../shared/page-text.js";
import { showState } from "../shared/states.js";

const { token } = takeFragment("token");

if (token) {
  onClick(byId("unsubscribe"), () => unsubscribe(token));
  showState("question");
} else {
  showState("missing-link");
}

/** @param {string} bearer */
async function unsubscribe(bearer) {
  clear(byId("notice"));
  try {
    await callApi("POST", apiPath`/v1/unsubscribe/${bearer}`);
    forgetFragment();
    showState("done");
  } catch (error) {
    showProblem(byId("notice"), error);
  }
}
