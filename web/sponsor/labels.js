/**
 * The names by which the sponsor knows whom she invited: in this browser alone, by invitation.
 *
 * The server forgets who declined or was refused; a name there could not be found any more by who
 * asks to be forgotten. Here it is the same for all, so it tells nothing. Signing out removes them.
 */

/** @typedef {Record<string, string>} Labels */

/** @param {string} campaign */
function place(campaign) {
  return `tandem.people.${campaign}`;
}

/**
 * The names by the ids of invitations.
 *
 * @param {string} campaign
 * @returns {Labels}
 */
export function readLabels(campaign) {
  try {
    return JSON.parse(localStorage.getItem(place(campaign)) ?? "{}");
  } catch {
    return {}; // Storage may be switched off: then people are shown by their masked address.
  }
}

/**
 * Keeps the names of those who were invited just now.
 *
 * @param {string} campaign
 * @param {RefereeRequest[]} referees as they were sent
 * @param {{id: string}[]} invitations in the same order
 */
export function keepLabels(campaign, referees, invitations) {
  const labels = readLabels(campaign);
  invitations.forEach(({ id }, at) => {
    const name = referees[at]?.first_name;
    if (name) labels[id] = name;
  });
  try {
    localStorage.setItem(place(campaign), JSON.stringify(labels));
  } catch {
    // See readLabels().
  }
}

/** @param {string} campaign */
export function forgetLabels(campaign) {
  try {
    localStorage.removeItem(place(campaign));
  } catch {
    // See readLabels().
  }
}
