import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { callApi } from "../../web/shared/api.js";
import { askEarly } from "../../web/shared/early.js";

let sent = [];

beforeEach(() => {
  sent = [];
  globalThis.fetch = async (path, options) => {
    sent.push({ path, ...options });
    return new Response(JSON.stringify({ number: sent.length }));
  };
});
afterEach(() => delete globalThis.earlyCalls);

test("the first call for the same thing takes the answer, once", async () => {
  askEarly("/v1/sponsor", { bearer: "s3" });
  assert.deepEqual(await callApi("GET", "/v1/sponsor", { bearer: "s3" }), { number: 1 });
  assert.equal(sent.length, 1);
  assert.deepEqual(await callApi("GET", "/v1/sponsor", { bearer: "s3" }), { number: 2 });
});

test("it is asked as the page asks", async () => {
  askEarly("/v1/sponsor", { bearer: "s3" });
  await callApi("GET", "/v1/other", { bearer: "s3" });
  const [early, late] = sent.map(({ path, signal, method, body, keepalive, ...how }) => how);
  assert.deepEqual(early, late);
});

test("it is asked as the edge has preloaded it", async () => {
  askEarly("/v1/campaigns/demo", { preloaded: true });
  await callApi("GET", "/v1/campaigns/other", { preloaded: true });
  const [early, late] = sent.map(({ cache, credentials }) => [cache, credentials]);
  assert.deepEqual(early, ["default", "same-origin"]);
  assert.deepEqual(early, late);
});

test("each of two is taken by its own path", async () => {
  askEarly("/v1/campaigns/demo", { preloaded: true });
  askEarly("/v1/sponsor", { bearer: "s3" });
  assert.deepEqual(await callApi("GET", "/v1/sponsor", { bearer: "s3" }), { number: 2 });
  assert.deepEqual(await callApi("GET", "/v1/campaigns/demo", { preloaded: true }), { number: 1 });
  assert.equal(sent.length, 2);
});

test("a file is no answer that was asked for as JSON", async () => {
  askEarly("/v1/sponsor", { bearer: "s3" });
  await callApi("GET", "/v1/sponsor", { bearer: "s3", file: "text/csv" });
  assert.equal(sent.length, 2);
});

test("another session, path or method asks for itself", async () => {
  askEarly("/v1/sponsor", { bearer: "s3" });
  assert.deepEqual(await callApi("GET", "/v1/sponsor", { bearer: "other" }), { number: 2 });
  assert.deepEqual(await callApi("GET", "/v1/sponsor"), { number: 3 });
  assert.deepEqual(await callApi("GET", "/v1/other", { bearer: "s3" }), { number: 4 });
  assert.deepEqual(await callApi("DELETE", "/v1/sponsor", { bearer: "s3" }), { number: 5 });
});

test("an answer that came long ago is not what is so now", async () => {
  const { now } = performance;
  askEarly("/v1/sponsor", { bearer: "s3" });
  performance.now = () => now.call(performance) + 31_000;
  try {
    assert.deepEqual(await callApi("GET", "/v1/sponsor", { bearer: "s3" }), { number: 2 });
  } finally {
    performance.now = now;
  }
});

test("a call that failed is reported where it is taken", async () => {
  globalThis.fetch = async () => {
    throw new TypeError("offline");
  };
  askEarly("/v1/sponsor", { bearer: "s3" });
  const failed = callApi("GET", "/v1/sponsor", { bearer: "s3" });
  await assert.rejects(failed, { name: "ProblemError", status: 0 });
});
