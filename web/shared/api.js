/**
 * Calls to the API of this origin.
 *
 * Owns the wire: JSON both ways, `application/problem+json` turned into a ProblemError, time-outs
 * and lost connections turned into one too. It keeps no state, retries nothing and puts nothing on
 * the page.
 */

const PATIENCE_MS = 20_000;

/** A call that was not answered with success. `status` is 0 when no answer came at all. */
export class ProblemError extends Error {
  constructor(status, problem) {
    super(problem?.title ?? `status ${status}`);
    this.name = "ProblemError";
    this.status = status;
    /** The last part of the problem's type, e.g. "over-quota"; empty when the answer names none. */
    this.kind = String(problem?.type ?? "").split(/[:/]/).at(-1);
    /** What is wrong, field by field: `[{field, reason, suggestion?}]`. */
    this.errors = Array.isArray(problem?.errors) ? problem.errors : [];
    this.suggestion = problem?.suggestion ?? this.errors[0]?.suggestion ?? null;
  }
}

/**
 * Builds a path from a template, each value as exactly one segment:
 * route`/v1/invitations/${token}`.
 */
export function route(parts, ...values) {
  const segments = values.map((value) => {
    // The address parser would walk up on these, however they are escaped.
    if (["", ".", ".."].includes(value)) throw new ProblemError(404, { title: "no such address" });
    return encodeURIComponent(value);
  });
  return String.raw({ raw: parts }, ...segments);
}

/**
 * Calls the API. Answers the parsed body, or null when there is none; throws a ProblemError
 * otherwise. `bearer` is a session or an access token.
 */
export async function call(method, path, { body, bearer, headers = {} } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (bearer) sent.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  let response;
  let content;
  try {
    response = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: patience.signal,
    });
    content = await response.text();
  } catch {
    throw new ProblemError(0, { type: "urn:tandem:problem:unreachable", title: "no answer" });
  } finally {
    clearTimeout(timer);
  }
  const parsed = parse(content);
  if (!response.ok) throw new ProblemError(response.status, parsed);
  return parsed;
}

function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null; // A 204, or a page that something between us and the API put in its place.
  }
}
