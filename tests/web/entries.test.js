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
  invitations = put("ul", { id: "invitations" });
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
  value: "10.00",
  currency: "EUR",
  valid_until: "2025-12-31T22:59:59Z",
  state: "available",
  code: "SP-7K4M",
};

test("a pending invitation says until when it is open, by the campaign's days", () => {
  showInvitations([INVITATION], "Europe/Paris");
  assert.equal(
    invitations.textContent,
    "j•••@e•••.frInvited on 2 October 2025, open until 16 October 2025Pending",
  );
});

test("an invitation that is not open says when it was sent", () => {
  showInvitations([{ ...INVITATION, state: "closed" }], "Europe/Paris");
  assert.equal(invitations.textContent, "j•••@e•••.frInvited on 2 October 2025Closed");
});

test("an empty list shows its note instead, and a new list replaces the old one", () => {
  const note = document.getElementById("no-invitations");
  showInvitations([], "Europe/Paris");
  assert.equal(note.hidden, false);
  showInvitations([INVITATION, INVITATION], "Europe/Paris");
  showInvitations([INVITATION], "Europe/Paris");
  assert.equal(note.hidden, true);
  assert.equal(invitations.children.length, 1);
});

test("a voucher shows its value, last day and state, and its code only when it has one", () => {
  showVouchers([VOUCHER, { ...VOUCHER, id: "2", state: "preparing", code: null }], "Europe/Paris");
  const [available, preparing] = vouchers.children;
  assert.match(available.textContent, /^€10 voucherValid until 31 December 2025Available/);
  assert.equal(available.querySelector("input").value, "SP-7K4M");
  assert.match(preparing.textContent, /Being prepared$/);
  assert.equal(preparing.querySelector("input"), null);
});
