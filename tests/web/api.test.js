import assert from "node:assert/strict";
import { test } from "node:test";

import { apiPath, asProblem, callApi, ProblemError } from "../../web/shared/api.js";

/** Lets the next call be answered by `answer(path, options)`; returns what was asked. */
function answerWith(context, answer) {
  return context.mock.method(globalThis, "fetch", async (path, options) => answer(path, options));
}

test("each value is one segment of the path", () => {
  const value = "a/b?c=d#e é";
  assert.equal(apiPath`/v1/links/${value}/sign-up`, "/v1/links/a%2Fb%3Fc%3Dd%23e%20%C3%A9/sign-up");
});

test("a value that would change the path is an address that does not exist", () => {
  for (const value of ["", ".", ".."]) {
    assert.throws(() => apiPath`/v1/campaigns/${value}`, { status: 404 });
  }
});

test("a call sends JSON, the bearer token, and no cookies", async (t) => {
  const fetch = answerWith(t, () => new Response('{"session":"s"}', { status: 201 }));
  const body = { token: "t" };
  const answer = await callApi("POST", "/v1/x", { body, bearer: "b", headers: { A: "1" } });
  assert.deepEqual(answer, { session: "s" });
  const [path, options] = fetch.mock.calls[0].arguments;
  assert.equal(path, "/v1/x");
  assert.equal(options.body, '{"token":"t"}');
  assert.equal(options.credentials, "omit");
  assert.deepEqual(options.headers, {
    Accept: "application/json",
    A: "1",
    Authorization: "Bearer b",
    "Content-Type": "application/json",
  });
});

test("a call without a body has no content type, and an empty answer is null", async (t) => {
  const fetch = answerWith(t, () => new Response(null, { status: 204 }));
  assert.equal(await callApi("POST", "/v1/x"), null);
  assert.deepEqual(fetch.mock.calls[0].arguments[1].headers, { Accept: "application/json" });
});

test("a problem document becomes an error with its kind, fields and suggestion", async (t) => {
  const errors = [{ field: "email", reason: "probably_mistyped", suggestion: "a@gmail.com" }];
  const problem = { type: "urn:tandem:problem:invalid-address", title: "no", errors };
  answerWith(t, () => Response.json(problem, { status: 422 }));
  await assert.rejects(callApi("POST", "/v1/x"), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.equal(error.status, 422);
    assert.equal(error.kind, "invalid-address");
    assert.deepEqual(error.errors, errors);
    assert.equal(error.suggestion, "a@gmail.com");
    return true;
  });
});

test("an error page of a proxy is an error without a kind", async (t) => {
  answerWith(t, () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  await assert.rejects(callApi("GET", "/v1/x"), { status: 502, kind: "", errors: [] });
});

test("a lost connection and a body that breaks off are unreachable", async (t) => {
  answerWith(t, () => {
    throw new TypeError("network");
  });
  await assert.rejects(callApi("GET", "/v1/x"), { status: 0, kind: "unreachable" });
  answerWith(t, () => ({ ok: true, text: () => Promise.reject(new TypeError("broken off")) }));
  await assert.rejects(callApi("GET", "/v1/x"), { status: 0, kind: "unreachable" });
});

test("a call without an answer is given up after twenty seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  answerWith(t, (_path, { signal }) => {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const call = callApi("GET", "/v1/x");
  t.mock.timers.tick(20_000);
  await assert.rejects(call, { status: 0, kind: "unreachable" });
});

test("only the API's problems are problems: a bug in a page is thrown on", () => {
  const problem = new ProblemError(404);
  assert.equal(asProblem(problem), problem);
  assert.throws(() => asProblem(new TypeError("a bug")), TypeError);
});

test("a file is asked for by its type and comes as it is; a refusal is still a problem", async (t) => {
  const type = "application/vnd.apple.pkpass";
  const fetch = answerWith(t, () => new Response("PK", { status: 200 }));
  const file = await callApi("GET", "/v1/x", { file: type });
  assert.equal(await file.text(), "PK");
  assert.deepEqual(fetch.mock.calls[0].arguments[1].headers, { Accept: type });
  answerWith(t, () => Response.json({ type: "urn:tandem:problem:not-found" }, { status: 404 }));
  await assert.rejects(callApi("GET", "/v1/x", { file: type }), { status: 404, kind: "not-found" });
});
