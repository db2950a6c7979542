/**
 * “This was not me”: stopping sign-in mails, and letting them through again. Opening the page
 * changes nothing, its buttons do.
 */

import { apiPath, callApi } from "../shared/api.js";
import { byId, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { takeFragment } from "../shared/fragment.js";
import { clear } from "../shared/page-text.js";
import { showState } from "../shared/states.js";

const { token } = takeFragment("token");

if (token) {
  onClick(byId("stop"), () => send("POST", token, "stopped"));
  onClick(byId("resume"), () => send("DELETE", token, "resumed"));
  showState("question");
} else {
  showState("missing-link");
}

/**
 * @param {"POST" | "DELETE"} method
 * @param {string} bearer
 * @param {string} state what the page shows then
 */
async function send(method, bearer, state) {
  clear(byId("notice"));
  try {
    await callApi(method, apiPath`/v1/sign-in-stops/${bearer}`);
    showState(state);
  } catch (error) {
    showProblem(byId("notice"), error);
  }
}
