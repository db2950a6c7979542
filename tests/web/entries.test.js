import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { chooseLanguage } from "./catalogues.js";
import { emptyPage, put } from "./document.js";
import { showVouchers } from "../../web/shared/vouchers.js";
import { showInvitations } from "../../web/sponsor/entries.js";

let invitations;
let vouchers;

beforeEach(() => {
  emptyPage();
  chooseLanguage("en");
  for (const id of ["no-invitations", "no-vouchers", "vouchers-notice"]) put("p", { id });
  invitations = put("div", { id: "invitations" });
  vouchers = put("ul", { id: "vouchers" });
});

const INVITATION = {
  id: "1",
  address: "j•••@e•••.fr",
  state: "pending",
  invited_at: "2025-10-01T22:30:00Z",
  closes_on: "2025-10-16",
};
const VOUCHER = {
  id: "1",
  template: "welcome",
  value: "10.00",
  currency: "EUR",
  minimum_basket: "40.00",
  valid_until: "2025-12-31",
  state: "available",
  code: "SP-7K4M",
};

const texts = (list) => list.querySelectorAll("li").map((item) => item.textContent);

test("people are in groups, by the name typed, and by the masked address without", () => {
  showInvitations(
    [INVITATION, { ...INVITATION, id: "2", state: "closed" }],
    { 2: "Jeanne" },
    "Europe/Paris",
  );
  const headings = invitations.querySelectorAll("h3").map((heading) => heading.textContent);
  assert.deepEqual(headings, ["Pending · 1", "Closed · 1"]);
  assert.deepEqual(texts(invitations), [
    "Jj•••@e•••.frInvited on 2 October 2025, open until 16 October 2025",
    "JJeannej•••@e•••.frInvited on 2 October 2025",
  ]);
});

test("an empty list shows its note instead, and a new list replaces the old one", () => {
  const note = document.getElementById("no-invitations");
  showInvitations([], {}, "Europe/Paris");
  assert.equal(note.hidden, false);
  showInvitations([INVITATION, INVITATION], {}, "Europe/Paris");
  showInvitations([INVITATION], {}, "Europe/Paris");
  assert.equal(note.hidden, true);
  assert.equal(texts(invitations).length, 1);
});

test("ten people are shown, and ten more with each press", () => {
  showInvitations(
    Array.from({ length: 23 }, () => INVITATION),
    {},
    "Europe/Paris",
  );
  const more = invitations.querySelectorAll("button")[0];
  assert.equal(texts(invitations).length, 10);
  assert.equal(more.textContent, "Show 13 more");
  more.click();
  more.click();
  assert.equal(texts(invitations).length, 23);
  assert.equal(more.hidden, true);
});

test("a voucher is a ticket with its value, condition, last day, state, and code if it has one", () => {
  const preparing = { ...VOUCHER, id: "2", state: "preparing", code: null };
  showVouchers([VOUCHER, preparing], { time_zone: "Europe/Paris", brand: {}, use: {} });
  const [available, other] = vouchers.children;
  assert.match(
    available.textContent,
    /^€10when you spend €40 or moreAvailableValid until 31 December 2025SP-7K4MCopy the codePrint$/,
  );
  assert.match(other.textContent, /Being prepared.*On its way to the tills/);
  assert.doesNotMatch(other.textContent, /SP-7K4M|Copy/);
});

test("a till is offered where tills take it, and the address where it is used", () => {
  const use = { welcome: { online: "https://shop.example/basket", shop: true, how: {} } };
  showVouchers([VOUCHER], { time_zone: "Europe/Paris", brand: {}, use });
  const buttons = vouchers.querySelectorAll("button").map((button) => button.textContent);
  assert.deepEqual(buttons, ["At the till", "Copy the code", "Print"]);
  assert.equal(vouchers.querySelector("a").href, "https://shop.example/basket");
});

test("the last days of a voucher are counted", () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  showVouchers([{ ...VOUCHER, valid_until: tomorrow }], { brand: {}, use: {} });
  assert.match(vouchers.textContent, /: (one day|2 days) left/);
});
