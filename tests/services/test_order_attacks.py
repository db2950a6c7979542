"""What a cheat, a careless back office or a till that repeats itself may do, and what must hold."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from chalicelib.domain.orders import Buyer, Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import MAX_USES, OrderUses, Purchase
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Budget, Reward, is_active
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RefusedError
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.orders.record import OrderOutcome, record_order
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Insert, Remove
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CANARY, campaign
from tests.fakes.repository import ContestedRepository
from tests.fakes.till import Till
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_order_judgement import (
    LADDER_AND_SPONSOR,
    PAUL,
    STRANGER,
    voucher_of,
    welcome_code,
)
from tests.services.test_orders import NEWCOMER, granted, keep, record, row_of

WELCOME = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}
USED = {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
        "issue": "thank-you", "to": "sponsor"}  # fmt: skip


def redeem_by_call(world: World, code: str, order_id: str) -> None:
    """A till's call, which does not say who buys."""
    purchase = Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR"
    )
    redeem(world.ports, code, purchase)
    world.run()


def put(world: World, **changes: Any) -> None:
    """Put the next version of the campaign in force."""
    world.clock.advance(minutes=1)
    put_campaign(world.ports, campaign(**changes))
    world.clock.advance(minutes=1)  # the one before is cached


def report(world: World, *rows: dict[str, str]) -> list[OrderOutcome]:
    outcomes = [record(world, row) for row in rows]
    world.run()
    return outcomes


def assert_counts_what_stands(world: World) -> None:
    """The counters of sponsors, referrals and the budget are those of the rewards that cost."""
    rewards = world.memory.all(Reward)
    vouchers = {one.code_key: one for one in world.memory.all(Voucher)}
    costing = [
        one for one in rewards
        if one.code_key and vouchers[one.code_key].state is not VoucherState.REVOKED
    ]  # fmt: skip
    for referral in world.memory.all(Referral):
        own = [one for one in rewards if one.referral_id == referral.referral_id]
        assert referral.rewards == sum(map(is_active, own))
    for sponsor in world.memory.all(Sponsor):
        held = [vouchers[one.code_key or ""].holder_id for one in costing]
        assert sponsor.rewards == held.count(sponsor.sponsor_id)
    for budget in world.memory.all(Budget):
        assert budget.spent_minor == sum(one.value_minor for one in costing if one.in_budget)


# --- many vouchers on one order -------------------------------------------------------------------


def test_an_order_id_used_for_everything_is_cancelled_however_many_vouchers_it_has(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    till = Till(world)
    codes = [till.voucher(till.issue()).code for _ in range(MAX_USES)]
    for code in codes:
        redeem_by_call(world, code, "TEST")
    assert world.drop_orders(world.order("TEST", "cancelled", of=NEWCOMER)).status == "accepted"
    world.run()
    assert {voucher_of(world, code).state for code in codes} == {VoucherState.ISSUED}
    assert world.memory.all(OrderUses) == []


@pytest.mark.parametrize("used", list(permutations(["welcome", "thank-you"])))
@pytest.mark.parametrize("named", list(permutations(["welcome", "thank-you"])))
def test_an_order_with_a_referees_and_a_sponsors_voucher_counts_whichever_comes_first(
    world: World, used: tuple[str, ...], named: tuple[str, ...]
) -> None:
    world.referral(NEWCOMER)
    keep(world, "A0")
    codes = {one.template: one.code for one in world.memory.all(Voucher)}
    for template in used:
        redeem_by_call(world, codes[template], "A1")
    report(world, *(world.order("A1", "kept", code=codes[template]) for template in named))
    [order] = [one for one in world.memory.all(Order) if one.order_id == "A1"]
    assert (order.counts, order.template) == (True, "welcome")


# --- caps and budgets -----------------------------------------------------------------------------


def test_a_reward_that_is_revoked_by_a_rollback_leaves_the_cap_and_the_budget() -> None:
    world = new_world(caps={"sponsor_rewards": 1, "budget": "100.00"})
    world.referral(NEWCOMER)
    keep(world, "A1")
    [thanks] = [one.code for one in world.memory.all(Voucher) if one.template == "thank-you"]
    redeem_by_call(world, thanks, "S1")
    report(world, world.order("A1", "returned", of=NEWCOMER))
    assert_counts_what_stands(world)
    roll_back(world.ports, thanks, "S1")
    world.run()
    assert voucher_of(world, thanks).state is VoucherState.REVOKED
    assert_counts_what_stands(world)
    world.referral(PAUL)
    report(world, world.order("B1", "kept", of=PAUL))
    assert [rule for rule, _ in granted(world)].count("sponsor-reward") == 1
    assert_counts_what_stands(world)


def test_a_referees_reward_that_is_revoked_by_a_rollback_leaves_the_budget() -> None:
    world = new_world(caps={"budget": "100.00", "referee_rewards": 2})
    world.referral(NEWCOMER)
    keep(world, "A1")
    [second] = [one.code for one in world.memory.all(Voucher) if one.template == "second-order"]
    redeem_by_call(world, second, "A2")
    report(world, world.order("A1", "returned", of=NEWCOMER))
    roll_back(world.ports, second, "A2")
    world.run()
    assert_counts_what_stands(world)
    keep(world, "A3")
    assert granted(world) == LADDER_AND_SPONSOR
    assert_counts_what_stands(world)


def test_what_was_granted_without_a_budget_leaves_none_of_it_when_it_is_revoked() -> None:
    world = new_world()
    world.referral(NEWCOMER)
    keep(world, "A1")
    put(world, caps={"budget": "20.00"})
    world.referral(PAUL)
    report(world, world.order("A1", "returned", of=NEWCOMER))
    [budget] = world.memory.all(Budget)
    assert budget.spent_minor == 1000


def test_what_counts_in_a_budget_leaves_it_even_while_there_is_none() -> None:
    world = new_world(caps={"budget": "100.00"})
    world.referral(NEWCOMER)
    keep(world, "A1")
    put(world)
    report(world, world.order("A1", "returned", of=NEWCOMER))
    [budget] = world.memory.all(Budget)
    assert budget.spent_minor == 1000


def test_room_under_a_cap_is_filled_for_confirmations_and_redemptions_too() -> None:
    rules = [
        WELCOME,
        {"id": "thanks", "when": "referral_confirmed", "issue": "thank-you", "to": "sponsor"},
        {"id": "kept", "when": "order_kept", "if": {"order": 1}, "issue": "thank-you",
         "to": "sponsor"},
    ]  # fmt: skip
    world = new_world(rules=rules, caps={"sponsor_rewards": 2})
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.referral(PAUL)
    assert [rule for rule, _ in granted(world)] == ["kept", "thanks", "welcome", "welcome"]
    report(world, world.order("A1", "returned", of=NEWCOMER))
    assert [rule for rule, _ in granted(world)] == ["thanks", "thanks", "welcome", "welcome"]
    assert_counts_what_stands(world)


def test_room_under_a_cap_is_filled_for_redemptions_too() -> None:
    rules = [WELCOME, USED, {"id": "kept", "when": "order_kept", "if": {"order": 1},
                             "issue": "thank-you", "to": "sponsor"}]  # fmt: skip
    world = new_world(rules=rules, caps={"sponsor_rewards": 1})
    world.referral(NEWCOMER)
    keep(world, "A1")
    code = welcome_code(world, PAUL)
    redeem_by_call(world, code, "B1")
    assert [rule for rule, _ in granted(world)] == ["kept", "welcome", "welcome"]
    report(world, world.order("A1", "returned", of=NEWCOMER))
    assert [rule for rule, _ in granted(world)] == ["used", "welcome", "welcome"]


# --- rewards for redemptions ----------------------------------------------------------------------


@pytest.mark.parametrize("first", ["redemption", "report"])
@pytest.mark.parametrize("named", [True, False])
def test_a_sponsor_who_uses_the_referees_voucher_earns_nothing_whatever_is_reported_first(
    first: str, named: bool
) -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    row = world.order("A1", "kept", of=VIPS[0], code=code if named else "")
    if first == "redemption":
        redeem_by_call(world, code, "A1")
        report(world, row)
    else:
        report(world, row)
        redeem_by_call(world, code, "A1")
        report(world, row)
    assert granted(world) == [("welcome", 0)]


def test_a_redemption_is_judged_by_the_rules_of_its_time_whatever_is_reported_later() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    redeem_by_call(world, code, "A1")
    before = granted(world)
    assert before == [("used", 1), ("welcome", 0)]
    put(world, rules=[WELCOME, USED | {"id": "used-renamed"}])
    report(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    assert granted(world) == before


def test_a_rollback_takes_the_reward_of_a_rule_that_is_gone() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    redeem_by_call(world, code, "A1")
    put(world, rules=[WELCOME])
    roll_back(world.ports, code, "A1")
    world.run()
    assert granted(world) == [("welcome", 0)]


@pytest.mark.parametrize("promptly", [True, False])
def test_a_redemption_of_a_listed_customer_earns_nothing_whatever_is_known_first(
    promptly: bool,
) -> None:
    world = new_world(rules=[WELCOME, USED])
    code = welcome_code(world)
    world.clock.advance(hours=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="wrong")
    world.clock.advance(hours=1)
    earlier = world.order("A1", "kept", of=NEWCOMER)
    world.clock.advance(hours=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, STRANGER], file="mended")
    world.clock.advance(hours=1)
    used = world.order("A2", "kept", of=NEWCOMER, code=code)
    rows = [used, earlier]
    for row in rows:
        record(world, row)
        if promptly:
            world.run()
    world.run()
    assert granted(world) == [("welcome", 0)]


# --- templates as conditions ----------------------------------------------------------------------

WITH_WELCOME = {"id": "with-welcome", "when": "order_kept", "if": {"template": "welcome"},
                "issue": "second-order", "to": "referee"}  # fmt: skip


@pytest.mark.parametrize("first", ["call", "report", "row"])
@pytest.mark.parametrize("named", [True, False])
def test_an_order_is_made_with_a_voucher_however_its_use_became_known(
    first: str, named: bool
) -> None:
    world = new_world(rules=[WELCOME, WITH_WELCOME])
    code = welcome_code(world)
    row = world.order("A1", "kept", of=NEWCOMER, code=code if named else "")
    if first == "call":
        redeem_by_call(world, code, "A1")
        report(world, row)
    elif first == "report":
        report(world, row)
        redeem_by_call(world, code, "A1")
    else:
        report(world, row | {"voucher_code": code})
    assert granted(world) == [("welcome", 0), ("with-welcome", 1)]


# --- two campaigns --------------------------------------------------------------------------------


def test_an_order_that_one_campaign_records_is_not_rejected_for_another(world: World) -> None:
    code = welcome_code(world)
    other = put_campaign(world.ports, campaign(campaign="other-vip", currency="CHF")).document
    stored = Order(
        campaign=other.id, order_id="A1", referral_id="r", status="placed",  # type: ignore[arg-type]
        ordered_at=world.clock(), amount_minor=100, currency="CHF",
        return_window_ends_at=world.clock(),
    )  # fmt: skip
    world.repository.commit(Insert(stored))
    row = row_of(world.order("A1", of=NEWCOMER, code=code))
    [outcome] = record_reported_orders(world.ports, list(all_campaigns(world.ports)), [row])
    assert outcome == OrderOutcome("recorded")


# --- a cancellation before the till's call --------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_a_till_that_calls_after_the_cancellation_does_not_burn_the_voucher(
    world: World, named: bool
) -> None:
    code = welcome_code(world)
    report(world, world.order("A1", "cancelled", of=NEWCOMER, code=code if named else ""))
    redeem_by_call(world, code, "A1")
    assert voucher_of(world, code).state is VoucherState.ISSUED
    with pytest.raises(RefusedError, match="rolled_back"):
        redeem_by_call(world, code, "A1")


def test_a_call_at_the_instant_of_the_cancellation_does_not_burn_the_voucher(world: World) -> None:
    code = welcome_code(world)
    report(world, world.order("A1", of=NEWCOMER))
    row = row_of(world.order("A1", "cancelled", of=NEWCOMER))
    purchase = Purchase(order_id="A1", ordered_at=world.clock(), amount_minor=8000, currency="EUR")
    ports = wrapped(
        world,
        lambda inner: ContestedRepository(inner, lambda: redeem(world.ports, code, purchase)),
    )
    record_order(ports, world.campaign, row)
    world.run()
    assert voucher_of(world, code).state is VoucherState.ISSUED


@pytest.mark.parametrize("by_code_alone", [True, False])
def test_a_voucher_that_was_given_back_still_says_whose_order_it_was_used_on(
    world: World, by_code_alone: bool
) -> None:
    code = welcome_code(world)
    world.referral(PAUL, VIPS[2])
    redeem_by_call(world, code, "A1")
    roll_back(world.ports, code, "A1")
    of = None if by_code_alone else PAUL
    [outcome] = report(world, world.order("A1", "kept", of=of, code=code))
    [order] = world.memory.all(Order)
    assert outcome.voucher == "rolled_back"
    assert order.buyer is (Buyer.NONE if by_code_alone else Buyer.OTHER_REFEREE)
    assert order.counts is by_code_alone


# --- erased people --------------------------------------------------------------------------------


def test_a_voucher_outlives_the_erasure_of_its_referral(world: World) -> None:
    code = welcome_code(world)
    [referral] = world.memory.all(Referral)
    world.repository.commit(Remove(referral))
    report(world, world.order("A1", of=STRANGER, code=code))
    assert voucher_of(world, code).redeemed_by == "A1"
    report(world, world.order("A1", "cancelled", of=STRANGER, code=code))
    assert voucher_of(world, code).redeemed_by is None


def test_an_order_of_an_erased_referral_still_gives_its_voucher_back(world: World) -> None:
    code = welcome_code(world)
    report(world, world.order("A1", of=NEWCOMER, code=code))
    [referral] = world.memory.all(Referral)
    world.repository.commit(Remove(referral))
    report(world, world.order("A1", "cancelled", of=NEWCOMER))
    assert voucher_of(world, code).redeemed_by is None


# --- campaign versions ----------------------------------------------------------------------------


def test_a_rule_that_changes_its_trigger_grants_once_an_order_and_comes_to_an_end() -> None:
    rule = {"id": "first", "when": "order_placed", "issue": "thank-you", "to": "sponsor"}
    world = new_world(rules=[rule], caps={"sponsor_rewards": 1})
    world.referral(NEWCOMER)
    world.referral(PAUL)
    report(world, world.order("B1", of=PAUL))
    record(world, world.order("A1", of=NEWCOMER))
    put(world, rules=[rule | {"when": "order_kept"}], caps={"budget": "0.01"})
    record(world, world.order("A1", "kept", of=NEWCOMER))
    world.run()
    assert granted(world) == [("first", 1)]


def test_a_rule_that_comes_to_reward_redemptions_does_not_meet_its_earlier_rewards() -> None:
    rule = {"id": "odd", "when": "order_kept", "if": {"order": 2}, "issue": "thank-you",
            "to": "sponsor"}  # fmt: skip
    world = new_world(rules=[WELCOME, rule])
    code = welcome_code(world)
    keep(world, "A1", "A2")
    put(world, rules=[WELCOME, USED | {"id": "odd"}])
    redeem_by_call(world, code, "A3")
    assert [name for name, _ in granted(world)] == ["odd", "odd", "welcome"]


# --- lists that can never answer ------------------------------------------------------------------


def test_a_file_is_not_blocked_for_ever_by_a_list_under_a_key_that_is_gone(world: World) -> None:
    code = welcome_code(world)
    row = world.order("A1", of=STRANGER, code=code)
    world.clock.advance(days=1)
    put(world, digests={"key_ids": ["k2"]})
    assert world.drop_orders(row).status == "accepted"
    assert voucher_of(world, code).redeemed_by == "A1"


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
def test_the_earliest_date_of_an_orders_reports_holds_in_any_sequence(
    world: World, reverse: bool
) -> None:
    world.referral(NEWCOMER)
    placed = world.order("A1", of=NEWCOMER)
    world.clock.advance(days=2)
    kept = world.order("A1", "kept", of=NEWCOMER)
    for row in (kept, placed) if reverse else (placed, kept):
        record(world, row)
    [order] = world.memory.all(Order)
    assert order.ordered_at.isoformat() == placed["ordered_at"]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_clock_that_has_lost_its_date_does_not_cost_the_order(
    world: World, reverse: bool
) -> None:
    world.referral(NEWCOMER)
    rows = [
        world.order("A1", "kept", of=NEWCOMER, ordered_at="2000-01-01T00:00:00+00:00"),
        world.order("A1", "kept", of=NEWCOMER),
    ]
    report(world, *(reversed(rows) if reverse else rows))
    assert granted(world) == LADDER_AND_SPONSOR
