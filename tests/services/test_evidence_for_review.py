"""What the use cases record and read for a review: traces and numbers on what is written anyway,
and what orders and vouchers say when a reward is judged.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.campaign.review import Signal
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Sponsor
from chalicelib.domain.review import DomainDay, NetworkAnswers
from chalicelib.domain.rewards import Reward, is_held
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.orders.record import record_order
from chalicelib.services.ports import Remove
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.review_rewards import refuse_reward, release_reward
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_conditions import purchase
from tests.services.test_held_rewards import RULES, record
from tests.services.test_orders import row_of

HOME, OFFICE = "203.0.113.0/24", "198.51.100.0/24"
JEANNE, PAUL, MARIE = "jeanne@ring.example.fr", "paul@ring.example.fr", "marie@gmail.com"
# Each order is judged, and nothing is ever held: the evidence alone is looked at.
NEVER = {"hold_over": 1000}
EACH_ORDER = [
    RULES[0],
    {"id": "each", "when": "order_kept", "issue": "second-order", "to": "referee"},
]
ALWAYS = {"hold_over": 0}
USED = [
    RULES[0],
    {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
     "issue": "thank-you", "to": "sponsor"},
]  # fmt: skip


def reviewing(review: dict[str, Any] = NEVER, **changes: Any) -> World:
    return new_world(**{"rules": RULES, "review": review} | changes)


def invitation(world: World, address: str) -> Invitation:
    masked = {one.masked: one for one in world.memory.all(Invitation)}
    name, _, domain = address.partition("@")
    return masked[f"{name[0]}•••@{domain[0]}•••.{domain.rpartition('.')[2]}"]


def confirmed(world: World, *addresses: str, network: str | None = None) -> None:
    """They are invited together, and confirm a day later, an hour and a half apart."""
    world.invite(world.sponsor(), *addresses)
    world.run()
    world.clock.now += timedelta(days=1)
    for address in addresses:
        world.confirm(address, network)
        world.run()
        world.clock.now += timedelta(minutes=90)


def signals(world: World, rule: str, rung: int = 0) -> dict[Signal, int]:
    """What was seen of the last reward of a rule that is held."""
    held = [one for one in world.memory.all(Reward) if (one.rule, one.rung) == (rule, rung)]
    assert held[-1].hold
    return {one.signal: one.seen for one in held[-1].hold.signals}


# --- addresses ----------------------------------------------------------------------------------


def test_the_traces_of_sponsor_and_referees_are_kept_where_they_are_written_anyway() -> None:
    world = reviewing()
    confirmed(world, JEANNE, PAUL, MARIE)
    jeanne, paul, marie = (invitation(world, one).traces for one in (JEANNE, PAUL, MARIE))
    assert jeanne.domain == paul.domain is not None
    assert marie.domain is None
    [vip] = world.memory.all(Sponsor)
    assert vip.traces.domain
    assert vip.traces.stem  # vip1@demo.test
    assert vip.traces.domain != jeanne.domain


@pytest.mark.parametrize("limit", [None, 2])
def test_invitations_to_a_private_domain_are_numbered_by_the_day_where_they_are_limited(
    limit: int | None,
) -> None:
    world = reviewing({"per_private_domain_per_day": limit} if limit else {})
    session = world.sponsor()
    for number in range(3):
        world.invite(session, f"{'xyz'[number]}.nobody@ring.example.fr", f"m{number}@gmail.com")
        world.run()
    numbers = sorted(one.domain_number for one in world.memory.all(Invitation))
    assert numbers == ([0, 0, 0, 1, 2, 3] if limit else [0] * 6)
    assert len(world.memory.all(DomainDay)) == (1 if limit else 0)
    world.clock.now += timedelta(days=1)
    world.invite(world.sponsor(), "w.nobody@ring.example.fr")
    world.run()
    assert invitation(world, "w.nobody@ring.example.fr").domain_number == (1 if limit else 0)


def test_what_is_beyond_the_limit_of_a_domain_is_held_and_confirmed_as_ever() -> None:
    world = reviewing({**NEVER, "per_private_domain_per_day": 1})
    confirmed(world, JEANNE, PAUL)
    [held] = [one for one in world.memory.all(Reward) if is_held(one)]
    assert signals(world, "welcome") == {Signal.OVER_DOMAIN_LIMIT: 2}
    assert held.referral_id == invitation(world, PAUL).referral_id
    assert [one.template for one in world.memory.all(Voucher)] == ["welcome"]


def test_what_is_beyond_the_limit_of_an_hour_is_held() -> None:
    world = reviewing({**NEVER, "per_sponsor_per_hour": 1})
    world.invite(world.sponsor(), JEANNE, MARIE)
    world.run()
    world.clock.now += timedelta(hours=3)
    for address in (JEANNE, MARIE):
        world.confirm(address)
        world.run()
        world.clock.now += timedelta(minutes=40)
    [held] = [one for one in world.memory.all(Reward) if is_held(one)]
    assert held.referral_id == invitation(world, MARIE).referral_id


# --- networks -----------------------------------------------------------------------------------


def test_answers_from_one_network_within_an_hour_are_counted_for_their_sponsor() -> None:
    world = reviewing()
    session = world.sponsor()
    world.invite(session, JEANNE, network=HOME)
    world.run()
    world.invite(session, PAUL, MARIE, network=OFFICE)
    world.run()
    world.confirm(JEANNE, HOME)
    world.clock.now += timedelta(minutes=59)
    world.confirm(PAUL, HOME)
    world.clock.now += timedelta(minutes=61)
    world.confirm(MARIE, HOME)
    found = {one: invitation(world, one).answers_beside for one in (JEANNE, PAUL, MARIE)}
    assert found == {JEANNE: 1, PAUL: 2, MARIE: 0}


def test_the_answers_to_another_sponsor_are_not_counted() -> None:
    world = reviewing()
    world.invite(world.sponsor("vip1@demo.test"), JEANNE)
    world.invite(world.sponsor("vip2@demo.test"), PAUL)
    world.run()
    for address in (JEANNE, PAUL):
        world.confirm(address, HOME)
    assert {one.answers_beside for one in world.memory.all(Invitation)} == {0}


@pytest.mark.parametrize(
    "review", [None, {"weights": {"one_network": 0}}], ids=["no review", "no weight"]
)
def test_nothing_of_a_network_is_recorded_where_it_counts_for_nothing(
    review: dict[str, Any] | None,
) -> None:
    world = new_world(review=review)
    world.invite(world.sponsor(), JEANNE, network=HOME)
    world.run()
    world.confirm(JEANNE, HOME)
    assert world.memory.all(NetworkAnswers) == []


def test_a_network_is_read_with_the_sponsor_and_written_with_the_confirmation() -> None:
    """No call more than without a review."""
    calls = []
    for review in (None, NEVER):
        world = new_world(review=review)
        session = world.sponsor()
        world.invite(session, JEANNE)
        world.run()
        recording = RecordingRepository(world.repository)
        ports = wrapped(world, lambda _, to=recording: to)  # type: ignore[misc]
        confirm(ports, world.token_of(JEANNE), "1", False, HOME)
        calls.append(len(recording.calls))
    assert calls[0] == calls[1]


# --- orders and vouchers --------------------------------------------------------------------------


def kept(world: World, name: str, amount: str, of: str = JEANNE, **changes: str) -> None:
    record(world, world.order(name, "kept", of=of, amount=amount, **changes))


def test_an_order_just_above_the_minimum_of_the_rule_is_one_at_the_minimum() -> None:
    for amount, seen in (("40.00", 1), ("42.00", 1), ("42.01", None)):
        world = reviewing(ALWAYS)
        confirmed(world, JEANNE)
        kept(world, "A1", amount)
        rewards = {one.rule: one for one in world.memory.all(Reward)}
        hold = rewards["thanks"].hold
        assert (hold and hold.signals[0].seen) == seen
        assert invitation(world, JEANNE).bought_at_minimum is (seen is not None)


def test_the_basket_of_the_voucher_that_was_used_is_a_minimum_too() -> None:
    # The welcome voucher asks for 40.00, the rule for nothing.
    thanks: dict[str, Any] = {**RULES[1], "if": {"order": 1}}
    rules = [RULES[0], thanks]
    for used in (True, False):
        world = reviewing(ALWAYS, rules=rules)
        confirmed(world, JEANNE)
        [voucher] = world.memory.all(Voucher)
        kept(world, "A1", "41.00", code=voucher.code if used else "")
        assert any(is_held(one) for one in world.memory.all(Reward)) is used


def thrift(world: World, *orders: tuple[str, str]) -> bool | None:
    """What is recorded of her orders, by status and amount, once the first of them is kept."""
    confirmed(world, JEANNE)
    for number, (status, amount) in enumerate(orders):
        record(world, world.order(f"A{number}", status, of=JEANNE, amount=amount))
    return invitation(world, JEANNE).bought_at_minimum


@pytest.mark.parametrize(
    ("before", "thrifty"),
    [
        (("placed", "90.00"), False),
        (("placed", "41.00"), True),
        (("returned", "90.00"), True),  # what went back says nothing of what was spent
        (("cancelled", "90.00"), True),
        (("placed", "0.00"), True),  # nor does an order of nothing
    ],
)
def test_thrift_is_of_the_orders_that_stand(before: tuple[str, str], thrifty: bool) -> None:
    rules = [{**RULES[1], "if": {"minimum_amount": "40.00"}}]
    world = reviewing(ALWAYS, rules=rules)
    assert thrift(world, before, ("kept", "40.00")) is thrifty


def test_what_is_known_already_is_not_written_again() -> None:
    world = reviewing(NEVER, rules=EACH_ORDER)
    assert thrift(world, ("kept", "90.00")) is False
    before = invitation(world, JEANNE).revision
    kept(world, "B1", "80.00")
    assert invitation(world, JEANNE).revision == before


def test_a_redemption_without_an_order_says_nothing_of_thrift() -> None:
    world = reviewing(NEVER, rules=USED)
    confirmed(world, JEANNE)
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world, "T1"))
    world.run()
    assert len(by_rule(world, "used")) == 1
    assert invitation(world, JEANNE).bought_at_minimum is None


def test_the_rewards_of_somebody_whose_invitation_is_gone_are_judged_by_the_orders() -> None:
    world = reviewing(ALWAYS)
    confirmed(world, JEANNE)
    world.store.commit(Remove(invitation(world, JEANNE)))
    [voucher] = world.memory.all(Voucher)
    record(world, world.order("A1", "kept", code=voucher.code, amount="40.00"))
    assert signals(world, "thanks", 1) == {Signal.MINIMUM_ORDERS: 1}


def test_the_orders_of_the_sponsors_others_are_known_by_what_was_recorded() -> None:
    world = reviewing(ALWAYS)
    confirmed(world, JEANNE, PAUL, MARIE)
    for number, address in enumerate((JEANNE, PAUL, MARIE)):
        kept(world, f"A{number}", "40.00", of=address)
    assert signals(world, "thanks", 1)[Signal.MINIMUM_ORDERS] == 3


def test_returned_orders_are_counted_and_what_was_used_before_its_order_was() -> None:
    world = reviewing(ALWAYS, rules=EACH_ORDER)
    confirmed(world, MARIE)
    kept(world, "A1", "90.00", of=MARIE)
    [first] = [one for one in world.memory.all(Voucher) if one.template == "second-order"]
    kept(world, "A2", "90.00", of=MARIE, code=first.code)
    record(world, world.order("A1", "returned", of=MARIE, amount="90.00"))
    record(world, world.order("A3", "returned", of=MARIE, amount="90.00"))
    for number in range(4, 6):
        kept(world, f"A{number}", "90.00", of=MARIE)
    seen = [
        one.hold.signals[0].seen
        for one in world.memory.all(Reward)
        if one.hold and one.hold.signals[0].signal is Signal.BOUGHT_AND_RETURNED
    ]
    assert max(seen) >= 2


@pytest.mark.parametrize(("buyer", "counted"), [(PAUL, 1), ("vip1@demo.test", 1), (JEANNE, 0)])
def test_a_voucher_that_another_of_the_programme_used_is_counted(buyer: str, counted: int) -> None:
    world = reviewing(ALWAYS)
    confirmed(world, JEANNE, PAUL)
    [code] = [
        one.code
        for one in world.memory.all(Voucher)
        if one.referral_id == invitation(world, JEANNE).referral_id
    ]
    row = world.order("B1", "placed", of=buyer, code=code, amount="90.00")
    record_order(world.ports, world.campaign, row_of(row))
    world.run()
    kept(world, "A2", "90.00")
    thanks = [one for one in world.memory.all(Reward) if one.rule == "thanks"]
    mine = [one for one in thanks if one.referral_id == invitation(world, JEANNE).referral_id]
    holds = [one.hold for one in mine if one.hold]
    seen = {each.signal: each.seen for hold in holds for each in hold.signals}
    assert seen.get(Signal.ANOTHER_BUYER, 0) == counted


# --- rewards for redemptions ----------------------------------------------------------------------


def used_and_held(world: World) -> tuple[RewardKey, str]:
    """The use of a welcome voucher, whose reward is held."""
    world.invite(world.sponsor(), JEANNE)
    world.run()
    world.confirm(JEANNE)
    world.run()
    referral_id = str(invitation(world, JEANNE).referral_id)
    release_reward(world.ports, CAMPAIGN, RewardKey(referral_id, "welcome", 0), by="AROAOPS")
    world.run()
    [voucher] = world.memory.all(Voucher)
    record(world, world.order("T1", of=JEANNE, code=voucher.code))
    return RewardKey(referral_id, "used", 1), voucher.code


def by_rule(world: World, rule: str) -> list[Reward]:
    return [one for one in world.memory.all(Reward) if one.rule == rule]


def test_a_reward_for_a_redemption_is_held_and_released_like_any_other() -> None:
    world = reviewing(ALWAYS, rules=USED)
    key, _ = used_and_held(world)
    assert list(map(is_held, by_rule(world, "used"))) == [True]
    release_reward(world.ports, CAMPAIGN, key, by="AROAOPS")
    world.run()
    assert sorted(one.template for one in world.memory.all(Voucher)) == ["thank-you", "welcome"]


def test_a_held_reward_for_a_redemption_falls_away_with_its_rollback() -> None:
    world = reviewing(ALWAYS, rules=USED)
    _, code = used_and_held(world)
    roll_back(world.ports, code, "T1")
    world.run()
    assert [one.hold for one in by_rule(world, "used")] == [None]
    assert [one.rewards for one in world.memory.all(Sponsor)] == [0]


def test_a_refused_reward_for_a_redemption_stays_refused() -> None:
    world = reviewing(ALWAYS, rules=USED)
    key, _ = used_and_held(world)
    refuse_reward(world.ports, CAMPAIGN, key, by="AROAOPS")
    world.run()
    record(world, world.order("T2", of=JEANNE))
    assert [one.template for one in world.memory.all(Voucher)] == ["welcome"]
    [refused] = by_rule(world, "used")
    assert refused.refused_reason == "refused_in_review"


# --- room for others ------------------------------------------------------------------------------


def test_a_refusal_leaves_room_under_the_cap_of_a_referee() -> None:
    world = reviewing(ALWAYS, rules=EACH_ORDER, caps={"referee_rewards": 1})
    confirmed(world, MARIE)
    world.invite(world.sponsor(), JEANNE)
    world.run()
    referral = world.confirm(JEANNE)
    world.run()
    kept(world, "A1", "90.00")
    [capped] = by_rule(world, "each")
    assert capped.refused_reason == "referee_cap"
    refuse_reward(
        world.ports, CAMPAIGN, RewardKey(referral.referral_id, "welcome", 0), by="AROAOPS"
    )
    world.run()
    [granted] = by_rule(world, "each")
    assert granted.code_key or granted.hold
