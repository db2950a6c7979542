/**
 * “Look in your inbox”: where the link was sent, sending it again after a minute, and correcting
 * the address. It says the same to everybody: only the mail says whether an address takes part.
 */

import { asProblem } from "./api.js";
import { askCampaign } from "./campaign.js";
import { byId } from "./elements.js";
import { showProblem } from "./form-errors.js";
import { clear, setText } from "./page-text.js";
import { showState } from "./states.js";

const WAIT_S = 60;

/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/**
 * Shows it.
 *
 * @param {string} email as it was typed
 * @param {() => Promise<unknown>} send sends it once more
 * @param {() => void} correct goes back to the form
 */
export function showSent(email, send, correct) {
  setText(byId("sent-to"), "sign-in-sent.to", { email });
  sayWhomToAsk();
  clear(byId("again-notice"));
  wait();
  const again = byId("send-again");
  again.onclick = async () => {
    if (again.getAttribute("aria-disabled") === "true") return;
    wait();
    clear(byId("again-notice"));
    try {
      await send();
      setText(byId("again-hint"), "sign-in-sent.sent-again");
    } catch (error) {
      showProblem(byId("again-notice"), asProblem(error));
    }
  };
  byId("use-another-address").onclick = correct;
  showState("sign-in-sent");
}

/** For a minute it is not sent again. */
function wait() {
  const until = Date.now() + WAIT_S * 1000;
  const button = byId("send-again");
  button.setAttribute("aria-disabled", "true");
  clearInterval(timer);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      setText(button, "sign-in-sent.again-in", { count: left });
      return;
    }
    clearInterval(timer);
    setText(button, "sign-in-sent.again");
    button.removeAttribute("aria-disabled");
  };
  tick();
  timer = setInterval(tick, 1000);
}

async function sayWhomToAsk() {
  const line = byId("nothing-came");
  setText(line, "sign-in-sent.nothing");
  try {
    const { brand } = await askCampaign();
    if (brand.contact) setText(line, "sign-in-sent.nothing-ask", { contact: brand.contact });
  } catch (error) {
    asProblem(error);
  }
}
