"""Killed before and after each call to AWS, everything goes on as if nothing had happened (law 4).

All of it: `python -m tests.simulation.crashes`. Here are one scenario of every function, and the
routes whose repeat is answered by what the first call left.
"""

from __future__ import annotations

import pytest

import app
from chalicelib.api.operations import OPERATIONS
from chalicelib.services.mails import send
from tests.simulation.crashes import crash
from tests.simulation.machine import Machine
from tests.simulation.scenarios import OF_FUNCTIONS, SCENARIOS

BY_TITLE = {scenario.title: scenario for scenario in SCENARIOS}
# Of each function the one with the most states; what takes longer is left to the command.
SHARE = (
    "relay: facts of every queue",
    "project: facts of every queue",
    "decide: three invitations",
    "mail: two invitations",
    "mail: vouchers that are revoked",
    "mail_events: mails without an answer",
    "reward: a kept order",
    "reward: a release",
    "release_reward: a good request",
    "ingest: a refused code",
    "due: all that ends",
    "export: vouchers",
    "export: encrypted vouchers and changes",
    "expire: all that ends",
    "reconcile: stuck work",
    "seal: facts after a seal",
    "root: what was sealed since the last root",
    "persons: the erasure of a sponsor",
    "report: a month that is over",
    "invite: three people, with a key",
    "confirm_invitation: a good request",
    "redeem_voucher: a good request",
    "redeem_voucher: an order that is too small",
    "post_orders: a code that is not used",
)


def test_every_function_has_work_to_be_killed_in() -> None:
    functions = {function.name for function in app.app.pure_lambda_functions} - {"wallet"}  # signs
    assert {scenario.of for scenario in OF_FUNCTIONS} == functions
    assert {BY_TITLE[title].of for title in SHARE} >= functions


def test_every_route_that_changes_something_has_a_call_to_be_killed_in() -> None:
    changing = {operation.name for operation in OPERATIONS if operation.method != "GET"}
    assert changing <= {scenario.of for scenario in SCENARIOS}


@pytest.mark.slow
@pytest.mark.parametrize("title", SHARE)
def test_law_4_killed_at_every_call_and_delivered_again_the_end_is_the_same(title: str) -> None:
    found = crash(BY_TITLE[title])
    assert found.broken == []
    assert found.points == 2 * found.calls
    assert found.states > 1


@pytest.mark.slow
def test_without_leases_some_crash_sends_an_invitation_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send, "AT_MOST_ONCE", frozenset())
    monkeypatch.setattr(Machine, "ses_event", lambda *_, **__: None)  # or they settle it first
    found = crash(BY_TITLE["mail: two invitations"])
    assert any("law 2: 2 invitation mails to one person" in text for text in found.broken)
