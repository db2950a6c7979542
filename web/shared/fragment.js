/**
 * Tokens that come in the address's fragment, where no server and no referrer sees them.
 *
 * A token leaves the address bar at once. It is kept for this tab alone until it is used, because
 * phones throw away a page in the background and load it again when its reader comes back from
 * another app.
 */

const key = `tandem.fragment.${location.pathname}`;

/**
 * Takes `#{name}=…` out of the address bar, for the first of `names` there is. Answers `{[name]:
 * value}`: from the address, else what this tab took in before; empty when there is neither.
 */
export function takeFragment(...names) {
  const taken = pairIn(location.hash.slice(1), names);
  if (taken) {
    history.replaceState(null, "", location.pathname + location.search);
    keep(new URLSearchParams(taken).toString());
  }
  // A second link opened in the same tab changes the fragment only: begin again with it.
  addEventListener("hashchange", () => pairIn(location.hash.slice(1), names) && location.reload());
  return taken ?? pairIn(kept(), names) ?? {};
}

/** Forgets what was taken, once it is of no more use. */
export function forgetFragment() {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

function pairIn(fragment, names) {
  const values = new URLSearchParams(fragment);
  const name = names.find((candidate) => values.get(candidate));
  return name ? { [name]: values.get(name) } : null;
}

function keep(pair) {
  try {
    sessionStorage.setItem(key, pair);
  } catch {
    // Storage may be switched off; the token then lasts as long as the page.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}
