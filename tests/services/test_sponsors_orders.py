"""A sponsor who buys with a referee's code: one report has the digest, another the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.domain.orders import Buyer, Order
from chalicelib.domain.redemptions import OrderUses
from chalicelib.services.orders.record import OrderOutcome, record_order
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import Insert, Ports
from chalicelib.services.vouchers.redeem import roll_back
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository, RecordingRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_order_judgement import bought_by
from tests.services.test_orders import NEWCOMER, granted, record, row_of
from tests.services.test_redemption_rewards import KEPT, PAUL, USED, WELCOME, first_code, use

Row = dict[str, str]
Recorded = Callable[[World, Row], object]


def by_file(world: World, row: Row) -> None:
    receipt = world.drop_orders(row, file=f"{row['email_digest']}{row['status']}")
    assert receipt.status == "accepted"


def by_call(world: World, row: Row) -> None:
    [outcome] = record_reported_orders(world.ports, [world.campaign], [row_of(row)])
    assert outcome
    assert outcome.problem is None


def with_two_sponsors() -> tuple[World, str]:
    """A world with a referee of each of two sponsors, and the code of the first referee."""
    world = new_world(rules=[WELCOME, KEPT, USED])
    code = first_code(world)
    world.referral(PAUL, VIPS[2])
    return world, code


def notes(world: World) -> list[OrderUses]:
    return [one for one in world.memory.all(OrderUses) if one.of_sponsors]


@pytest.mark.parametrize("recorded", [by_file, by_call])
@pytest.mark.parametrize("sponsor", [VIPS[0], VIPS[2]])
@pytest.mark.parametrize("status", ["placed", "kept", "returned", "cancelled"])
def test_law_4_a_sponsor_who_buys_earns_nothing_in_whatever_sequence_the_reports_come(
    recorded: Recorded, sponsor: str, status: str
) -> None:
    """One report has the digest, others the code, and none has both."""
    results = []
    for sequence in permutations(range(3)):
        world, code = with_two_sponsors()
        rows = [
            world.order("A1", status, of=sponsor),
            world.order("A1", code=code),
            world.order("A1", "kept", code=code),
        ]
        for number in sequence:
            recorded(world, rows[number])
            world.run()
        [order] = world.memory.all(Order)
        results.append((order.buyer, order.counts, granted(world)))
    [result] = {repr(one): one for one in results}.values()
    assert result == (Buyer.SPONSOR, False, [("welcome", 0)] * 2)


@pytest.mark.parametrize("digest_first", [True, False])
def test_a_code_that_a_till_redeems_earns_nothing_either(digest_first: bool) -> None:
    world, code = with_two_sponsors()
    row = world.order("A1", of=VIPS[0])
    if digest_first:
        by_file(world, row)
    use(world, code, world.order("A1", code=code))
    if not digest_first:
        by_file(world, row)
        world.run()
    assert granted(world) == [("welcome", 0)] * 2


@pytest.mark.parametrize("digest_first", [True, False])
def test_a_sponsor_before_or_after_a_referees_digest_is_the_buyer(digest_first: bool) -> None:
    """Two people's digests on one order, without a code."""
    world, _ = with_two_sponsors()
    rows = [world.order("A1", "kept", of=VIPS[0]), world.order("A1", "kept", of=NEWCOMER)]
    for row in rows if digest_first else rows[::-1]:
        by_file(world, row)
        world.run()
    assert bought_by(world) == {"sponsor": 1}
    assert granted(world) == [("welcome", 0)] * 2


def test_a_code_that_is_not_good_leaves_the_same_note() -> None:
    world, code = with_two_sponsors()
    outcome = record(world, world.order("A1", "kept", of=VIPS[0], code="PROMO2026"))
    assert outcome == OrderOutcome("not_a_referees", voucher="unknown")
    by_file(world, world.order("A1", "kept", code=code))
    world.run()
    assert granted(world) == [("welcome", 0)] * 2


# --- at the same instant --------------------------------------------------------------------------


def record_with(ports: Ports, world: World, row: Row) -> None:
    record_order(ports, world.campaign, row_of(row))


@pytest.mark.parametrize("digest_first", [True, False])
def test_law_4_of_two_reports_at_once_one_sees_the_other(digest_first: bool) -> None:
    world, code = with_two_sponsors()
    rows = [world.order("A1", "kept", of=VIPS[0]), world.order("A1", "kept", code=code)]
    first, second = rows if digest_first else rows[::-1]
    ports = wrapped(world, lambda inner: ContestedRepository(inner, lambda: record(world, first)))
    record_with(ports, world, second)
    world.run()
    [order] = world.memory.all(Order)
    assert (order.buyer, order.counts) == (Buyer.SPONSOR, False)
    assert granted(world) == [("welcome", 0)] * 2


# --- what is stored -------------------------------------------------------------------------------


def test_law_9_of_a_sponsors_order_a_note_is_stored_until_its_end() -> None:
    world, _ = with_two_sponsors()
    facts = len(world.facts())
    by_file(world, world.order("A1", "kept", of=VIPS[0]))
    [note] = notes(world)
    end = world.campaign.end_of_day(
        world.campaign.local_date(world.clock())
        + timedelta(days=world.campaign.return_window_days + 30)
    )
    expected = OrderUses(order_id="A1", uses=(), of_sponsors=(CAMPAIGN,), noted_until=end)
    assert note == replace(expected, revision=note.revision)
    assert entity_item(note)["ttl"] == {"N": str(int(end.timestamp()))}
    assert len(world.facts()) == facts


@pytest.mark.parametrize("address", [CUSTOMERS[0], VIPS[1], "stranger@example.fr"])
def test_an_order_of_somebody_who_is_no_sponsor_leaves_no_trace(address: str) -> None:
    world, _ = with_two_sponsors()
    before = dict(world.memory._items)
    record(world, world.order("A1", "kept", of=address))
    by_call(world, world.order("A2", "kept", of=address))
    assert world.memory._items == before


def test_a_note_does_not_end_while_a_voucher_is_used_and_outlasts_its_rollback() -> None:
    world, code = with_two_sponsors()
    by_file(world, world.order("A1", of=VIPS[0]))
    use(world, code, world.order("A1", code=code))
    [used] = notes(world)
    assert "ttl" not in entity_item(used)
    roll_back(world.ports, code, "A1")
    world.run()
    [left] = notes(world)
    assert (left.uses, left.ends_at) == ((), left.noted_until)
    assert "ttl" in entity_item(left)
    by_file(world, world.order("A1", "kept", code=code))
    world.run()
    assert granted(world) == [("welcome", 0)] * 2


def test_a_repeat_stores_nothing_and_costs_no_more_than_a_strangers() -> None:
    world, _ = with_two_sponsors()
    row = row_of(world.order("A1", "kept", of=VIPS[0]))
    by_call(world, world.order("A1", "kept", of=VIPS[0]))
    [note] = notes(world)
    ports = wrapped(world, RecordingRepository)
    world.clock.advance(days=1)
    assert list(record_reported_orders(ports, [world.campaign], [row])) == [
        OrderOutcome("not_a_referees")
    ]
    assert isinstance(ports.repository, RecordingRepository)
    assert ports.repository.calls == ["read OrderUses + Order + RefereeClaim + SponsorClaim"]
    record(world, world.order("A1", "kept", of=VIPS[0]))
    assert notes(world) == [note]


def test_a_note_of_another_campaign_says_nothing_of_this_one() -> None:
    world, code = with_two_sponsors()
    elsewhere = OrderUses(order_id="A1", uses=(), of_sponsors=("other-vip",))
    world.repository.commit(Insert(elsewhere))
    by_file(world, world.order("A1", "kept", code=code))
    [order] = world.memory.all(Order)
    assert (order.buyer, order.counts) == (Buyer.NONE, True)
    by_file(world, world.order("A2", of=VIPS[0]))
    assert [one.of_sponsors for one in notes(world)] == [("other-vip",), (CAMPAIGN,)]


@pytest.mark.parametrize(
    "changes", [{"currency": "CHF"}, {"ordered_at": "2026-12-01T09:00:00+01:00"}]
)
def test_a_call_answers_a_sponsors_order_like_a_strangers(changes: Row) -> None:
    world, _ = with_two_sponsors()
    rows = [row_of(world.order("A1", of=one) | changes) for one in (VIPS[0], "s@demo.test")]
    answers = list(record_reported_orders(world.ports, [world.campaign], rows))
    assert answers == [OrderOutcome("not_a_referees")] * 2
    assert notes(world) == []
