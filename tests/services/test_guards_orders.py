"""Whose order it is: what is not read when nobody asks, and who is nobody yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.orders import Buyer, Order, OrderStatus
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.ports import Insert, Remove, Replace
from chalicelib.services.vouchers.redeem import redeem
from tests.fakes.campaign import CAMPAIGN, CANARY, digest
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, wrapped
from tests.services.test_conditions import purchase
from tests.services.test_order_judgement import PAUL, only_order, voucher_of, welcome_code
from tests.services.test_orders import granted, record

NEWCOMER = "jeanne@example.fr"
ANOTHER = "order_id_of_another_person"


def test_the_order_of_somebody_invited_who_has_not_confirmed_is_nobodys(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    outcome = record(world, world.order("A1", "kept", of=NEWCOMER))
    assert (outcome.effect, outcome.problem) == ("not_a_referees", None)
    assert world.memory.all(Order) == []


def test_an_order_that_is_known_moves_on_though_a_report_dates_it_before_the_confirmation(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER))
    early = (world.clock() - timedelta(days=3)).isoformat()
    outcome = record(world, world.order("A1", "kept", of=NEWCOMER, ordered_at=early))
    assert outcome.effect == "recorded"
    assert only_order(world).status is OrderStatus.KEPT


def test_a_call_that_names_the_holder_reads_nothing_more_than_the_voucher(world: World) -> None:
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    redeem(ports, voucher.code, purchase(world, email_digest=digest(NEWCOMER)))
    reads = [call for call in recording.calls if call.startswith(("get", "read", "first"))]
    assert reads == ["read OrderUses + Voucher + Redemption"]
    [redemption] = world.memory.all(Redemption)
    assert redemption.buyer is Buyer.REFEREE


def test_a_sponsors_voucher_says_nothing_of_the_buyer(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    [voucher] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    redeem(world.ports, voucher.code, purchase(world, "S1", email_digest=digest(VIPS[0])))
    [redemption] = [one for one in world.memory.all(Redemption) if one.order_id == "S1"]
    assert redemption.buyer is Buyer.NONE


def test_who_is_invited_and_bought_meanwhile_is_a_customer_who_uses_anothers_voucher(
    world: World,
) -> None:
    world.invite(world.sponsor(VIPS[2]), PAUL)
    world.run()
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, PAUL], "next")
    code = welcome_code(world)
    redeem(world.ports, code, purchase(world, email_digest=digest(PAUL)))
    [redemption] = world.memory.all(Redemption)
    assert redemption.buyer is Buyer.CUSTOMER


# --- reports that name different people -----------------------------------------------------------


def test_an_order_of_a_referee_does_not_become_anothers_whose_code_is_used_on_it(
    world: World,
) -> None:
    own = world.referral(NEWCOMER).referral_id
    code = welcome_code(world, PAUL, VIPS[2])
    record(world, world.order("A1", of=NEWCOMER))
    outcome = record(world, world.order("A1", "kept", code=code))
    assert (outcome.effect, outcome.problem) == ("redeemed", None)
    order = only_order(world)
    assert (order.referral_id, order.buyer, order.counts) == (own, Buyer.OTHER_REFEREE, False)


def test_an_order_made_with_the_code_of_another_referee_is_not_given_to_that_one_later(
    world: World,
) -> None:
    own = world.referral(NEWCOMER).referral_id
    code = welcome_code(world, PAUL, VIPS[2])
    record(world, world.order("A1", of=NEWCOMER, code=code))
    assert only_order(world).buyer is Buyer.OTHER_REFEREE
    assert record(world, world.order("A1", "kept", of=PAUL, code=code)).problem == ANOTHER
    assert only_order(world).referral_id == own


def test_an_order_of_0_2_0_is_its_referrals_though_it_does_not_say_who_bought(
    world: World,
) -> None:
    own = world.referral(NEWCOMER).referral_id
    world.referral(PAUL, VIPS[2])
    record(world, world.order("A1", of=NEWCOMER))
    as_stored = replace(only_order(world), first_version=None, buyer=Buyer.NONE)
    world.repository.commit(Replace(as_stored))
    assert record(world, world.order("A1", "kept", of=PAUL)).problem == ANOTHER
    assert record(world, world.order("A1", "kept", of=NEWCOMER)).effect == "recorded"
    assert only_order(world).referral_id == own


# --- the vouchers of an order ---------------------------------------------------------------------


def test_an_order_whose_voucher_is_gone_is_recorded_all_the_same(world: World) -> None:
    code = welcome_code(world, NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER, code=code))
    world.repository.commit(Remove(voucher_of(world, code)))
    for status in ("kept", "cancelled"):
        assert record(world, world.order("A1", status, of=NEWCOMER, code=code)).problem is None
        assert only_order(world).status == status


def test_a_cancelled_order_gives_back_no_voucher_of_another_campaign(world: World) -> None:
    """Its own report, in its own campaign, says what becomes of that."""
    code = welcome_code(world, NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER, code=code))
    own = voucher_of(world, code)
    [redemption] = world.memory.all(Redemption)
    [uses] = world.memory.all(OrderUses)
    [use] = uses.uses
    theirs = replace(own, revision=0, campaign="other", code="THEIRS1", code_key="THEIRS1")
    world.repository.commit(
        Insert(theirs),
        Insert(replace(redemption, revision=0, code_key=theirs.code_key)),
        Replace(
            replace(uses, uses=(use, replace(use, campaign="other", code_key=theirs.code_key)))
        ),
    )
    assert record(world, world.order("A1", "cancelled", of=NEWCOMER)).effect == "recorded"
    states = {one.campaign: one.state for one in world.memory.all(Voucher)}
    assert states == {own.campaign: VoucherState.ISSUED, "other": VoucherState.REDEEMED}
    [left] = world.memory.all(OrderUses)
    assert [one.campaign for one in left.uses] == ["other"]
    again = world.order("A1", "cancelled", of=NEWCOMER, code=code)
    assert record(world, again).effect == "known_already"
    assert world.memory.all(OrderUses) == [left]


def test_an_order_made_before_the_confirmation_counts_for_nobody_though_a_voucher_was_used_on_it(
    world: World,
) -> None:
    """Ordered, then confirmed, and the voucher was shown to the till when the order was fetched."""
    ordered = world.order("A1", "kept", of=NEWCOMER)
    world.clock.advance(days=1)
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world, "A1"))
    assert record(world, ordered).effect == "not_counted"
    world.run()
    [order] = world.memory.all(Order)
    assert not order.counts
    assert granted(world) == [("welcome", 0)]


def test_the_dashboard_names_only_the_buyers_who_have_orders(world: World) -> None:
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    for row in (world.order("A1", code=voucher.code), world.order("A1", of=NEWCOMER)):
        record(world, row)
        world.run()
    assert view_dashboard(world.ports, CAMPAIGN).orders_by_buyer == {"referee": 1}
