"""Reports of an order that come one after another: what each adds, and whose order it stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.facts import FactName
from chalicelib.domain.orders import Buyer, Order, OrderProblem, OrderStatus
from chalicelib.domain.people import SponsorClaim
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.orders.record import OrderOutcome
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Insert, Remove
from tests.fakes.campaign import campaign, digest
from tests.fakes.world import CUSTOMERS, VIPS, World
from tests.services.test_order_attacks import redeem_by_call
from tests.services.test_order_judgement import (
    PAUL,
    STRANGER,
    only_order,
    voucher_of,
    welcome_code,
)
from tests.services.test_orders import NEWCOMER, keep, record, row_of

OF_ORDERS = (FactName.ORDER_PLACED, FactName.ORDER_KEPT, FactName.ORDER_CORRECTED)


def facts_of_orders(world: World) -> list[str]:
    return [fact.name for fact in world.facts(*OF_ORDERS)]


def test_an_order_is_corrected_when_its_status_does_not_explain_what_differs(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER, amount="80.00"))
    record(world, world.order("A1", "kept", of=NEWCOMER, amount="70.00"))
    moved = [FactName.ORDER_PLACED, FactName.ORDER_KEPT]
    assert facts_of_orders(world) == moved
    earlier = (world.clock() - timedelta(minutes=5)).isoformat()
    same = world.order("A1", "kept", of=NEWCOMER, amount="70.00", ordered_at=earlier)
    assert record(world, same).effect == "recorded"
    assert facts_of_orders(world) == moved
    record(world, world.order("A1", "kept", of=NEWCOMER, amount="60.00"))
    assert facts_of_orders(world) == [*moved, FactName.ORDER_CORRECTED]
    assert only_order(world).amount_minor == 6000


# --- whose order it is ----------------------------------------------------------------------------


def test_an_order_whose_code_a_call_has_used_is_its_holders_by_the_code_alone(
    world: World,
) -> None:
    code = welcome_code(world)
    redeem_by_call(world, code, "A1")
    assert record(world, world.order("A1", "kept", code=code)).effect == "recorded"
    order, voucher = only_order(world), voucher_of(world, code)
    assert (order.counts, order.code_key, order.template) == (True, voucher.code_key, "welcome")


def test_an_order_keeps_the_code_it_was_first_reported_with_when_a_call_uses_another(
    world: World,
) -> None:
    welcome = welcome_code(world)
    keep(world, "A0")
    [thanks] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    record(world, world.order("A1", of=NEWCOMER, code=thanks.code))
    redeem_by_call(world, welcome, "A1")
    record(world, world.order("A1", "kept", of=NEWCOMER))
    [order] = [one for one in world.memory.all(Order) if one.order_id == "A1"]
    assert (order.code_key, order.template) == (thanks.code_key, "thank-you")


def test_an_order_with_the_code_of_another_referee_stays_the_buyers_when_reported_by_code_alone(
    world: World,
) -> None:
    own = world.referral(NEWCOMER).referral_id
    code = welcome_code(world, PAUL, VIPS[2])
    record(world, world.order("A1", of=NEWCOMER, code=code))
    record(world, world.order("A1", "kept", code=code))
    order = only_order(world)
    assert (order.referral_id, order.buyer) == (own, Buyer.OTHER_REFEREE)


@pytest.mark.parametrize(
    ("buyer", "found"), [(VIPS[0], Buyer.SPONSOR), (CUSTOMERS[0], Buyer.CUSTOMER)]
)
def test_an_order_of_a_referee_that_turns_out_to_be_somebody_elses_counts_no_more(
    world: World, buyer: str, found: Buyer
) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    record(world, world.order("A1", "kept", of=buyer))
    order = only_order(world)
    assert (order.status, order.buyer, order.counts) == (OrderStatus.KEPT, found, False)


@pytest.mark.parametrize("buyer", [VIPS[0], STRANGER])
def test_an_order_of_nobody_whom_we_know_waits_for_no_list(world: World, buyer: str) -> None:
    world.referral(NEWCOMER)
    world.lists.fails = "read_failed"
    assert record(world, world.order("A1", of=buyer)).effect == "not_a_referees"


def test_a_sponsor_uses_a_code_whose_referral_is_erased_like_anybody(world: World) -> None:
    code = welcome_code(world)
    [referral] = world.memory.all(Referral)
    world.repository.commit(Remove(referral))
    assert record(world, world.order("A1", of=VIPS[0], code=code)).effect == "redeemed"
    assert voucher_of(world, code).redeemed_by == "A1"


def test_the_order_of_a_referee_counts_though_a_sponsors_voucher_is_used_on_it(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.referral(PAUL, VIPS[2])
    [thanks] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    record(world, world.order("P1", "kept", of=PAUL, code=thanks.code))
    [order] = [one for one in world.memory.all(Order) if one.order_id == "P1"]
    assert (order.buyer, order.counts) == (Buyer.REFEREE, True)


# --- reports that are dated before the confirmation -----------------------------------------------


def days_before(world: World, days: int = 2) -> str:
    return (world.clock() - timedelta(days=days)).isoformat()


def test_an_order_that_counts_is_cancelled_by_a_report_that_dates_it_too_early(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    cancelled = world.order("A1", "cancelled", of=NEWCOMER, ordered_at=days_before(world))
    record(world, cancelled)
    assert only_order(world).status is OrderStatus.CANCELLED


def test_a_voucher_that_a_call_has_used_is_given_back_by_a_report_that_dates_it_too_early(
    world: World,
) -> None:
    code = welcome_code(world)
    redeem_by_call(world, code, "A1")
    record(world, world.order("A1", "cancelled", code=code, ordered_at=days_before(world)))
    assert voucher_of(world, code).state is VoucherState.ISSUED


# --- calls that name no campaign ------------------------------------------------------------------


def also_a_sponsor(world: World) -> list[Campaign]:
    """Two campaigns; in the first one the referee of the second is a sponsor."""
    other = put_campaign(world.ports, campaign(campaign="other-vip")).document
    claims = [
        SponsorClaim(campaign=other.id, digest=digest(address), sponsor_id=address)
        for address in (NEWCOMER, PAUL)
    ]
    world.repository.commit(*map(Insert, claims))
    return [other, world.campaign]


def called(world: World, campaigns: list[Campaign], row: dict[str, str]) -> OrderOutcome | None:
    [outcome] = record_reported_orders(world.ports, campaigns, [row_of(row)])
    return outcome


def test_what_one_campaign_says_of_an_order_is_not_hidden_by_one_that_it_does_not_concern(
    world: World,
) -> None:
    for address, sponsor in ((NEWCOMER, VIPS[0]), (PAUL, VIPS[2])):
        world.referral(address, sponsor)
    campaigns = also_a_sponsor(world)
    placed = world.order("A1", of=NEWCOMER)
    assert called(world, campaigns, placed) == OrderOutcome("recorded")
    record(world, world.order("A2", of=NEWCOMER))
    of_another = world.order("A2", "kept", of=PAUL)
    problem = OrderProblem.ANOTHER_PERSON
    assert called(world, campaigns, of_another) == OrderOutcome("none", problem)


def test_an_order_without_a_code_says_nothing_of_a_voucher_in_another_currency(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    other = put_campaign(world.ports, campaign(campaign="other-vip", currency="CHF")).document
    record(world, world.order("A1", of=NEWCOMER))
    stored = replace(only_order(world), revision=0, campaign=other.id, currency="CHF")
    world.repository.commit(Insert(stored))
    kept = world.order("A1", "kept", of=NEWCOMER)
    assert called(world, [other, world.campaign], kept) == OrderOutcome("recorded")
