"""Vouchers of two campaigns on one order, and calls of another time: each counts for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.fact_bodies import OrderBody, body_of
from chalicelib.domain.facts import FactName
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import OrderUse, OrderUses
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import InvalidError
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.referral_orders import orders_of
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.redemption_rewards import used_on
from chalicelib.services.vouchers.reward import _templates_on
from tests.fakes.campaign import CAMPAIGN, campaign, templates
from tests.fakes.world import World, new_world
from tests.services.test_conditions import purchase
from tests.services.test_orders import granted, record
from tests.services.test_redemption_rewards import (
    USED,
    WELCOME,
    first_code,
    report,
    use,
    voucher_of,
)

NEWCOMER = "jeanne@example.fr"
OF_ANOTHER = OrderUse(campaign="other", code_key="OTHER1", template="their-template")


@pytest.fixture
def shared(world: World) -> World:
    """An order that counts, on which another campaign's voucher is used as well."""
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    uses = (
        OF_ANOTHER,
        replace(OF_ANOTHER, campaign=CAMPAIGN, code_key="OURS1", template="welcome"),
    )
    world.repository.commit(Insert(OrderUses(order_id="A1", uses=uses)))
    return world


def test_the_voucher_of_another_campaign_on_an_order_earns_nothing_here(shared: World) -> None:
    orders = shared.memory.all(Order)
    [body] = map(body_of, shared.facts(FactName.ORDER_PLACED))
    assert isinstance(body, OrderBody)
    assert used_on(shared.ports, CAMPAIGN, body) == ["OURS1"]
    assert _templates_on(shared.ports, CAMPAIGN, orders) == {"A1": ["welcome"]}


def test_the_code_of_another_campaign_is_not_the_one_an_order_was_recorded_with(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.repository.commit(Insert(OrderUses(order_id="A1", uses=(OF_ANOTHER,))))
    [voucher] = world.memory.all(Voucher)
    outcome = record(world, world.order("A1", of=NEWCOMER, code=voucher.code))
    assert (outcome.effect, outcome.voucher) == ("recorded", None)
    [order] = world.memory.all(Order)
    assert order.code_key == voucher.code_key


def test_an_order_that_is_another_referrals_by_now_is_not_counted_twice(world: World) -> None:
    referral_id = world.referral(NEWCOMER).referral_id
    record(world, world.order("A1", "kept", of=NEWCOMER))
    [referral] = [one for one in world.memory.all(Referral) if one.referral_id == referral_id]
    assert [one.order_id for one in orders_of(world.ports, referral)] == ["A1"]
    [order] = world.memory.all(Order)
    world.repository.commit(Replace(replace(order, referral_id="another")))
    assert orders_of(world.ports, referral) == []


def test_a_call_from_the_future_is_refused_and_a_repeat_is_answered_whatever_the_clock(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    world.clock.advance(days=3)
    later = purchase(world)
    world.clock.advance(days=-3)
    with pytest.raises(InvalidError):
        redeem(world.ports, voucher.code, later)
    world.clock.advance(days=3)
    assert redeem(world.ports, voucher.code, later)[2]
    world.clock.advance(days=-3)
    assert not redeem(world.ports, voucher.code, later)[2]


# --- what a rule for redemptions asks for ---------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "amount", "days", "granted_to"),
    [
        ({}, "45.00", 0, ["used", "welcome"]),
        ({"minimum_amount": "50.00"}, "45.00", 0, ["welcome"]),
        ({"maximum_amount": "40.00"}, "45.00", 0, ["welcome"]),
        ({"maximum_days": 3}, "45.00", 5, ["welcome"]),
        ({"minimum_days": 3}, "45.00", 5, ["used", "welcome"]),
        ({"template": "thank-you"}, "45.00", 0, ["welcome"]),
        ({"template": "welcome"}, "45.00", 0, ["used", "welcome"]),
    ],
)
def test_a_rule_for_redemptions_holds_when_all_that_it_asks_for_does(
    conditions: dict[str, object], amount: str, days: int, granted_to: list[str]
) -> None:
    rules = [WELCOME, USED | {"if": {"template": "welcome"} | conditions}]
    world = new_world(rules=rules)
    code = first_code(world, NEWCOMER)
    world.clock.advance(days=days)
    use(world, code, world.order("A1", of=NEWCOMER, amount=amount))
    assert [rule for rule, _ in granted(world)] == granted_to


def test_a_voucher_used_on_an_order_of_nothing_earns_nothing() -> None:
    world = new_world(
        rules=[WELCOME, USED], templates=templates(welcome={"minimum_basket": "0.00"})
    )
    code = first_code(world, NEWCOMER)
    use(world, code, world.order("A1", of=NEWCOMER, amount="0.00"))
    assert voucher_of(world, "welcome").state is VoucherState.REDEEMED
    assert granted(world) == [("welcome", 0)]


def test_law_4_a_rule_that_had_another_trigger_grants_no_rung_again() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world, NEWCOMER)
    use(world, code, world.order("A1", of=NEWCOMER))
    world.clock.advance(days=1)
    put_campaign(world.ports, campaign(rules=[WELCOME, USED | {"when": "order_kept", "if": {}}]))
    world.clock.advance(days=1)
    report(world, world.order("A2", "kept", of=NEWCOMER))
    assert granted(world) == [("used", 1), ("welcome", 0)]
    report(world, world.order("A3", "kept", of=NEWCOMER))
    assert granted(world) == [("used", 1), ("used", 2), ("welcome", 0)]


def test_law_4_a_reward_whose_voucher_is_used_stands_again_once_another_use_earns_it() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world, NEWCOMER)
    use(world, code, world.order("A1", of=NEWCOMER))
    use(world, voucher_of(world, "used").code, world.order("B1", of=NEWCOMER))
    roll_back(world.ports, code, "A1")
    world.run()
    assert granted(world) == [("welcome", 0)]
    use(world, code, world.order("A2", of=NEWCOMER))
    assert granted(world) == [("used", 1), ("welcome", 0)]
    assert len(world.memory.all(Voucher)) == 2
