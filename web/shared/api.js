/**
 * Calls to the API of this origin, and to what signs people in there.
 *
 * Owns the wire: JSON both ways; `application/problem+json`, timeouts and lost connections become
 * a ProblemError. It keeps no state, retries nothing and puts nothing on the page.
 */

import { asked, takeEarly } from "./early.js";

const TIMEOUT_MS = 20_000;

/** A call that did not succeed. `status` is 0 when no answer came at all. */
export class ProblemError extends Error {
  /**
   * @param {number} status
   * @param {Partial<Problem> | null} [problem] the body of the answer, if it was JSON
   */
  constructor(status, problem) {
    super(problem?.title ?? `status ${status}`);
    this.name = "ProblemError";
    this.status = status;
    /** The last part of the problem's type, e.g. "over-quota"; empty when the answer has none. */
    this.kind =
      String(problem?.type ?? "")
        .split(/[:/]/)
        .at(-1) ?? "";
    /**
     * What is wrong, field by field.
     * @type {FieldProblemAnswer[]}
     */
    this.errors = Array.isArray(problem?.errors) ? problem.errors : [];
    this.suggestion = problem?.suggestion ?? this.errors[0]?.suggestion ?? null;
  }
}

/**
 * What a failed call threw. Anything but a ProblemError is a bug in a page, and is thrown again.
 *
 * @param {unknown} error
 * @returns {ProblemError}
 */
export function asProblem(error) {
  if (error instanceof ProblemError) return error;
  throw error;
}

/**
 * Builds a path, escaping each value into exactly one segment:
 * apiPath`/v1/invitations/${token}`.
 *
 * @param {TemplateStringsArray} parts
 * @param {...string} values
 */
export function apiPath(parts, ...values) {
  const segments = values.map((value) => {
    // URL parsers resolve these as relative segments, even when they are escaped.
    if (["", ".", ".."].includes(value)) throw new ProblemError(404, { title: "no such address" });
    return encodeURIComponent(value);
  });
  return String.raw({ raw: parts }, ...segments);
}

/**
 * Calls the API and returns the parsed body, null when there is none; with `file`, the body as a
 * Blob. Throws a ProblemError when the call fails.
 *
 * @template T
 * @param {string} method
 * @param {string} path
 * @param {object} [options]
 * @param {unknown} [options.body] sent as JSON
 * @param {Record<string, string>} [options.form] sent as a form, in place of a body
 * @param {string} [options.bearer] a session, an ID token or the token of a wall link
 * @param {Record<string, string>} [options.headers]
 * @param {string} [options.file] the type of the file that is asked for, in place of JSON
 * @param {boolean} [options.preloaded] whether the edge has the browser ask for it before the script
 * @param {boolean} [options.keepalive] whether it goes on when the reader leaves the page
 * @returns {Promise<T>}
 */
export async function callApi(
  method,
  path,
  { body, form, bearer, headers = {}, file, keepalive = false, preloaded = false } = {},
) {
  const plain = asked(bearer, preloaded);
  /** @type {Record<string, string>} */
  const sentHeaders = { ...plain.headers, ...(file ? { Accept: file } : {}), ...headers };
  if (body !== undefined) sentHeaders["Content-Type"] = "application/json";
  const early = method === "GET" && !file ? takeEarly(path, bearer) : null;
  const abort = early?.abort ?? new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  let response;
  let content;
  try {
    if (early) [response, content] = await early.answer;
    else {
      response = await fetch(path, {
        ...plain,
        method,
        headers: sentHeaders,
        body: form
          ? new URLSearchParams(form)
          : body === undefined
            ? undefined
            : JSON.stringify(body),
        signal: abort.signal,
        keepalive,
      });
      if (file && response.ok) return /** @type {T} */ (await response.blob());
      content = await response.text();
    }
  } catch {
    throw new ProblemError(0, { type: "urn:tandem:problem:unreachable", title: "no answer" });
  } finally {
    clearTimeout(timer);
  }
  const parsed = parseJson(content);
  if (!response.ok) throw new ProblemError(response.status, parsed);
  return parsed;
}

/** @param {string} content */
function parseJson(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null; // A 204, or an HTML page from a proxy between us and the API.
  }
}
