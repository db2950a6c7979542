"""Orders of a table that was taken back: they count for whom they counted, and as much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import OrderUse, OrderUses
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Insert
from chalicelib.services.restoring.adopt import adopt
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_restored_out_of_order import on_other_clocks
from tests.services.test_restored_people import known
from tests.services.test_restoring import JEANNE, PAUL, restore, take

# Reports of one order, as keyword arguments of a row.
REPORTS: Mapping[str, list[dict[str, str]]] = {
    "kept": [{"status": "placed"}, {"status": "kept", "amount": "60.00"}],
    "returned": [{"status": "placed"}, {"status": "kept"}, {"status": "returned"}],
    "cancelled": [{"status": "placed"}, {"status": "cancelled"}],
    "returned in part": [{"status": "placed"}, {"amount": "60.00"}, {"amount": "50.00"}],
    "kept before it was placed": [{"status": "kept"}, {"status": "placed"}],
    "another referee's": [{"status": "kept", "of": "", "code": "yes"}, {"of": PAUL}],
    "another referee's, kept later": [
        {"of": "", "code": "yes"},
        {"of": PAUL},
        {"of": PAUL, "status": "kept"},
    ],
    "the sponsor's": [{"of": "", "code": "yes", "status": "kept"}, {"of": VIPS[0]}],
}


def report(world: World, code: str, number: int, changes: dict[str, str]) -> None:
    """One line of an order file."""
    row: dict[str, str] = {"of": JEANNE} | changes | ({"code": code} if "code" in changes else {})
    world.clock.advance(milliseconds=1)
    world.drop_orders(world.order("A1", **row), file=f"orders{number}")
    world.run()


def orders(world: World) -> tuple[object, ...]:
    """What orders say, and what they earn."""
    return (
        known(world, Order, "kept_at"),
        [(one.referral_id, one.orders, one.kept_orders, one.rewards, one.further_orders)
         for one in world.memory.all(Referral)],
        # Which order it was for is known of a reward that stands.
        sorted((one.referral_id, one.rule, one.revoked_at is None and one.order_id)
               for one in world.memory.all(Reward)),
    )  # fmt: skip


@pytest.mark.parametrize("clocks", ["in order", "backwards"])
@pytest.mark.parametrize("since", [0, 1])
@pytest.mark.parametrize("reports", REPORTS.values(), ids=list(REPORTS))
def test_an_order_is_what_its_reports_made_of_it(
    reports: list[dict[str, str]], since: int, clocks: str
) -> None:
    world = new_world() if clocks == "in order" else on_other_clocks()
    referral = world.referral(JEANNE)
    world.referral(PAUL, VIPS[1])
    world.export()
    world.run()
    [code] = [one["code"] for one in world.exported(1) if one["referral"] == referral.referral_id]
    taken = take(world)
    for number, changes in enumerate(reports):
        if number == since:
            taken = take(world)
        report(world, code, number, changes)
    world.export()
    world.run()
    was = orders(world)
    assert was[0]
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    assert orders(world) == was
    assert done.without_state == []


def test_a_voucher_of_another_campaign_is_not_the_one_that_an_order_used() -> None:
    world = new_world()
    world.referral(JEANNE)
    taken = take(world)
    world.drop_orders(world.order("A1", of=JEANNE))
    world.run()
    restore(world, taken)
    [voucher] = world.memory.all(Voucher)
    theirs = replace(
        voucher, campaign="other", code_key="OTHER", voucher_id="o", holder_id="o", revision=0
    )
    use = OrderUse(campaign="other", code_key="OTHER", template="welcome")
    world.repository.commit(Insert(theirs), Insert(OrderUses(order_id="A1", uses=(use,))))
    adopt(world.ports, taken.at)
    [order] = world.memory.all(Order)
    assert (order.code_key, order.template) == (None, None)
