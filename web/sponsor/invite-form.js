/**
 * The form that invites people by e-mail: sending it, its errors, and how many may be invited.
 */

import { asProblem } from "../shared/api.js";
import { byId, onSubmit } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { clear, setText } from "../shared/page-text.js";
import { refereeFieldOf } from "../shared/problems.js";
import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";
import { createChips } from "./chips.js";
import { mailLanguage, wirePreview } from "./preview.js";

/** @typedef {import("../shared/api.js").ProblemError} ProblemError */
/** @typedef {import("./chips.js").ChipError} ChipError */

/**
 * What the form needs of the page. Each returns whether the sponsor is still signed in; when not,
 * the page shows the sign-in form and this one is left alone.
 * @typedef {object} InviteActions
 * @property {(body: InvitationsRequest, idempotencyKey: string) => Promise<boolean>} send
 * @property {(email: string) => Promise<boolean>} isOwn whether the sponsor signed in with it here
 * @property {(body: PreviewRequest) => Promise<PreviewAnswer | null>} preview
 * @property {() => Promise<boolean>} refresh shows the sponsor's space as it is now
 */

/**
 * Wires the form.
 *
 * @param {InviteActions} actions
 * @param {string} draftName what this tab keeps the draft as
 * @returns {{showQuota: (quota: QuotaAnswer) => void, forget: () => void}}
 */
export function wireInviteForm({ send, refresh, preview, isOwn }, draftName) {
  let [left, perCall] = [1, 1];
  const notice = byId("invite-notice");
  const chips = createChips(draftName, () => showCount(), isOwn);
  const submissionName = `${draftName}.submission`;
  /**
   * The last submission that the API has not been heard to accept. Sent again unchanged, it has the
   * same key, so that nobody is invited twice; also after the page was loaded again.
   * @type {{content: string, key: string} | null}
   */
  let submission = readFromTab(submissionName);

  function showCount() {
    const count = chips.count();
    setText(byId("send"), count ? "inviting.send-to" : "inviting.send", { count });
  }

  /** What is wrong with what was entered, before anything is sent. */
  function isComplete() {
    chips.take();
    if (!chips.count() || chips.rest()) {
      setText(notice, chips.rest() ? "inviting.no-address" : "field-error.missing", {
        text: chips.rest(),
      });
      chips.focus();
      return false;
    }
    if (chips.count() > Math.min(left, perCall)) {
      setText(notice, chips.count() > left ? "inviting.over-quota" : "inviting.too-many", {
        count: Math.min(left, perCall),
      });
      return false;
    }
    return true;
  }

  onSubmit(byId("invite", HTMLFormElement), async () => {
    clear(notice);
    clear(byId("invite-success"));
    if (!isComplete()) return;
    const body = { referees: chips.people(), locale: mailLanguage() };
    const content = JSON.stringify(body);
    if (submission?.content !== content) submission = { content, key: crypto.randomUUID() };
    storeInTab(submissionName, submission);
    try {
      if (!(await send(body, submission.key))) return;
    } catch (error) {
      showInviteProblem(asProblem(error));
      return;
    }
    submission = null;
    removeFromTab(submissionName);
    const count = chips.count();
    chips.reset();
    if (!(await refresh())) return;
    setText(byId("invite-success"), "inviting.received", { count });
  });

  /** @param {ProblemError} problem */
  function showInviteProblem(problem) {
    if (problem.errors.some(({ field }) => field === "referees")) {
      setText(notice, "inviting.too-many", { count: perCall });
      return;
    }
    const wrong = problem.status === 422 ? wrongPlaces(problem.errors) : new Map();
    if (wrong.size) {
      setText(notice, "inviting.correct-addresses", { count: wrong.size });
      chips.mark(wrong);
    } else {
      showProblem(notice, problem);
    }
  }

  wirePreview(preview, () => {
    chips.take();
    return chips.people()[0]?.first_name;
  });
  showCount();
  return {
    /** Forgets whom the sponsor entered: she has signed out. */
    forget() {
      chips.reset();
      submission = null;
      removeFromTab(submissionName);
    },
    showQuota(quota) {
      left = quota.left;
      perCall = quota.per_call ?? 1;
      byId("invite").hidden = left === 0;
      const key = left === 0 ? "inviting.quota-reached" : "inviting.quota";
      setText(byId("quota"), key, { count: left });
    },
  };
}

/**
 * What is wrong with whom, by the place in what was sent; the first of several.
 *
 * @param {FieldProblemAnswer[]} errors
 * @returns {Map<number, ChipError>}
 */
function wrongPlaces(errors) {
  const wrong = new Map();
  for (const { field: path, reason, suggestion } of errors) {
    const target = refereeFieldOf(path);
    if (target && !wrong.has(target.index)) {
      wrong.set(target.index, { field: target.field, reason, suggestion });
    }
  }
  return wrong;
}
