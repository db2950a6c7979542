/**
 * Declining: one press, as accepting is. It can be undone for ten seconds; only then is the address
 * erased. Whoever leaves the page before has declined.
 */

import { apiPath, asProblem, callApi } from "../shared/api.js";
import { byId, onClick } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { forgetFragment } from "../shared/fragment.js";
import { clear, setText } from "../shared/page-text.js";
import { showState } from "../shared/states.js";

const UNDO_S = 10;

/**
 * Wires the buttons.
 *
 * @param {string} token of the invitation
 * @param {() => void} showEnded shows that it is over
 */
export function wireDecline(token, showEnded) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  function start() {
    const until = Date.now() + UNDO_S * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left > 0) setText(byId("undo-left"), "declining.left", { count: left });
      else decline();
    };
    stop();
    tick();
    timer = setInterval(tick, 1000);
    showState("declining");
  }

  /** Whether it was under way. */
  function stop() {
    const wasRunning = timer !== undefined;
    clearInterval(timer);
    timer = undefined;
    return wasRunning;
  }

  async function decline() {
    stop();
    clear(byId("decline-notice"));
    try {
      await callApi("POST", apiPath`/v1/invitations/${token}/decline`, { keepalive: true });
      forgetFragment();
      showState("declined");
    } catch (error) {
      if ([404, 410].includes(asProblem(error).status)) {
        showEnded();
        return;
      }
      showProblem(byId("decline-notice"), error);
      showState("decline-failed");
    }
  }

  onClick(byId("decline"), start);
  onClick(byId("decline-again"), decline);
  for (const id of ["undo", "back-to-offer"]) {
    onClick(byId(id), () => {
      stop();
      showState("offer");
    });
  }
  addEventListener("pagehide", () => {
    if (stop()) decline();
  });
}
