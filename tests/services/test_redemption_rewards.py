"""Rewards that depend on the use of a voucher, in whatever sequence uses, orders and rollbacks are
reported, and what a used voucher counts for once it is given back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import purchase_of
from chalicelib.domain.rewards import Budget, Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Replace
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digests
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_orders import NEWCOMER, granted, keep, record, row_of

WELCOME: dict[str, Any] = {
    "id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee",
}  # fmt: skip
USED: dict[str, Any] = {
    "id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
    "issue": "second-order", "to": "referee",
}  # fmt: skip
KEPT: dict[str, Any] = {
    "id": "kept", "when": "order_kept", "issue": "thank-you", "to": "sponsor",
}  # fmt: skip
WITH_WELCOME: dict[str, Any] = {
    "id": "with-welcome", "when": "order_kept", "if": {"template": "welcome"},
    "issue": "third-order", "to": "referee",
}  # fmt: skip
PAUL = "paul@example.fr"


def first_code(world: World, address: str = NEWCOMER, sponsor: str = VIPS[0]) -> str:
    """The code of a referee's first voucher."""
    referral = world.referral(address, sponsor)
    [voucher] = world.repository.held_by(referral.referral_id)
    return voucher.code


def voucher_of(world: World, rule: str) -> Voucher:
    """The voucher of a rule that was issued last."""
    return [one for one in world.memory.all(Voucher) if one.rule == rule][-1]


def use(world: World, code: str, row: dict[str, str]) -> None:
    """Redeem by a call."""
    redeem(world.ports, code, purchase_of(row_of(row)))
    world.run()


def report(world: World, row: dict[str, str]) -> None:
    record(world, row)
    world.run()


# --- rules for redemptions ------------------------------------------------------------------------


def test_a_renamed_rule_does_not_judge_again_what_was_redeemed_before() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world)
    report(world, world.order("A1", of=NEWCOMER, code=code))
    world.clock.advance(days=1)
    put_campaign(world.ports, campaign(rules=[WELCOME, USED | {"id": "used-again"}]))
    world.clock.advance(days=1)
    report(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    assert granted(world) == [("used", 1), ("welcome", 0)]


def test_what_a_rule_that_is_gone_granted_is_revoked_with_the_redemption() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world)
    use(world, code, world.order("A1", of=NEWCOMER))
    assert granted(world) == [("used", 1), ("welcome", 0)]
    put_campaign(world.ports, campaign(rules=[WELCOME, KEPT]))
    world.clock.advance(days=1)
    roll_back(world.ports, code, "A1")
    world.run()
    assert granted(world) == [("welcome", 0)]


@pytest.mark.parametrize("buyer", [VIPS[0], CUSTOMERS[0], PAUL, "stranger@example.fr"])
@pytest.mark.parametrize("accepted", ["referee", "anyone"])
def test_a_use_by_a_call_that_names_another_buyer_earns_nobody_anything(
    buyer: str, accepted: str
) -> None:
    world = new_world(rules=[WELCOME, USED, KEPT], buyer=accepted)
    code = first_code(world)
    world.referral(PAUL, VIPS[2])
    before = granted(world)
    counts = accepted == "anyone" and buyer == "stranger@example.fr"
    use(world, code, world.order("A1", of=buyer))
    assert (granted(world) != before) is counts
    report(world, world.order("A1", "kept", code=code))
    assert (granted(world) != before) is counts
    [order] = world.memory.all(Order)
    assert order.counts is counts


def test_a_use_by_a_call_that_names_the_holder_by_any_digest_earns() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world, "jean.ne+shop@gmail.com")
    canonical = digests("jean.ne+shop@gmail.com").pairs[0].canonical
    use(world, code, world.order("A1", email_digest=canonical))
    assert granted(world) == [("used", 1), ("welcome", 0)]


def test_a_till_waits_for_no_list_and_what_it_sells_meanwhile_earns_nothing() -> None:
    world = new_world(rules=[WELCOME, USED], buyer="anyone")
    code = first_code(world)
    world.lists.fails = "read_failed"
    use(world, code, world.order("A1", of="stranger@example.fr"))
    world.lists.fails = None
    world.run()
    assert voucher_of(world, "welcome").state is VoucherState.REDEEMED
    assert granted(world) == [("welcome", 0)]


@pytest.mark.parametrize("buyer", [VIPS[0], CUSTOMERS[0]])
@pytest.mark.parametrize("names_code", [True, False])
def test_a_use_by_a_call_earns_nothing_once_the_order_shows_another_buyer(
    buyer: str, names_code: bool
) -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world)
    use(world, code, world.order("A1", code=code))
    assert granted(world) == [("used", 1), ("welcome", 0)]
    report(world, world.order("A1", of=buyer, code=code if names_code else ""))
    assert granted(world) == [("welcome", 0)]


def test_a_use_by_a_call_earns_nothing_once_another_referee_turns_out_to_be_the_buyer() -> None:
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world)
    world.referral(PAUL, VIPS[2])
    use(world, code, world.order("A1", code=code))
    assert ("used", 1) in granted(world)
    report(world, world.order("A1", of=PAUL))
    assert [rule for rule, _ in granted(world)] == ["welcome", "welcome"]


def test_a_use_is_judged_again_when_an_earlier_order_becomes_known() -> None:
    """Ordered on Monday, on the list of Tuesday, used on Wednesday: a newcomer after all."""
    world = new_world(rules=[WELCOME, USED])
    code = first_code(world)
    world.clock.advance(hours=1)
    monday = world.order("A1", of=NEWCOMER)
    world.clock.advance(days=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], "tuesday")
    world.clock.advance(days=1)
    use(world, code, world.order("A2", of=NEWCOMER))
    assert granted(world) == [("welcome", 0)]
    report(world, monday)
    assert granted(world) == [("used", 1), ("welcome", 0)]


def test_a_use_of_a_sponsors_voucher_is_judged_again_too() -> None:
    used = USED | {"if": {"template": "thank-you"}}
    world = new_world(rules=[KEPT | {"when": "referral_confirmed"}, used])
    world.referral(NEWCOMER)
    code = voucher_of(world, "kept").code
    world.clock.advance(hours=1)
    monday = world.order("A1", of=NEWCOMER)
    world.clock.advance(days=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], "tuesday")
    world.clock.advance(days=1)
    use(world, code, world.order("A2", of=NEWCOMER))
    assert granted(world) == [("kept", 0)]
    report(world, monday)
    assert granted(world) == [("kept", 0), ("used", 1)]


# --- rules that name the template of an order -----------------------------------------------------


def by_call_first(world: World, code: str) -> None:
    use(world, code, world.order("A1", of=NEWCOMER))
    report(world, world.order("A1", "kept", of=NEWCOMER))


def by_call_last(world: World, code: str) -> None:
    report(world, world.order("A1", "kept", of=NEWCOMER))
    use(world, code, world.order("A1", of=NEWCOMER))


def by_file(world: World, code: str) -> None:
    report(world, world.order("A1", "kept", of=NEWCOMER, code=code))


@pytest.mark.parametrize("reported", [by_call_first, by_call_last, by_file])
def test_a_rule_for_a_template_holds_however_the_use_was_reported(
    reported: Callable[[World, str], None],
) -> None:
    world = new_world(rules=[WELCOME, WITH_WELCOME])
    code = first_code(world)
    reported(world, code)
    assert granted(world) == [("welcome", 0), ("with-welcome", 1)]
    roll_back(world.ports, code, "A1")
    world.run()
    assert granted(world) == [("welcome", 0)]


# --- orders that are known by their code alone ----------------------------------------------------


@pytest.mark.parametrize("status", ["returned", "cancelled"])
def test_a_code_that_is_not_good_names_nobody_whatever_the_status(status: str) -> None:
    world = new_world(rules=[WELCOME, KEPT])
    code = first_code(world)
    report(world, world.order("A1", of=NEWCOMER, code=code))
    for word in ("placed", status):
        outcome = record(world, world.order("A2", word, code=code))
        assert (outcome.effect, outcome.voucher) == ("not_a_referees", "exhausted")
    assert [order.order_id for order in world.memory.all(Order)] == ["A1"]


@pytest.mark.parametrize("words", [("placed", "returned"), ("returned", "placed")])
def test_an_order_counts_once_its_code_is_accepted_and_not_when_it_is_only_named(
    words: tuple[str, ...],
) -> None:
    sorry = KEPT | {"when": "order_returned", "id": "sorry"}
    for amount, accepted in (("80.00", True), ("8.00", False)):
        world = new_world(rules=[WELCOME, sorry])
        code = first_code(world)
        for word in words:
            report(world, world.order("A1", word, code=code, amount=amount))
        [order] = world.memory.all(Order)
        assert (order.status, order.counts) == (OrderStatus.RETURNED, accepted)
        assert (("sorry", 1) in granted(world)) is accepted


def test_an_order_that_had_the_voucher_once_is_its_holders() -> None:
    """The rollback before the order file, or after it: the order counts."""
    results = []
    for file_first in (True, False):
        world = new_world(rules=[WELCOME, KEPT])
        code = first_code(world)
        use(world, code, world.order("A1", code=code))
        if file_first:
            report(world, world.order("A1", "kept", code=code))
        roll_back(world.ports, code, "A1")
        world.run()
        if not file_first:
            report(world, world.order("A1", "kept", code=code))
        [order] = world.memory.all(Order)
        results.append((order.status, order.counts, granted(world)))
    assert results[0] == results[1]
    assert results[0][:2] == (OrderStatus.KEPT, True)


@pytest.mark.parametrize("reported_before", [True, False])
@pytest.mark.parametrize("reported_after", [True, False])
def test_an_order_of_the_day_of_the_confirmation_counts_by_a_report_after_it(
    reported_before: bool, reported_after: bool
) -> None:
    """Of somebody who has not said yes, nothing is stored; the client reports an order again as its
    status changes.
    """
    world = new_world(rules=[WELCOME, KEPT])
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    row = world.order("A1", "kept", of=NEWCOMER)
    if reported_before:
        report(world, row)
        assert not world.memory.all(Order)
    world.confirm(NEWCOMER)
    world.run()
    if reported_after:
        report(world, row)
    assert granted(world) == [*([("kept", 1)] if reported_after else []), ("welcome", 0)]


# --- what is counted of used vouchers -------------------------------------------------------------


def used_and_revoked(world: World) -> str:
    """The sponsor's voucher, used before its order was returned; the order it was used on."""
    world.referral(NEWCOMER)
    keep(world, "A1")
    use(world, voucher_of(world, "kept").code, world.order("S1", of=VIPS[0]))
    report(world, world.order("A1", "returned", of=NEWCOMER))
    assert voucher_of(world, "kept").state is VoucherState.REDEEMED
    return "S1"


def test_a_used_voucher_that_its_rollback_revokes_leaves_room_under_cap_and_budget() -> None:
    world = new_world(rules=[WELCOME, KEPT], caps={"sponsor_rewards": 1, "budget": "100.00"})
    order_id = used_and_revoked(world)
    world.referral(PAUL)
    report(world, world.order("P1", "kept", of=PAUL))
    assert [rule for rule, _ in granted(world)] == ["welcome", "welcome"]
    roll_back(world.ports, voucher_of(world, "kept").code, order_id)
    world.run()
    world.run()
    assert [rule for rule, _ in granted(world)] == ["kept", "welcome", "welcome"]
    [counted] = [one.rewards for one in world.memory.all(Sponsor)]
    budget = world.repository.get(Budget, campaign=CAMPAIGN)
    assert (counted, budget and budget.spent_minor) == (1, 1000 + 1000 + 1500)


def test_its_fact_delivered_again_frees_nothing_twice() -> None:
    world = new_world(rules=[WELCOME, KEPT], caps={"budget": "100.00"})
    order_id = used_and_revoked(world)
    roll_back(world.ports, voucher_of(world, "kept").code, order_id)
    for _ in range(2):
        world.deliver_stream(world.facts())
        world.run()
    [counted] = [one.rewards for one in world.memory.all(Sponsor)]
    budget = world.repository.get(Budget, campaign=CAMPAIGN)
    assert (counted, budget and budget.spent_minor) == (0, 1000)


def test_a_cap_of_the_referee_counts_what_is_not_revoked_too() -> None:
    world = new_world(rules=[WELCOME, USED, KEPT | {"to": "referee"}], caps={"referee_rewards": 2})
    code = first_code(world)
    use(world, code, world.order("A1", of=NEWCOMER))
    report(world, world.order("A2", "kept", of=NEWCOMER))
    assert granted(world) == [("used", 1), ("welcome", 0)]
    roll_back(world.ports, code, "A1")
    world.run()
    assert granted(world) == [("kept", 1), ("welcome", 0)]


def test_a_capped_reward_for_a_confirmation_is_granted_when_there_is_room() -> None:
    confirmed = KEPT | {"when": "referral_confirmed", "id": "confirmed"}
    world = new_world(rules=[confirmed, KEPT], caps={"sponsor_rewards": 2})
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.referral(PAUL)
    assert granted(world) == [("confirmed", 0), ("kept", 1)]
    report(world, world.order("A1", "returned", of=NEWCOMER))
    assert granted(world) == [("confirmed", 0), ("confirmed", 0)]


# --- rewards of earlier versions ------------------------------------------------------------------


def first_of_sponsor(world: World) -> Voucher:
    return next(one for one in world.memory.all(Voucher) if one.rule == "kept")


def used_under_0_2_0(*, another_is_kept: bool, counts_revoked: bool) -> World:
    """A sponsor with two rewards. The first was used when its order was returned: 0.2.0 let it
    stand, and noted on the voucher alone that it is to be revoked.
    """
    world = new_world(rules=[WELCOME, KEPT], caps={"sponsor_rewards": 2})
    used_and_revoked(world)
    world.referral(PAUL)
    report(world, world.order("P1", "kept", of=PAUL))
    if another_is_kept:
        keep(world, "A2")
    voucher = first_of_sponsor(world)
    [stored] = [one for one in world.memory.all(Reward) if one.code_key == voucher.code_key]
    standing = replace(stored, revoked_at=None, is_used=False, to=None, value_minor=0)
    noted = replace(voucher, revoked_at=world.clock())
    [sponsor] = world.memory.all(Sponsor)
    counted = replace(sponsor, counts_revoked=counts_revoked)
    world.repository.commit(Replace(standing), Replace(noted), Replace(counted))
    return world


def sponsors_rewards(world: World) -> tuple[VoucherState, int, int]:
    """The state of the sponsor's first voucher, how many stand, how many the cap counts."""
    held = [one for one in world.memory.all(Voucher) if one.rule == "kept"]
    [sponsor] = world.memory.all(Sponsor)
    standing = [one for one in held if one.state is not VoucherState.REVOKED]
    assert len([rule for rule, _ in granted(world) if rule == "kept"]) == len(standing)
    return held[0].state, len(standing), sponsor.rewards


@pytest.mark.parametrize("counts_revoked", [True, False])
@pytest.mark.parametrize("another_is_kept", [True, False])
def test_what_0_2_0_revoked_while_it_was_used_is_replaced_once_it_is_rolled_back(
    another_is_kept: bool, counts_revoked: bool
) -> None:
    world = used_under_0_2_0(another_is_kept=another_is_kept, counts_revoked=counts_revoked)
    roll_back(world.ports, first_of_sponsor(world).code, "S1")
    world.run()
    if not another_is_kept:
        assert sponsors_rewards(world) == (VoucherState.REVOKED, 1, 1)
        keep(world, "A2")
    assert sponsors_rewards(world) == (VoucherState.REVOKED, 2, 2)


@pytest.mark.parametrize("counts_revoked", [True, False])
def test_what_0_2_0_revoked_while_it_was_used_counts_again_once_another_order_earns_it(
    counts_revoked: bool,
) -> None:
    world = used_under_0_2_0(another_is_kept=False, counts_revoked=counts_revoked)
    keep(world, "A2")
    assert sponsors_rewards(world) == (VoucherState.REDEEMED, 2, 2)
    roll_back(world.ports, first_of_sponsor(world).code, "S1")
    world.run()
    assert sponsors_rewards(world) == (VoucherState.ISSUED, 2, 2)


def test_what_0_2_0_itself_rolled_back_is_replaced_once_another_order_earns_it() -> None:
    world = used_under_0_2_0(another_is_kept=False, counts_revoked=True)
    voucher = first_of_sponsor(world)
    revoked = replace(
        voucher, state=VoucherState.REVOKED, redeemed_by=None, ended_at=voucher.revoked_at
    )
    world.repository.commit(Replace(revoked))
    keep(world, "A2")
    assert sponsors_rewards(world) == (VoucherState.REVOKED, 2, 2)
