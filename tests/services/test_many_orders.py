"""A referral with very many orders: small, bounded work, and the same rewards as with few."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain import earned, referral_orders
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referral_orders import NAMED_ORDERS, FurtherOrder, kept_order_count
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, is_active
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Remove, Replace
from chalicelib.services.vouchers.reward import reward
from tests.fakes.indexed import IndexedRepository
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_orders import NEWCOMER, record

SEEDS = st.integers(0, 1 << 32)
RULES: list[dict[str, Any]] = [
    {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
    {"id": "third", "when": "order_kept", "if": {"order": 3}, "issue": "third-order",
     "to": "referee"},
    {"id": "placed", "when": "order_placed", "if": {"order": 2}, "issue": "fourth-order",
     "to": "referee"},
    {"id": "sorry", "when": "order_returned", "if": {"order": 2}, "issue": "second-order",
     "to": "referee"},
]  # fmt: skip
EVERY: dict[str, Any] = {"id": "every", "when": "order_kept", "issue": "thank-you", "to": "sponsor"}


def the_referral(world: World) -> Referral:
    [found] = world.memory.all(Referral)
    return found


def result(world: World) -> dict[str, Any]:
    """What the referral's orders came to."""
    referral = the_referral(world)
    active = [one for one in world.memory.all(Reward) if is_active(one)]
    return {
        "rewards": sorted((one.rule, one.rung) for one in active),
        "orders": referral.orders,
        "kept": kept_order_count(referral),
        "newcomer as of": referral.newcomer_as_of,
    }


def at(world: World, days: int) -> str:
    return (world.clock() + timedelta(days=days)).isoformat()


def random_reports(world: World, chance: Random) -> list[dict[str, str]]:
    """Reports of some orders in any sequence: late, returned, kept again, and of another date."""
    rows = []
    for number in range(chance.randrange(4, 12)):
        made = chance.randrange(-5, 0) if number else 0
        for status in ("placed", "kept", "returned", "cancelled", "kept"):
            if chance.random() < 0.5:
                ordered_at = at(world, made - (chance.random() < 0.2))
                amount = chance.choice(["80.00", "80.00", "0.00"])
                rows.append(
                    world.order(
                        f"A{number}", status, of=NEWCOMER, ordered_at=ordered_at, amount=amount
                    )
                )
    chance.shuffle(rows)
    return rows


def played(seed: int, *, listed: int) -> dict[str, Any]:
    """The result of one course of reports, with so many orders listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(referral_orders, "NAMED_ORDERS", listed)
        chance = Random(seed)
        world = new_world(rules=RULES if chance.random() < 0.6 else [*RULES, EVERY])
        world.referral(NEWCOMER)
        world.clock.advance(days=9)
        for row in random_reports(world, chance):
            record(world, row)
            if chance.random() < 0.5:
                world.run()
        world.run()
        counted = [one for one in world.memory.all(Order) if one.counts]
        assert the_referral(world).orders == len(counted)
        kept = [one for one in counted if one.status is OrderStatus.KEPT]
        assert kept_order_count(the_referral(world)) == len(kept)
        assert len(world.memory.all(FurtherOrder)) == the_referral(world).further_orders
        return result(world)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS)
def test_law_4_where_orders_are_noted_changes_nothing_in_any_sequence(seed: int) -> None:
    assert played(seed, listed=2) == played(seed, listed=1000)


@pytest.mark.parametrize("seed", range(4))
def test_law_4_where_orders_are_noted_changes_nothing(seed: int) -> None:
    assert played(seed, listed=2) == played(seed, listed=1000)


# --- twenty thousand ------------------------------------------------------------------------------


def size(referral: Referral) -> int:
    """The bytes of its item, as DynamoDB counts them, roughly."""
    return len(json.dumps(asdict(referral), default=str))


def settle(world: World) -> list[str]:
    """Work on the last fact of an order; the calls it made."""
    recording = RecordingRepository(world.repository)
    reward(wrapped(world, lambda _: recording), world.facts()[-1])
    return recording.calls


def with_many(orders: int, **changes: Any) -> World:
    """A world with a referral of so many kept orders, a minute apart, on whose facts nobody has
    worked.
    """
    world = new_world(IndexedRepository(), **changes)
    world.projects = False
    world.referral(NEWCOMER)
    world.clock.advance(days=20)
    first = world.clock() - timedelta(days=15)
    for number in range(orders):
        made = (first + timedelta(minutes=number)).isoformat()
        # Ids as long as a UUID.
        record(world, world.order(f"{number:036}", "kept", of=NEWCOMER, ordered_at=made))
    return world


@pytest.mark.slow
def test_twenty_thousand_orders_leave_the_referral_small_and_its_rewards_right() -> None:
    world = with_many(20_000, rules=RULES)
    referral = the_referral(world)
    assert size(referral) < 5_000
    assert (referral.orders, kept_order_count(referral)) == (20_000, 20_000)
    calls = settle(world)
    assert len(calls) < 60
    assert result(world)["rewards"] == [("placed", 2), ("third", 3), ("welcome", 0)]
    voucher = {one.rule: one for one in world.memory.all(Reward)}["third"]
    assert voucher.order_id == f"{2:036}"

    # Late: older than all; returned: the first ones and some far beyond; reported again.
    record(world, world.order("late", "kept", of=NEWCOMER, ordered_at=at(world, -16)))
    settle(world)
    assert the_referral(world).newcomer_as_of == datetime.fromisoformat(at(world, -16))
    for number in (*range(19_000, 19_003), *range(4)):
        record(world, world.order(f"{number:036}", "returned", of=NEWCOMER))
        record(world, world.order(f"{number:036}", "kept", of=NEWCOMER))
        settle(world)
    assert the_referral(world).orders == 20_001
    assert kept_order_count(the_referral(world)) == 20_001 - 7
    assert result(world)["rewards"] == [
        ("placed", 2), ("sorry", 2), ("third", 3), ("welcome", 0),
    ]  # fmt: skip
    assert size(the_referral(world)) < 5_000


def test_a_rule_for_every_order_ends_with_the_longest_ladder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(earned, "LONGEST_LADDER", 5)
    monkeypatch.setattr(referral_orders, "LONGEST_LADDER", 5)
    world = with_many(60, rules=[EVERY])
    calls = Counter(settle(world))
    assert calls["get_many Order"] < 60
    assert {one.rung for one in world.memory.all(Reward)} == set(range(1, 6))
    # The first one leaves the ladder, and the sixth moves up.
    record(world, world.order(f"{0:036}", "returned", of=NEWCOMER))
    world.run()
    assert result(world)["rewards"] == [("every", rung) for rung in range(1, 6)]


def test_few_orders_make_no_item_and_no_call_more() -> None:
    world = with_many(NAMED_ORDERS, rules=RULES)
    assert world.memory.all(FurtherOrder) == []
    assert not any("Further" in call for call in settle(world))
    record(world, world.order("one more", "kept", of=NEWCOMER))
    assert len(world.memory.all(FurtherOrder)) == 1


# --- of earlier versions --------------------------------------------------------------------------


@pytest.mark.parametrize("knows_all", [True, False], ids=["0.3", "0.2.0"])
def test_a_referral_of_an_earlier_version_with_many_orders_is_read_and_grows_no_more(
    knows_all: bool,
) -> None:
    world = with_many(300, rules=RULES)
    referral = the_referral(world)
    ids = tuple(f"{number:036}" for number in range(300))
    for further in world.memory.all(FurtherOrder):
        world.repository.commit(Remove(further))
    earlier = replace(
        referral,
        known_orders=ids if knows_all else (),
        kept_orders=ids,
        further_orders=0,
        further_kept=0,
    )
    world.repository.commit(Replace(earlier))
    before = size(the_referral(world))
    record(world, world.order("one more", "kept", of=NEWCOMER))
    record(world, world.order(ids[299], "returned", of=NEWCOMER))
    world.run()
    # 0.2.0 listed each order once.
    assert size(the_referral(world)) < (before * 0.7 if knows_all else before + 100)
    assert result(world)["kept"] == 300
    assert result(world)["rewards"] == [("placed", 2), ("third", 3), ("welcome", 0)]
    for order_id in ids[:299]:
        record(world, world.order(order_id, "returned", of=NEWCOMER))
    world.run()
    assert result(world)["kept"] == 1
    assert result(world)["rewards"] == [("sorry", 2), ("welcome", 0)]
    assert not [one for one in world.memory.all(Voucher) if one.rule == "third"][1:]
