/**
 * Who is signed in: on the pages of the ops pool, with a code and PKCE; tokens in this tab alone.
 *
 * It owns the tokens. A page asks for numbers through `askSignedIn` and never sees one. A session
 * ends by itself after 12 hours, when somebody signs out here, or when the account is closed;
 * nothing here sends the reader away by itself but `startSignIn` and `signOut`.
 */

import { ProblemError, asProblem, callApi } from "../shared/api.js";
import { readFromTab, removeFromTab, storeInTab } from "../shared/tab-storage.js";

/** @typedef {{sign_in: string, client: string, callback: string}} Settings */
/**
 * @typedef {{state: string, nonce: string, verifier: string, campaign: string, view: string}} Attempt
 */
/** @typedef {{idToken: string, refreshToken: string, renewAt: number}} Session */
/** @typedef {{id_token: string, refresh_token?: string, expires_in: number}} Tokens */

const SETTINGS = "/dashboard/sign-in.json";
const TOKENS = "/oauth2/token";
const REVOCATION = "/oauth2/revoke";
const STORED_ATTEMPT = "sign-in";
const STORED_SESSION = "session";
/** A token is renewed so long before it ends. */
const RENEWED_BEFORE_S = 60;

/** The session is over, or there was none: only signing in again helps. */
export class SessionOverError extends Error {}

/** What came back from the sign-in pages is no answer to what this tab asked. */
export class SignInFailedError extends Error {}

/** Whether this tab has a session that nobody has found over yet. */
export function isSignedIn() {
  return readFromTab(STORED_SESSION) !== null;
}

/** The address that the account signs in with; empty when the token does not say. */
export function accountName() {
  /** @type {Session | null} */
  const session = readFromTab(STORED_SESSION);
  return session ? String(claimsOf(session.idToken).email ?? "") : "";
}

/**
 * Leaves for the sign-in pages. They send the reader back to this page, which then calls
 * `finishSignIn`. What its address says of the campaign's view is kept meanwhile.
 *
 * @param {string} campaign
 * @param {string} language of the pages
 */
export async function startSignIn(campaign, language) {
  const { sign_in: pages, client, callback } = await readSettings();
  const asked = new URLSearchParams(location.search);
  const isOfCampaign = asked.get("campaign") === campaign;
  const view = (isOfCampaign ? asked : new URLSearchParams({ campaign })).toString();
  if (new URL(callback).origin !== location.origin) {
    // This page has two addresses: the pool sends people back to one of them alone.
    location.assign(`${callback}?${view}`);
    return;
  }
  const attempt = { state: random(), nonce: random(), verifier: random(), campaign, view };
  storeInTab(STORED_ATTEMPT, attempt);
  const sent = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: callback,
    scope: "openid",
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await challengeOf(attempt.verifier),
    code_challenge_method: "S256",
    lang: language,
  });
  location.assign(`${pages}/oauth2/authorize?${sent}`);
}

/**
 * Takes what the sign-in pages sent back out of the address bar and exchanges it for a session.
 * Returns the campaign it was asked for; null when the address has nothing of the kind. Throws a
 * SignInFailedError, or a ProblemError when it may be tried again.
 *
 * @returns {Promise<string | null>}
 */
export async function finishSignIn() {
  const sent = new URLSearchParams(location.search);
  if (!sent.has("state") || !(sent.has("code") || sent.has("error"))) return null;
  /** @type {Attempt | null} */
  const attempt = readFromTab(STORED_ATTEMPT);
  removeFromTab(STORED_ATTEMPT);
  history.replaceState(null, "", location.pathname + (attempt ? `?${attempt.view}` : ""));
  // Somebody else's code would sign the reader in as somebody else.
  const code = sent.get("code");
  if (!attempt || sent.get("state") !== attempt.state || !code) throw new SignInFailedError();
  const { client, callback } = await readSettings();
  const tokens = await exchange({
    grant_type: "authorization_code",
    client_id: client,
    redirect_uri: callback,
    code,
    code_verifier: attempt.verifier,
  });
  if (!tokens.refresh_token || claimsOf(tokens.id_token).nonce !== attempt.nonce) {
    throw new SignInFailedError();
  }
  store(tokens, tokens.refresh_token);
  return attempt.campaign;
}

/**
 * Calls the API as whoever is signed in. A token that is about to run out is renewed before; one
 * that the API does not take is renewed once, since clocks differ. Throws a SessionOverError when
 * there is no session any more, a ProblemError for anything else.
 *
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export async function askSignedIn(path) {
  const bearer = await currentToken();
  try {
    return await callApi("GET", path, { bearer });
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
  }
  try {
    return await callApi("GET", path, { bearer: await renewedToken() });
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) throw endSession();
    throw error;
  }
}

/**
 * Ends the session, at the pool and in this tab, and leaves for the pool's page that forgets the
 * reader too. Whatever fails, this tab has no token any more.
 */
export async function signOut() {
  /** @type {Session | null} */
  const session = readFromTab(STORED_SESSION);
  removeFromTab(STORED_SESSION);
  const { sign_in: pages, client, callback } = await readSettings();
  if (session) {
    try {
      await callApi("POST", REVOCATION, {
        form: { token: session.refreshToken, client_id: client },
      });
    } catch (error) {
      asProblem(error); // Not revoked: it ends by itself, and nobody has it.
    }
  }
  location.assign(
    `${pages}/logout?${new URLSearchParams({ client_id: client, logout_uri: callback })}`,
  );
}

/** The token of the account that is signed in, as long as it need not be renewed; else null. */
export function goodToken() {
  /** @type {Session | null} */
  const session = readFromTab(STORED_SESSION);
  return session && Date.now() < session.renewAt ? session.idToken : null;
}

/** @returns {Promise<string>} */
async function currentToken() {
  return goodToken() ?? renewedToken();
}

/** @returns {Promise<string>} */
async function renewedToken() {
  /** @type {Session | null} */
  const session = readFromTab(STORED_SESSION);
  if (!session) throw new SessionOverError();
  const { client } = await readSettings();
  try {
    const tokens = await exchange({
      grant_type: "refresh_token",
      client_id: client,
      refresh_token: session.refreshToken,
    });
    if (!isSignedIn()) throw new SessionOverError(); // Signed out meanwhile.
    store(tokens, tokens.refresh_token ?? session.refreshToken);
    return tokens.id_token;
  } catch (error) {
    if (error instanceof SignInFailedError) throw endSession();
    throw error;
  }
}

function endSession() {
  removeFromTab(STORED_SESSION);
  return new SessionOverError();
}

/**
 * @param {Tokens} tokens
 * @param {string} refreshToken
 */
function store(tokens, refreshToken) {
  const renewAt = Date.now() + (tokens.expires_in - RENEWED_BEFORE_S) * 1000;
  storeInTab(STORED_SESSION, { idToken: tokens.id_token, refreshToken, renewAt });
}

/**
 * Tokens for a code or for a refresh token; a SignInFailedError when either is good no more.
 *
 * @param {Record<string, string>} form
 * @returns {Promise<Tokens>}
 */
async function exchange(form) {
  try {
    /** @type {Tokens | null} */
    const tokens = await callApi("POST", TOKENS, { form });
    if (!tokens?.id_token) throw new ProblemError(502);
    return tokens;
  } catch (error) {
    if (asProblem(error).status === 400) throw new SignInFailedError();
    throw error;
  }
}

/** @type {Promise<Settings> | undefined} */
let settings;

/** @returns {Promise<Settings>} */
function readSettings() {
  settings ??= callApi("GET", SETTINGS).catch((error) => {
    settings = undefined;
    throw error;
  });
  return /** @type {Promise<Settings>} */ (settings);
}

/**
 * What a token says. Who sent it is certain: it comes from our own origin, for a code of this tab.
 *
 * @param {string} token
 * @returns {Record<string, unknown>}
 */
function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

/** 256 bits that nobody guesses. */
function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {string} verifier */
async function challengeOf(verifier) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
