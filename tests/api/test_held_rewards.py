"""Rewards that are held, as calls see them: evidence of the caller's network, decisions with who
made them, and nothing of either for anybody outside.
"""

from __future__ import annotations

import pytest

from tests.api.gateway import CALLER, Answer, Request
from tests.api.requests import CONFIRMATION, HELD, bearer, deciding
from tests.api.world import CAMPAIGN, STRANGER, World, posting

pytestmark = pytest.mark.slow

OTHER = "paul.durand@demo.test"
HOME, ELSEWHERE = "203.0.113.9", "192.0.2.9"


def confirms(world: World, address: str, passed_on: str, session: str) -> Answer:
    """Somebody confirms, whose address CloudFront has passed on."""
    token = world.invite(session, address)
    headers = {"X-Forwarded-For": passed_on} if passed_on else {}
    request = posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION, **headers)
    return world.ask(request)


def beside(world: World) -> list[int]:
    # An item leaves out what is empty by default.
    return [
        int(item.get("answers_beside", {"N": "0"})["N"]) for item in world._of_kind("INVITATION")
    ]


@pytest.mark.parametrize(
    ("first", "second", "answers"),
    [
        (HOME, HOME, [0, 1]),
        (HOME, "203.0.113.200", [0, 1]),
        (HOME, ELSEWHERE, [0, 0]),
        (f"{ELSEWHERE}, {HOME}", HOME, [0, 1]),  # what the caller sent comes first
        (f"{HOME}, {CALLER}", HOME, [0, 1]),  # API Gateway adds what it sees
        ("2001:db8:1::1", "2001:db8:1:2::3", [0, 1]),
        ("2001:db8:1::1", "2001:db8:2::1", [0, 0]),
        # Called directly, as the sponsor invites here: she was there once, then twice.
        ("", CALLER, [1, 3]),
        ("not an address", "", [0, 2]),
    ],
)
def test_callers_of_one_network_are_known_to_be(
    world: World, first: str, second: str, answers: list[int]
) -> None:
    world.review()
    session = world.sign_in()
    assert confirms(world, STRANGER, first, session).status == 201
    assert confirms(world, OTHER, second, session).status == 201
    assert sorted(beside(world)) == answers


def test_what_is_known_of_a_network_ends_an_hour_after_the_last_answer(world: World) -> None:
    world.review()
    session = world.sign_in()
    assert confirms(world, STRANGER, HOME, session).status == 201
    world.clock.pass_by(minutes=61)
    assert confirms(world, OTHER, HOME, session).status == 201
    assert beside(world) == [0, 0]


def test_no_address_of_a_caller_is_stored_or_logged(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.review()
    assert confirms(world, STRANGER, HOME, world.sign_in()).status == 201
    world.run()
    written = "".join(capsys.readouterr())
    stored = str(world.table())
    for text in (HOME, "203.0.113", CALLER):
        assert text not in written
        assert text not in stored
    assert world._of_kind("NETWORK_ANSWERS")


def test_without_a_review_nothing_of_the_caller_is_stored(world: World) -> None:
    assert confirms(world, STRANGER, HOME, world.sign_in()).status == 201
    assert not world._of_kind("NETWORK_ANSWERS")
    assert beside(world) == [0]


def test_what_is_held_is_listed_with_its_reasons(world: World) -> None:
    reward = world.held_reward()
    [held] = world.ask(Request("GET", HELD)).json()["held"]
    assert held["reward"] == reward
    assert held["score"] == sum(one["points"] for one in held["signals"])
    assert [one["signal"] for one in held["signals"]] == ["in_seconds"]
    assert (held["value"], held["currency"], held["holder"]) == ("10.00", "EUR", "referee")


@pytest.mark.parametrize(("decision", "issued"), [("release", 1), ("refusal", 0)])
def test_a_decision_is_recorded_with_the_account_and_may_be_repeated(
    world: World, decision: str, issued: int
) -> None:
    request = deciding(world, decision)
    for _ in range(2):
        assert world.ask(request).status == 204
    world.run()
    assert len(world.vouchers()) == issued
    name = "reward_released" if decision == "release" else "reward_refused"
    [fact] = [item for item in world.facts() if item["name"]["S"] == name]
    assert fact["details"]["M"]["by"]["S"] == "ops:an-account"
    assert world.ask(Request("GET", HELD)).json() == {"held": []}


def test_the_dashboard_says_how_many_are_held_and_what_they_are_worth(world: World) -> None:
    dashboard = Request("GET", f"/v1/ops/campaigns/{CAMPAIGN}/dashboard")
    nothing = {"rewards": 0, "value": "0.00", "currency": "EUR"}
    assert world.ask(dashboard).json()["held_rewards"] == nothing
    reward = world.held_reward()
    held = world.ask(dashboard).json()["held_rewards"]
    assert held == {"rewards": 1, "value": "10.00", "currency": "EUR"}
    assert world.ask(Request("POST", f"{HELD}/{reward}/release")).status == 204
    world.run()
    assert world.ask(dashboard).json()["held_rewards"] == nothing


def test_law_8_neither_referee_nor_sponsor_is_told_of_a_hold(world: World) -> None:
    world.review()
    session = world.sign_in()
    token = world.invite(session, STRANGER)
    held = world.confirm(token)
    world.run()
    assert held.status == 201
    assert held.json()["state"] == "confirmed"
    offer = world.get(f"/v1/invitations/{token}").json()
    assert (offer["state"], offer["vouchers"]) == ("confirmed", [])
    space = world.get("/v1/sponsor", Authorization=bearer(session))
    assert space.json()["invitations"][0]["state"] == "confirmed"
    for word in ("held", "score", "review", "signal"):
        assert word not in space.body.decode() + held.body.decode()
