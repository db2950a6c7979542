/**
 * The form that invites people by e-mail: sending it, its errors, and how many may be invited.
 */

import { asProblem } from "../shared/api.js";
import { byId, onSubmit } from "../shared/elements.js";
import { showProblem } from "../shared/form-errors.js";
import { clear, setText } from "../shared/page-text.js";
import { refereeFieldOf } from "../shared/problems.js";
import { createInviteRows, showRowError } from "./invite-rows.js";

/** @typedef {import("../shared/api.js").ProblemError} ProblemError */
/** @typedef {import("./invite-rows.js").Row} Row */
/** @typedef {{row: Row, referee: RefereeRequest}} FilledRow */

/**
 * What the form needs of the page. Each returns whether the sponsor is still signed in; when not,
 * the page shows the sign-in form and this one is left alone.
 * @typedef {object} InviteActions
 * @property {(body: {referees: RefereeRequest[]}, idempotencyKey: string) => Promise<boolean>} send
 * @property {() => Promise<boolean>} refresh shows the sponsor's space as it is now
 */

/**
 * Wires the form.
 *
 * @param {InviteActions} actions
 * @returns {{showQuota: (quota: QuotaAnswer) => void}}
 */
export function wireInviteForm({ send, refresh }) {
  let maxRows = 1;
  const rows = createInviteRows(byId("rows"), byId("add-row"), () => maxRows);
  /**
   * The last submission that the API has not been heard to accept. Sent again unchanged, it has the
   * same key, so that nobody is invited twice.
   * @type {{content: string, key: string} | null}
   */
  let submission = null;

  onSubmit(byId("invite", HTMLFormElement), async () => {
    const notice = byId("invite-notice");
    clear(notice);
    clear(byId("invite-success"));
    rows.clearErrors();
    const filled = rows.filled();
    const incomplete = filled.length ? rowWithoutAddress(filled) : rows.first();
    if (incomplete) {
      showRowError(incomplete, "email", { field: "email", reason: "missing" }).focus();
      return;
    }
    const body = { referees: filled.map(({ referee }) => referee) };
    const content = JSON.stringify(body);
    if (submission?.content !== content) submission = { content, key: crypto.randomUUID() };
    try {
      if (!(await send(body, submission.key))) return;
    } catch (error) {
      showInviteProblem(notice, filled, asProblem(error));
      return;
    }
    submission = null;
    rows.reset();
    if (!(await refresh())) return;
    setText(byId("invite-success"), "inviting.received", { count: filled.length });
  });

  return {
    showQuota({ left, per_call: perCall }) {
      maxRows = Math.min(perCall ?? 1, left);
      byId("invite").hidden = left === 0;
      const key = left === 0 ? "inviting.quota-reached" : "inviting.quota";
      setText(byId("quota"), key, { count: left });
      rows.renumber();
    },
  };
}

/** @param {FilledRow[]} filled */
function rowWithoutAddress(filled) {
  return filled.find(({ referee }) => !referee.email)?.row;
}

/**
 * @param {HTMLElement} notice
 * @param {FilledRow[]} filled the rows that were sent
 * @param {ProblemError} problem
 */
function showInviteProblem(notice, filled, problem) {
  if (problem.errors.some(({ field }) => field === "referees")) {
    setText(notice, "inviting.too-many");
    return;
  }
  const wrongInputs = problem.status === 422 ? showRowErrors(filled, problem.errors) : [];
  if (wrongInputs.length) {
    setText(notice, "inviting.correct-addresses", { count: wrongInputs.length });
    wrongInputs[0].focus();
  } else {
    showProblem(notice, problem);
  }
}

/**
 * Shows each error at its row; returns the inputs that are wrong.
 *
 * @param {FilledRow[]} filled
 * @param {FieldProblemAnswer[]} errors
 */
function showRowErrors(filled, errors) {
  return errors.flatMap((error) => {
    const target = refereeFieldOf(error.field);
    const row = target && filled[target.index]?.row;
    return row ? [showRowError(row, target.field, error)] : [];
  });
}
