import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const stored = new Map();
let onHashChange = null;
let reloads = 0;
let pages = 0;

beforeEach(() => stored.clear());

/** Opens a page at `#hash` and takes the fragment; the tab's storage stays as it is. */
async function open(hash, { storage = true, search = "?campaign=demo" } = {}) {
  reloads = 0;
  globalThis.location = {
    pathname: "/sponsor/",
    search,
    hash,
    reload: () => (reloads += 1),
  };
  globalThis.history = {
    replaceState: (_, __, address) => {
      location.address = address;
      location.hash = "";
    },
  };
  globalThis.addEventListener = (_, listener) => (onHashChange = listener);
  const refuse = () => {
    throw new Error("storage is switched off");
  };
  globalThis.sessionStorage = storage
    ? {
        getItem: (key) => stored.get(key) ?? null,
        setItem: (key, value) => stored.set(key, value),
        removeItem: (key) => stored.delete(key),
      }
    : { getItem: refuse, setItem: refuse, removeItem: refuse };
  pages += 1;
  return import(`../../web/shared/fragment.js?page=${pages}`);
}

test("the token leaves the address bar, and survives a reload", async () => {
  const page = await open("#token=t0k%2Fen");
  assert.deepEqual(page.takeFragment("token"), { token: "t0k/en" });
  assert.equal(location.address, "/sponsor/?campaign=demo");
  const reloaded = await open("");
  assert.deepEqual(reloaded.takeFragment("token"), { token: "t0k/en" });
});

test("a forgotten token is not found again", async () => {
  const page = await open("#token=t");
  page.takeFragment("token");
  page.forgetFragment();
  assert.deepEqual((await open("")).takeFragment("token"), {});
});

test("the first name asked for wins, and others are left alone", async () => {
  const page = await open("#link=L&token=T&other=O");
  assert.deepEqual(page.takeFragment("token", "link"), { token: "T" });
  const anchor = await open("#main");
  assert.deepEqual(anchor.takeFragment("link"), {});
  assert.equal(location.hash, "#main");
});

test("a new link replaces the stored one", async () => {
  (await open("#token=first")).takeFragment("token", "link");
  assert.deepEqual((await open("#link=L")).takeFragment("token", "link"), { link: "L" });
  assert.deepEqual((await open("")).takeFragment("token", "link"), { link: "L" });
});

test("a second link in the same tab starts the page again, an anchor does not", async () => {
  (await open("#token=t")).takeFragment("token");
  location.hash = "#main";
  onHashChange();
  assert.equal(reloads, 0);
  location.hash = "#token=other";
  onHashChange();
  assert.equal(reloads, 1);
});

test("without storage the token lasts as long as the page", async () => {
  const page = await open("#token=t", { storage: false });
  assert.deepEqual(page.takeFragment("token"), { token: "t" });
  page.forgetFragment();
});

for (const search of [
  "?campaign=demo%23token=t0k",
  "?campaign=demo%2523token%3Dt0k",
  "?campaign=demo&token=t0k",
  "?token=t0k&campaign=demo",
]) {
  test(`a token that a filter has put into the query is found: ${search}`, async () => {
    const page = await open("", { search });
    assert.deepEqual(page.takeFragment("token"), { token: "t0k" });
    assert.equal(location.address, "/sponsor/?campaign=demo");
  });
}
