"""A reported order that meets another commit: what a row takes is read together, though not at one
instant, and where that leads to was seen before.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.redemptions import OrderUses, Purchase, Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.orders.record import OrderOutcome, record_order
from chalicelib.services.orders.record_many import find_matches, record_reported_orders
from chalicelib.services.ports import Key, Ports
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.repository import RecordingRepository, TornRepository
from tests.fakes.world import World, wrapped
from tests.services.test_order_judgement import PAUL, only_order, voucher_of, welcome_code
from tests.services.test_orders import NEWCOMER, record, row_of

# All that a row reads together.
KINDS = (
    Order, OrderUses, OrderReference, RefereeClaim, Voucher, Redemption, Invitation, Referral,
)  # fmt: skip
# Those that are read after the other commit; what is not among them was read before it.
LATE = [
    *(late for count in (1, 2) for late in combinations(KINDS, count)),
    (Order, Referral, Voucher, Redemption),  # all of a use but the note of it
]
RECORDED = OrderOutcome("recorded")
Row = dict[str, str]
Late = tuple[type[Entity], ...]


def names_of(late: Late) -> str:
    """The id of a case."""
    return "+".join(kind.__name__ for kind in late)


def reported(world: World, row: Row, ports: Ports | None = None) -> OrderOutcome:
    """Record one row as a call does, with what was found of it before `ports` are asked."""
    parsed = row_of(row)
    leads = find_matches(world.ports, [world.campaign], [parsed]).leads
    return record_order(ports or world.ports, world.campaign, parsed, leads)


def torn(world: World, competitor: Callable[[], object], late: Late) -> Ports:
    return wrapped(world, lambda inner: TornRepository(inner, competitor, *late))


def purchase(world: World, order_id: str = "A1") -> Purchase:
    return Purchase(order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR")


# --- the reads of one row -------------------------------------------------------------------------


@pytest.mark.parametrize("late", LATE, ids=names_of)
@pytest.mark.parametrize("of", [NEWCOMER, ""])
def test_law_6_a_cancellation_that_meets_its_order_leaves_no_voucher_used(
    world: World, late: Late, of: str
) -> None:
    """The order may be seen without the use of its voucher: then nothing would give that back."""
    code = welcome_code(world)
    placed, cancelled = (
        world.order("A1", status, of=of, code=code) for status in ("placed", "cancelled")
    )
    reported(world, cancelled, torn(world, lambda: record(world, placed), late))
    assert voucher_of(world, code).state is VoucherState.ISSUED
    assert only_order(world).status is OrderStatus.CANCELLED
    assert world.memory.all(OrderUses) == []


def test_law_6_an_order_that_is_seen_without_the_use_of_its_voucher_gives_it_back(
    world: World,
) -> None:
    code = welcome_code(world)
    placed, cancelled = (
        world.order("A1", status, of=NEWCOMER, code=code) for status in ("placed", "cancelled")
    )
    reported(world, cancelled, torn(world, lambda: record(world, placed), (Order, Referral)))
    assert voucher_of(world, code).state is VoucherState.ISSUED


@pytest.mark.parametrize("late", LATE, ids=names_of)
def test_law_6_a_cancellation_that_meets_the_call_of_a_till_leaves_no_voucher_used(
    world: World, late: Late
) -> None:
    code = welcome_code(world)
    record(world, world.order("A1", of=NEWCOMER))
    ports = torn(world, lambda: redeem(world.ports, code, purchase(world)), late)
    reported(world, world.order("A1", "cancelled", of=NEWCOMER, code=code), ports)
    # Where the cancellation was first, the call comes late: the next report gives it back.
    reported(world, world.order("A1", "cancelled", of=NEWCOMER))
    assert voucher_of(world, code).state is VoucherState.ISSUED
    assert world.memory.all(OrderUses) == []


def test_law_6_a_rollback_that_meets_the_call_of_a_till_leaves_no_note_of_it(world: World) -> None:
    """What the order uses is read before that call, the voucher and its use after it."""
    code = welcome_code(world)
    late = (Voucher, Redemption)
    ports = torn(world, lambda: redeem(world.ports, code, purchase(world)), late)
    roll_back(ports, code, "A1")
    assert voucher_of(world, code).state is VoucherState.ISSUED
    assert world.memory.all(OrderUses) == []


@pytest.mark.parametrize("late", LATE, ids=names_of)
def test_law_6_of_two_orders_that_meet_one_uses_the_voucher(world: World, late: Late) -> None:
    code = welcome_code(world)
    other = world.order("A2", of=NEWCOMER, code=code)
    ports = torn(world, lambda: record(world, other), late)
    outcome = reported(world, world.order("A1", of=NEWCOMER, code=code), ports)
    assert outcome == OrderOutcome("recorded", voucher="exhausted")
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == 1
    [referral] = world.memory.all(Referral)
    assert referral.orders == 2


@pytest.mark.parametrize("late", LATE, ids=names_of)
def test_law_6_a_report_that_meets_a_rollback_does_not_use_the_voucher_again(
    world: World, late: Late
) -> None:
    code = welcome_code(world)
    row = world.order("A1", of=NEWCOMER, code=code)
    record(world, row)
    ports = torn(world, lambda: roll_back(world.ports, code, "A1"), late)
    assert reported(world, row | {"status": "kept"}, ports) == RECORDED
    assert voucher_of(world, code).state is VoucherState.ISSUED
    assert len(world.facts(FactName.VOUCHER_REDEEMED)) == 1


@pytest.mark.parametrize("late", LATE, ids=names_of)
def test_law_4_two_reports_that_meet_are_one_order(world: World, late: Late) -> None:
    world.referral(NEWCOMER)
    row = world.order("A1", "kept", of=NEWCOMER)
    outcome = reported(world, row, torn(world, lambda: record(world, row), late))
    assert outcome.effect == "known_already"
    [referral] = world.memory.all(Referral)
    assert (referral.orders, len(world.facts(FactName.ORDER_KEPT))) == (1, 1)


# --- the rows of one call -------------------------------------------------------------------------


def test_rows_of_one_call_that_touch_the_same_see_each_other(world: World) -> None:
    code = welcome_code(world)
    rows = [
        world.order("A1", of=NEWCOMER),
        world.order("A2", of=NEWCOMER, code=code),  # the same referee
        world.order("A3", of=NEWCOMER, code=code),  # the same voucher
        world.order("A2", "kept", code=code),  # the same order
        world.order("A2", "cancelled", of=NEWCOMER),
        world.order("A3", "kept", of=NEWCOMER, code=code),  # it is free again
        world.order("A1", of=NEWCOMER),
    ]
    outcomes = list(
        record_reported_orders(world.ports, [world.campaign], [row_of(row) for row in rows])
    )
    exhausted = OrderOutcome("recorded", voucher="exhausted")
    assert outcomes == [
        *[RECORDED, RECORDED, exhausted, RECORDED],
        *[OrderOutcome("recorded"), RECORDED, OrderOutcome("known_already")],
    ]
    assert voucher_of(world, code).redeemed_by == "A3"
    [referral] = world.memory.all(Referral)
    assert referral.orders == 3


def test_rows_of_one_call_that_touch_the_same_meet_no_conflict(world: World) -> None:
    """What an earlier row has changed is read as it is then: nothing is decided twice."""
    code = welcome_code(world)
    recording = RecordingRepository(world.repository)
    rows = [row_of(world.order(f"A{number}", of=NEWCOMER, code=code)) for number in range(4)]
    ports = wrapped(world, lambda _: recording)
    assert None not in list(record_reported_orders(ports, [world.campaign], rows))
    reads = [call for call in recording.calls if call.startswith(("read", "get"))]
    refusals = len(rows) - 1  # each looks whether it was counted before
    assert len(reads) == 2 + len(rows) + refusals


def test_whom_rows_concern_and_where_that_leads_to_are_two_reads_for_all(world: World) -> None:
    code = welcome_code(world)
    recording = RecordingRepository(world.repository)
    rows = [row_of(world.order(f"A{number}", of=NEWCOMER, code=code)) for number in range(3)]
    matches = find_matches(wrapped(world, lambda _: recording), [world.campaign], rows)
    assert recording.calls == [
        "read OrderUses + Order + RefereeClaim + SponsorClaim + Voucher",
        "read Invitation",
    ]
    [referral] = world.memory.all(Referral)
    key = Key.of(Referral, referral_id=referral.referral_id)
    assert {to for to in matches.leads.values() if to.kind is Referral} == {key}


@pytest.mark.parametrize("is_used", [False, True])
def test_a_cancellation_is_one_read_whether_it_gives_a_voucher_back(
    world: World, is_used: bool
) -> None:
    code = welcome_code(world)
    recording = RecordingRepository(world.repository)
    if is_used:
        record(world, world.order("A1", of=NEWCOMER, code=code))
    cancelled = world.order("A1", "cancelled", of=NEWCOMER, code=code)
    for _ in range(2):
        recording.calls.clear()
        reported(world, cancelled, wrapped(world, lambda _: recording))
        reads = [call for call in recording.calls if call.startswith(("read", "get"))]
        assert len(reads) == 1


@pytest.mark.parametrize("of", [NEWCOMER, ""])
def test_a_row_sees_what_others_did_since_the_call_began(world: World, of: str) -> None:
    code = welcome_code(world)
    rows = [
        world.order("A1", of=PAUL),
        world.order("A2", of=PAUL),
        world.order("A3", of=of, code=code),
        world.order("A3", "cancelled", of=of, code=code),
    ]
    world.invite(world.sponsor(), PAUL)
    world.run()
    outcomes = record_reported_orders(world.ports, [world.campaign], [row_of(row) for row in rows])
    assert next(outcomes) == OrderOutcome("not_a_referees")  # has not confirmed
    world.confirm(PAUL)
    assert next(outcomes) == RECORDED
    redeem(world.ports, code, purchase(world, "B1"))
    assert next(outcomes) == OrderOutcome(
        "recorded" if of else "not_a_referees", voucher="exhausted"
    )
    roll_back(world.ports, code, "B1")
    redeem(world.ports, code, purchase(world, "A3"))
    assert next(outcomes)
    assert voucher_of(world, code).state is VoucherState.ISSUED
