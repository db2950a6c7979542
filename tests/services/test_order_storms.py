"""Random storms of reports, calls, exports, lists and days: what must hold after each of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.effects import deltas, funnel, totals
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import OrderUses, Purchase, Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, is_active
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import InvalidError, RefusedError
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CANARY
from tests.fakes.due import expire
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_order_attacks import (
    USED,
    WELCOME,
    WITH_WELCOME,
    assert_counts_what_stands,
    put,
)
from tests.services.test_order_judgement import STRANGER, bought_by

pytestmark = pytest.mark.slow

SEEDS = st.integers(0, 1 << 32)
REFEREES = ("jeanne@example.fr", "paul@example.fr", "zoe@example.fr")
BUYERS = (*REFEREES, *REFEREES, VIPS[0], CUSTOMERS[0], STRANGER)
CAPS: list[dict[str, Any]] = [
    {}, {"sponsor_rewards": 1}, {"sponsor_rewards": 2, "referee_rewards": 3}, {"budget": "60.00"},
]  # fmt: skip
GIVES_BACK = (["cancelled"], ["cancelled", "returned"])
RULES: list[dict[str, Any]] = [
    WELCOME, WITH_WELCOME, USED,
    {"id": "first", "when": "order_kept", "if": {"order": 1}, "issue": "second-order",
     "to": "referee"},
    {"id": "second", "when": "order_kept", "if": {"order": 2}, "issue": "third-order",
     "to": "referee"},
    {"id": "thanks", "when": "order_kept", "if": {"order": 1, "minimum_amount": "30.00"},
     "issue": "thank-you", "to": "sponsor"},
    {"id": "placed", "when": "order_placed", "if": {"order": 1}, "issue": "fourth-order",
     "to": "referee"},
    {"id": "sorry", "when": "order_returned", "if": {"order": 1}, "issue": "third-order",
     "to": "referee"},
]  # fmt: skip


def world_of(chance: Random, **changes: Any) -> World:
    """A world with three referrals of two sponsors."""
    world = new_world(
        rules=RULES,
        buyer=chance.choice(["referee", "anyone"]),
        give_back_voucher=chance.choice(GIVES_BACK),
        **changes,
    )
    for number, address in enumerate(REFEREES):
        world.referral(address, VIPS[number % 2])
    return world


def call(world: World, code: str, order_id: str, ordered_at: str, amount_minor: int = 5000) -> None:
    """A till's call, which may be refused."""
    purchase = Purchase(
        order_id=order_id,
        ordered_at=datetime.fromisoformat(ordered_at),
        amount_minor=amount_minor,
        currency="EUR",
    )
    with suppress(RefusedError, InvalidError):
        redeem(world.ports, code, purchase)


# --- anything may happen --------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS, changes_rules=st.booleans())
def test_law_4_whatever_happens_the_table_agrees_with_itself(
    seed: int, changes_rules: bool
) -> None:
    chance = Random(seed)
    world = world_of(chance, caps=chance.choice(CAPS))
    for _ in range(chance.randrange(5, 40)):
        something_happens(world, chance, changes_rules=changes_rules)
        if chance.random() < 0.5:
            world.run(chance)
    world.run()
    assert_counts_what_stands(world)
    assert_each_use_is_stored_alike(world)
    assert_orders_are_counted(world)
    standing = [
        (one.rule, one.referral_id, one.rung)
        for one in world.memory.all(Voucher)
        if one.state is not VoucherState.REVOKED and not one.revoked_at
    ]
    assert len(set(standing)) == len(standing)


def something_happens(world: World, chance: Random, *, changes_rules: bool) -> None:
    number = chance.randrange(6)
    order_id, at = f"A{number}", f"2026-03-{2 + number:02}T1{number}:30:00+01:00"
    code = chance.choice([one.code for one in world.memory.all(Voucher)])
    match chance.choice(["report"] * 10 + ["call"] * 4 + ["rollback"] * 2 + list("dexlp")):
        case "report":
            world.drop_orders(
                any_report(world, chance, order_id, at, code), file=str(world.clock())
            )
        case "call":
            call(world, code, order_id, at, 8000)
        case "rollback":
            with suppress(RefusedError):
                roll_back(world.ports, code, order_id)
        case "d":
            world.clock.advance(days=chance.choice([1, 1, 20, 60]))
        case "e":
            expire(world.ports)
        case "x" if export := world.export():
            world.acknowledge(export.number)
        case "l":
            listed = [*CUSTOMERS, *VIPS, CANARY, *chance.sample(REFEREES, chance.randrange(3))]
            world.drop_list("customers", listed, file=str(world.clock()))
        case "p" if changes_rules:
            put(world, rules=other_rules(chance), caps=chance.choice(CAPS))


def any_report(
    world: World, chance: Random, order_id: str, ordered_at: str, code: str
) -> dict[str, str]:
    of = chance.choice([*BUYERS, None])
    return world.order(
        order_id,
        chance.choice(["placed", "kept", "kept", "returned", "cancelled"]),
        of=of,
        code=code if of is None or chance.random() < 0.4 else "",
        amount=chance.choice(["80.00", "50.00", "20.00", "0.00"]),
        ordered_at=ordered_at,
    )


def other_rules(chance: Random) -> list[dict[str, Any]]:
    """The rules, some with another trigger, and that for redemptions renamed or gone."""
    triggers = ["order_placed", "order_kept", "order_returned"]
    changed = [
        rule if chance.random() < 0.7 else rule | {"when": chance.choice(triggers)}
        for rule in RULES[3:]
    ]
    return [*RULES[:2], *chance.choice([[USED], [], [USED | {"id": "renamed"}]]), *changed]


def assert_each_use_is_stored_alike(world: World) -> None:
    """Vouchers, redemptions and the uses of orders say the same (law 6)."""
    uses = {(one.order_id, use.code_key) for one in world.memory.all(OrderUses) for use in one.uses}
    redemptions = world.memory.all(Redemption)
    assert uses == {(one.order_id, one.code_key) for one in redemptions if not one.rolled_back_at}
    vouchers = world.memory.all(Voucher)
    assert uses == {(one.redeemed_by, one.code_key) for one in vouchers if one.redeemed_by}
    assert all((v.state is VoucherState.REDEEMED) is bool(v.redeemed_by) for v in vouchers)


def assert_orders_are_counted(world: World) -> None:
    """Referrals and the dashboard have the numbers that the orders have (law 10)."""
    summed = totals(deltas(world.campaign, world.facts()))
    assert world.funnel() == {name: value for name, value in funnel(summed).items() if value}
    orders = world.memory.all(Order)
    buyers = [one.buyer.value for one in orders]
    assert bought_by(world) == {name: buyers.count(name) for name in set(buyers)}
    for referral in world.memory.all(Referral):
        own = [one for one in orders if one.referral_id == referral.referral_id and one.counts]
        assert referral.orders == len(own)
        assert set(referral.known_orders) == {one.order_id for one in own}  # fewer than are listed
        kept = {one.order_id for one in own if one.status is OrderStatus.KEPT}
        assert set(referral.kept_orders) == kept


# --- the same, in another sequence ----------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=SEEDS)
def test_law_4_reports_and_calls_have_one_result_in_any_sequence(seed: int) -> None:
    results = []
    for attempt in range(3):
        chance = Random(seed)
        world = world_of(chance)
        events = some_events(world, chance)
        chance = Random(seed + attempt)
        chance.shuffle(events)
        for position, event in enumerate(events):
            if isinstance(event, dict):
                world.drop_orders(event, file=str(position))
            else:
                call(world, *event)
            if chance.random() < 0.5:
                world.run(chance if attempt else None)
        world.run()
        results.append(result_of(world))
    assert results[0] == results[1] == results[2]


def some_events(world: World, chance: Random) -> list[dict[str, str] | tuple[str, str, str]]:
    """Reports and calls of five orders, each with one buyer, one amount and at most one code."""
    world.clock.advance(days=1)
    if chance.random() < 0.5:
        listed = [*CUSTOMERS, *VIPS, CANARY, chance.choice(REFEREES)]
        world.drop_list("customers", listed, file="next")
    world.clock.advance(days=8)
    codes = [one.code for one in world.memory.all(Voucher)]
    chance.shuffle(codes)
    events: list[dict[str, str] | tuple[str, str, str]] = []
    for number in range(5):
        order_id, at = f"A{number}", f"2026-03-{2 + chance.randrange(5):02}T1{number}:30:00+01:00"
        code = codes.pop() if codes and chance.random() < 0.6 else ""
        events += reports_of(world, chance, order_id, at, code)
        events += [(code, order_id, at)] if code and chance.random() < 0.5 else []
    return events


def reports_of(
    world: World, chance: Random, order_id: str, ordered_at: str, code: str
) -> list[dict[str, str]]:
    of, amount = chance.choice(BUYERS), chance.choice(["80.00", "50.00"])
    statuses = ["placed", chance.choice(["kept", "kept", "returned", "cancelled"])]
    return [
        world.order(
            order_id,
            status,
            of=of,
            # Without it, a report of an order of somebody else leaves no trace.
            code=code if of not in REFEREES or status == "placed" else "",
            amount=amount,
            ordered_at=ordered_at,
        )
        for status in statuses
    ]


def result_of(world: World) -> dict[str, Any]:
    """What people have in the end, whose the orders are, and what the dashboard says of them."""
    live = [one for one in world.memory.all(Voucher) if one.state is not VoucherState.REVOKED]
    rewards = [one for one in world.memory.all(Reward) if is_active(one)]
    return {
        "rewards": sorted((one.referral_id, one.rule) for one in rewards),
        "vouchers": sorted((one.referral_id, one.rule, one.redeemed_by or "") for one in live),
        "orders": sorted(
            (one.order_id, one.status, one.counts, one.buyer) for one in world.memory.all(Order)
        ),
        "buyers": bought_by(world),
    }
