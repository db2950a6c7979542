"""Vouchers of a table that was taken back: answered, used, given back and ended as they were,
whatever the clocks of the functions said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.schema import key_of
from chalicelib.domain.facts import FactName
from chalicelib.domain.redemptions import Purchase, RedemptionRefusal
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RefusedError
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.restoring.adopt import Adopted
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.replace_refused import replace_refused
from tests.fakes.campaign import CAMPAIGN, templates
from tests.fakes.due import expire
from tests.fakes.ports import TickingClock
from tests.fakes.world import World, new_world
from tests.services.test_restoring import (
    Taken,
    assert_agrees_but_for_files,
    bring_forward,
    restore,
    state,
    take,
)

JEANNE = "jeanne@example.fr"


def ticking(**changes: Any) -> World:
    """A world whose clock goes on with every look at it."""
    return new_world(clock=TickingClock(), **changes)


@contextmanager
def ahead(world: World, **by: float) -> Iterator[None]:
    """What happens here is done by a function whose clock is ahead of the others'."""
    world.clock.advance(**by)
    yield
    world.clock.advance(**{unit: -value for unit, value in by.items()})


def again(world: World, taken: Taken) -> Adopted:
    """Take the table back and bring it forward: all is as it was."""
    world.clock.advance(minutes=10)
    was = state(world)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert state(world) == was
    assert_agrees_but_for_files(world)
    return done


def purchase_now(world: World, order_id: str) -> Purchase:
    """What a till says of an order that is paid now."""
    at = world.clock()
    return Purchase(order_id=order_id, ordered_at=at, amount_minor=8000, currency="EUR")


def by_call(world: World, code: str, order_id: str) -> None:
    """A till uses a voucher."""
    redeem(world.ports, code, purchase_now(world, order_id))
    world.run()


def first_code(world: World) -> str:
    """The code of the referee's first voucher, which the client has."""
    world.referral(JEANNE)
    world.export()
    world.run()
    [voucher] = world.memory.all(Voucher)
    return voucher.code


def rewarded(world: World) -> str:
    """The code of the sponsor's voucher for an order, which the client has."""
    world.referral(JEANNE)
    world.drop_orders(world.order("A1", "kept", of=JEANNE), file="kept")
    world.run()
    world.export()
    world.run()
    [code] = [one.code for one in world.memory.all(Voucher) if one.template == "thank-you"]
    return code


def returned(world: World) -> None:
    """The order turns out to be returned."""
    world.drop_orders(world.order("A1", "returned", of=JEANNE), file="returned")
    world.run()


def reminders(world: World) -> set[tuple[str, datetime | None]]:
    """When each holder is reminded of the end of a voucher."""
    return {(one.voucher_id, one.reminds_at) for one in world.memory.all(Voucher)}


# --- that it ends soon ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["acknowledged", "replaced"])
def test_a_holder_is_reminded_of_a_voucher_that_only_the_bucket_has(answer: str) -> None:
    world = ticking(ends_soon_days=7)
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.run()
    world.export()
    world.run()
    if answer == "replaced":
        world.acknowledge(1, f"{world.exported(1)[0]['code']},unknown".encode())
        world.run()
        world.export()
        world.run()
    was = reminders(world)
    again(world, taken)
    assert reminders(world) == was
    assert None not in {at for _, at in was}


def test_a_holder_who_was_reminded_is_not_reminded_again() -> None:
    world = ticking(ends_soon_days=7)
    first_code(world)
    world.acknowledge(1)
    world.run()
    taken = take(world)
    world.clock.advance(days=54)
    expire(world.ports)
    world.run()
    again(world, taken)
    assert {at for _, at in reminders(world)} == {None}


# --- answered by the client -----------------------------------------------------------------------


def test_a_code_refused_after_its_order_was_returned_is_no_change_for_the_client() -> None:
    world = ticking()
    code = rewarded(world)
    taken = take(world)
    returned(world)
    world.acknowledge(1, f"{code},unknown".encode())
    world.run()
    [refused] = [one for one in world.memory.all(Voucher) if one.refused_reason]
    assert (refused.state, refused.changes) == (VoucherState.REVOKED, 1)
    again(world, taken)


def test_what_replaces_a_refused_voucher_replaces_it_again_though_no_file_has_it() -> None:
    world = ticking()
    code = first_code(world)
    taken = take(world)
    world.acknowledge(1, f"{code},unknown".encode())
    world.run()
    assert [one.replaces for one in world.memory.all(Voucher)][1:] != [None]
    again(world, taken)


def test_an_answer_that_came_by_the_clock_before_its_export_is_one() -> None:
    world = ticking()
    world.referral(JEANNE)
    taken = take(world)
    with ahead(world, minutes=5):
        world.export()
        world.run()
    world.acknowledge(1)
    world.run()
    assert again(world, taken).without_state == []


def test_a_voucher_replaces_another_that_was_refused_by_a_clock_that_is_ahead() -> None:
    world = ticking(templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/first.csv", b"code\nRETAIL-000001\n")
    code = first_code(world)
    taken = take(world)
    with ahead(world, minutes=5):
        world.acknowledge(1, f"{code},unknown".encode())
    world.drop("codes/welcome/second.csv", b"code\nRETAIL-000002\n")
    [refused] = world.memory.all(Voucher)
    replace_refused(world.ports, world.campaign, refused.code_key)
    world.export()
    world.run()
    assert [one.code for one in world.memory.all(Voucher)] == ["RETAIL-000001", "RETAIL-000002"]
    assert again(world, taken).without_state == []


# --- used and given back --------------------------------------------------------------------------


def test_an_order_keeps_the_code_it_was_reported_with_when_another_is_used_on_it() -> None:
    world = ticking()
    thanks = rewarded(world)
    [welcome] = [one.code for one in world.memory.all(Voucher) if one.template == "welcome"]
    taken = take(world)
    world.drop_orders(world.order("A9", of=JEANNE, code=welcome), file="placed")
    world.run()
    by_call(world, thanks, "A9")
    again(world, taken)


def test_law_6_a_use_that_was_given_back_by_a_clock_that_is_ahead_leaves_the_next_one() -> None:
    world = ticking()
    code = first_code(world)
    taken = take(world)
    by_call(world, code, "T1")
    with ahead(world, minutes=5):
        roll_back(world.ports, code, "T1")
        world.run()
    by_call(world, code, "T2")
    again(world, taken)
    with pytest.raises(RefusedError, match="rolled_back"):
        by_call(world, code, "T1")


def test_law_6_a_use_that_was_recorded_by_a_clock_that_is_ahead_is_given_back() -> None:
    world = ticking()
    code = first_code(world)
    taken = take(world)
    with ahead(world, minutes=5):
        by_call(world, code, "T1")
    roll_back(world.ports, code, "T1")
    world.run()
    again(world, taken)


# --- ended ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_used_before", [True, False], ids=["used before", "used since"])
def test_a_voucher_that_was_to_be_revoked_is_revoked_once_when_it_is_given_back(
    is_used_before: bool,
) -> None:
    world = ticking()
    code = rewarded(world)
    taken = take(world)
    by_call(world, code, "T1")
    returned(world)
    taken = take(world) if is_used_before else taken
    roll_back(world.ports, code, "T1")
    world.run()
    assert again(world, taken).without_state == []


def test_a_voucher_that_was_given_back_after_its_end_has_expired_once() -> None:
    world = ticking()
    code = first_code(world)
    by_call(world, code, "T1")
    taken = take(world)
    world.clock.advance(days=70)
    roll_back(world.ports, code, "T1")
    world.run()
    [voucher] = world.memory.all(Voucher)
    assert (voucher.state, voucher.changes) == (VoucherState.EXPIRED, 3)
    assert again(world, taken).without_state == []


def test_a_voucher_that_was_revoked_by_the_clock_before_it_was_given_back_is_revoked_once() -> None:
    world = ticking()
    code = rewarded(world)
    taken = take(world)
    by_call(world, code, "T1")
    with ahead(world, minutes=5):
        roll_back(world.ports, code, "T1")
        world.run()
    returned(world)
    again(world, taken)


# --- refused at the till --------------------------------------------------------------------------


def refused(world: World, code: str, order_id: str) -> None:
    """A till tries a voucher on an order that is too small for it."""
    little = replace(purchase_now(world, order_id), amount_minor=100)
    with pytest.raises(RefusedError, match="below_minimum_basket"):
        redeem(world.ports, code, little)
    world.run()


def test_what_was_refused_is_counted_once_whenever_it_is_tried_again() -> None:
    """Before the moment and after it; by calls, whose order no file has, and by a file."""
    world = ticking()
    code = first_code(world)
    refused(world, code, "B1")
    taken = take(world)
    for order_id in ("B1", "B2"):
        refused(world, code, order_id)
    world.drop_orders(world.order("B3", of=JEANNE, code=code, amount="1.00"))
    world.run()
    notes = set(world.memory.all(RedemptionRefusal))
    assert len(notes) == len(world.facts(FactName.REDEMPTION_REFUSED)) == 3
    again(world, taken)
    assert set(world.memory.all(RedemptionRefusal)) == notes
    for order_id in ("B1", "B2", "B3"):
        refused(world, code, order_id)
    assert len(world.facts(FactName.REDEMPTION_REFUSED)) == 5  # two of them brought back
    assert view_dashboard(world.ports, CAMPAIGN).figures["till.below_minimum_basket"] == 3
    assert_agrees_but_for_files(world)


def test_a_note_that_the_moment_left_without_its_fact_keeps_no_fact_from_coming_back() -> None:
    world = ticking()
    code = first_code(world)
    taken = take(world)
    refused(world, code, "B1")
    [note] = world.memory.all(RedemptionRefusal)
    taken.items[tuple(key_of(note).values())] = note
    again(world, taken)
    assert world.memory.all(RedemptionRefusal) == [note]
