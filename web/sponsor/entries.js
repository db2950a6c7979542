/**
 * The people that the sponsor invited: by the first name that she typed, in three groups.
 *
 * Nobody's row tells more than that they said yes, or that their invitation is closed.
 */

import { byId, createElement } from "../shared/elements.js";
import { formatDay } from "../shared/format.js";
import { setText } from "../shared/page-text.js";

const PAGE = 10;
const GROUPS = /** @type {const} */ (["pending", "confirmed", "closed"]);

/**
 * Lists the invitations, in the order of the API within each group: newest first.
 *
 * @param {InvitationAnswer[]} invitations
 * @param {import("./labels.js").Labels} labels the names of people, by invitation
 * @param {string} [timeZone] the campaign's
 */
export function showInvitations(invitations, labels, timeZone) {
  byId("no-invitations").hidden = invitations.length > 0;
  const groups = GROUPS.flatMap((state) => {
    const members = invitations.filter((one) => one.state === state);
    return members.length
      ? [
          group(
            state,
            members.map((one) => person(one, labels[one.id], timeZone)),
          ),
        ]
      : [];
  });
  byId("invitations").replaceChildren(...groups);
}

/**
 * @param {typeof GROUPS[number]} state
 * @param {HTMLElement[]} members
 */
function group(state, members) {
  const heading = setText(createElement("h3"), `invitations.${state}`, { count: members.length });
  const list = createElement("ul", { class: "people" });
  let shown = 0;
  const more = createElement("button", { type: "button", class: "plain" });
  const showMore = () => {
    const next = members.slice(shown, shown + PAGE);
    list.append(...next);
    shown += next.length;
    more.hidden = shown >= members.length;
    setText(more, "invitations.more", { count: members.length - shown });
  };
  more.addEventListener("click", showMore);
  showMore();
  return createElement("section", {}, heading, list, more);
}

/**
 * @param {InvitationAnswer} invitation
 * @param {string | undefined} label
 * @param {string} [timeZone]
 */
function person({ address, state, invited_at: invitedAt, closes_on: closesOn }, label, timeZone) {
  const name = createElement("strong", {}, label ?? address);
  const dates = createElement("span", { class: "muted" });
  setText(dates, state === "pending" ? "invitations.open-until" : "invitations.invited-on", {
    day: () => formatDay(invitedAt, timeZone),
    end: () => formatDay(closesOn, timeZone),
  });
  const initial = [...(label ?? address)][0]?.toUpperCase() ?? "";
  const disc = createElement("span", { class: "disc small", "aria-hidden": "true" }, initial);
  const about = createElement("span", { class: "about" }, name);
  if (label) about.append(createElement("span", { class: "muted" }, address));
  about.append(dates);
  const dots = createElement("span", { class: `dots ${state}`, "aria-hidden": "true" });
  dots.append(createElement("i"), createElement("i"));
  return createElement("li", {}, disc, about, dots);
}
