/**
 * The sponsor's invitations, as a list.
 */

import { byId, createElement } from "../shared/elements.js";
import { formatDay } from "../shared/format.js";
import { setText } from "../shared/page-text.js";
import { stateBadge } from "../shared/vouchers.js";

/**
 * Lists the invitations, in the order of the API: newest first.
 *
 * @param {InvitationAnswer[]} invitations
 * @param {string} [timeZone] the campaign's
 */
export function showInvitations(invitations, timeZone) {
  byId("no-invitations").hidden = invitations.length > 0;
  const entries = invitations.map((invitation) => invitationEntry(invitation, timeZone));
  byId("invitations").replaceChildren(...entries);
}

/**
 * @param {InvitationAnswer} invitation
 * @param {string} [timeZone]
 */
function invitationEntry({ address, state, invited_at: invitedAt, closes_on: closesOn }, timeZone) {
  const name = createElement("strong", {}, address);
  const dates = createElement("span", { class: "muted" });
  const isOpen = state === "pending" && closesOn;
  setText(dates, isOpen ? "invitations.open-until" : "invitations.invited-on", {
    day: () => formatDay(invitedAt, timeZone),
    end: () => formatDay(closesOn, timeZone),
  });
  const badge = stateBadge(state, `invitations.${state}`);
  return createElement("li", {}, createElement("div", {}, name, dates), badge);
}
