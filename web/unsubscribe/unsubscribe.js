/**
 * Where mails of 0.2.0 and before lead who unsubscribes: on to the page of the API, which works
 * without a script and changes nothing until one of its buttons is pressed.
 */

import { apiPath } from "../shared/api.js";
import "../shared/page-text.js";
import { takeFragment } from "../shared/fragment.js";
import { showState } from "../shared/states.js";

const { token } = takeFragment("token");

if (token) location.replace(`${apiPath`/v1/unsubscribe/${token}`}/page`);
else showState("missing-link");
