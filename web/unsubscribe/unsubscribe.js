/**
 * Unsubscribing: opening the page changes nothing, its button does.
 */

import { call, route } from "/shared/api.js";
import { onPress, part } from "/shared/elements.js";
import { forgetFragment, takeFragment } from "/shared/fragment.js";
import { hush } from "/shared/language.js";
import { tellProblem } from "/shared/problems.js";
import { show } from "/shared/states.js";

const { token } = takeFragment("token");

onPress(part("unsubscribe"), async () => {
  hush(part("notice"));
  try {
    await call("POST", route`/v1/unsubscribe/${token}`);
    forgetFragment();
    show("done");
  } catch (error) {
    tellProblem(part("notice"), error);
  }
});
show(token ? "question" : "no-token");
