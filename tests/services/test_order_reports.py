"""Many reports at once, and several of one order: what they cost and what they may change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.orders import Buyer, Order, OrderStatus
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.orders import record_many
from chalicelib.services.orders.record import OrderOutcome, record_order
from chalicelib.services.orders.record_many import record_reported_orders
from chalicelib.services.ports import ContentionError
from chalicelib.services.vouchers.redeem import roll_back
from tests.fakes.campaign import campaign, digest
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_orders import NEWCOMER, record, row_of

STRANGER = "stranger@example.fr"
# Four keys a row, a hundred keys a read.
READS = ["read OrderUses", "read Order", "read RefereeClaim", "read SponsorClaim"]
READ_OF_FEW = ["read OrderUses + Order + RefereeClaim + SponsorClaim"]


def watched(world: World) -> RecordingRepository:
    """The world's repository, with its calls recorded from here on."""
    world.ports = wrapped(world, RecordingRepository)
    assert isinstance(world.ports.repository, RecordingRepository)
    return world.ports.repository


def welcome_code(world: World) -> str:
    """The code of the newcomer's first voucher."""
    world.referral(NEWCOMER)
    world.export()
    return world.exported(1)[0]["code"]


def stored(world: World) -> Order:
    [order] = world.memory.all(Order)
    return order


# --- many at once ---------------------------------------------------------------------------------


# When the last order file came: once a file, whatever its size.
NOTED = ["get LastFile", "Insert LastFile"]


def test_a_file_about_strangers_costs_four_reads_a_hundred_lines(world: World) -> None:
    world.referral(NEWCOMER)
    rows = [world.order(f"A{number}", of=f"s{number}@example.fr") for number in range(250)]
    repository = watched(world)
    receipt = world.drop_orders(*rows)
    assert (receipt.status, receipt.accepted) == ("accepted", 250)
    of_fifty = ["read OrderUses + Order", "read RefereeClaim + SponsorClaim"]
    assert repository.calls == READS * 2 + of_fifty + NOTED


VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/vectors/order-lines.json").read_bytes()
)
PUBLISHED = [pytest.param(case, id=case["line"]) for case in VECTORS["lines"]]


@pytest.mark.parametrize("case", PUBLISHED)
def test_an_order_line_of_a_back_office_has_the_published_outcome(
    world: World, case: dict[str, Any]
) -> None:
    receipt = dropped_line(world, case)
    problems = [(2, case[name]) for name in ("reason",) if name in case]
    assert [(one.line, one.reason) for one in receipt.errors] == problems
    assert list(receipt.vouchers) == [(2, case[name]) for name in ("voucher",) if name in case]
    assert receipt.status == case["status"]
    assert receipt.rows == 1


def dropped_line(world: World, case: dict[str, Any]) -> Receipt:
    """The receipt of a file with this line of the published ones."""
    world.clock.now = datetime(2026, 11, 21, tzinfo=UTC)
    line = case["line"].replace(",D,", f",{digest(STRANGER)},")
    return world.drop("orders/back-office.csv", f"{VECTORS['header']}\n{line}\n".encode())


def test_a_strangers_order_is_rejected_for_what_is_wrong_with_any(world: World) -> None:
    repository = watched(world)
    receipt = world.drop_orders(
        world.order("A1", of=STRANGER, currency="USD"),
        world.order("A2", of=STRANGER, ordered_at="2026-03-04T09:00:00Z"),
        world.order("A3", of=STRANGER),
    )
    assert [(one.line, one.reason) for one in receipt.errors] == [
        (2, "currency_not_the_campaigns"),
        (3, "ordered_at_in_the_future"),
    ]
    assert repository.calls == READ_OF_FEW + NOTED


def test_among_strangers_those_concerned_are_recorded_in_the_order_of_the_file(
    world: World,
) -> None:
    code = welcome_code(world)
    strangers = [world.order(f"S{number}", of=f"s{number}@example.fr") for number in range(150)]
    receipt = world.drop_orders(
        *strangers[:70],
        world.order("A1", of=NEWCOMER),
        *strangers[70:],
        world.order("A2", code=code),
        world.order("A3", code="WE-22222-22222-22222", of=STRANGER),
    )
    assert receipt.status == "accepted"
    assert [order.order_id for order in world.memory.all(Order)] == ["A1", "A2"]


@pytest.mark.parametrize("by_call", [False, True])
def test_an_order_stored_by_a_line_concerns_the_lines_after_it(world: World, by_call: bool) -> None:
    code = welcome_code(world)
    rows = [world.order("A1", code=code), world.order("A1", "returned", of=STRANGER)]
    if by_call:
        parsed = [row_of(row) for row in rows]
        outcomes = list(record_reported_orders(world.ports, [world.campaign], parsed))
        assert outcomes == [OrderOutcome("recorded"), OrderOutcome("not_counted")]
    else:
        assert world.drop_orders(*rows).accepted == 2
    assert stored(world).status is OrderStatus.RETURNED


def test_a_call_about_strangers_is_one_read_of_all_campaigns(world: World) -> None:
    put_campaign(world.ports, campaign(campaign="other-vip"))
    campaigns = [world.campaign, campaign(campaign="other-vip")]
    rows = [row_of(world.order(f"A{n}", of=f"s{n}@example.fr")) for n in range(14)]
    repository = watched(world)
    outcomes = list(record_reported_orders(world.ports, campaigns, rows))
    assert outcomes == [OrderOutcome("not_a_referees")] * 14
    assert repository.calls == READ_OF_FEW


def test_a_call_moves_a_stored_order_even_with_another_buyer(world: World) -> None:
    record(world, world.order("A1", code=welcome_code(world)))
    row = row_of(world.order("A1", "returned", of=STRANGER))
    [outcome] = record_reported_orders(world.ports, [world.campaign], [row])
    assert outcome == OrderOutcome("not_counted")
    assert (stored(world).status, stored(world).buyer) == (OrderStatus.RETURNED, Buyer.OTHER)


def test_an_order_that_cannot_be_settled_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.referral(NEWCOMER)

    def recorded(*arguments: object) -> OrderOutcome:
        if row_of(world.order("A1", of=NEWCOMER)) in arguments:
            raise ContentionError
        return record_order(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(record_many, "record_order", recorded)
    rows = [row_of(world.order(order_id, of=NEWCOMER)) for order_id in ("A1", "A2")]
    outcomes = list(record_reported_orders(world.ports, [world.campaign], rows))
    assert outcomes == [None, OrderOutcome("recorded")]


# --- several reports of one order -----------------------------------------------------------------


def test_a_stored_order_moves_on_whatever_has_become_of_its_voucher(world: World) -> None:
    code = welcome_code(world)
    record(world, world.order("A1", of=NEWCOMER, code=code))
    roll_back(world.ports, code, "A1")
    outcome = record(world, world.order("A1", "kept", of=NEWCOMER, code=code))
    assert outcome == OrderOutcome("recorded")
    assert stored(world).status is OrderStatus.KEPT


@pytest.mark.parametrize("by_call", [False, True])
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("unknown", "unknown"),
        ("used on another order", "exhausted"),
        ("below its minimum", "below_minimum_basket"),
    ],
)
def test_a_voucher_with_a_problem_never_costs_the_order(
    world: World, wrong: str, problem: str, by_call: bool
) -> None:
    code = welcome_code(world)
    record(world, world.order("A1", of=NEWCOMER))
    if wrong == "used on another order":
        record(world, world.order("A2", of=NEWCOMER, code=code))
    before = world.memory.all(Voucher)
    named = "WE-22222-22222-22222" if wrong == "unknown" else code
    amount = "39.99" if wrong == "below its minimum" else "80.00"
    row = world.order("A1", "kept", of=NEWCOMER, code=named, amount=amount)
    if by_call:
        [outcome] = record_reported_orders(world.ports, [world.campaign], [row_of(row)])
    else:
        outcome = record(world, row)
    assert outcome == OrderOutcome("recorded", voucher=problem)
    assert world.memory.all(Order)[0].status is OrderStatus.KEPT
    assert world.memory.all(Voucher) == before


def test_a_voucher_redeemed_by_the_first_report_stays_so_through_the_next(world: World) -> None:
    code = welcome_code(world)
    for status in ("placed", "kept"):
        assert record(world, world.order("A1", status, code=code)) == OrderOutcome("recorded")
    [voucher] = [one for one in world.memory.all(Voucher) if one.template == "welcome"]
    assert (voucher.state, voucher.redeemed_by) == (VoucherState.REDEEMED, "A1")


def test_a_voucher_of_another_referee_does_not_make_a_stored_order_theirs(world: World) -> None:
    code = welcome_code(world)
    world.referral("paul@example.fr", VIPS[1])
    record(world, world.order("A1", of="paul@example.fr", code=code))
    outcome = record(world, world.order("A1", "kept", of=STRANGER, code=code))
    assert outcome == OrderOutcome("not_counted")
    assert stored(world).buyer is Buyer.OTHER_REFEREE


@pytest.mark.parametrize(
    ("placed", "kept", "granted"),
    [("120.00", "99.99", False), ("80.00", "100.00", True)],
)
def test_a_rule_sees_the_amount_that_was_kept(placed: str, kept: str, granted: bool) -> None:
    rules = [{"id": "big", "when": "order_kept", "if": {"minimum_amount": "100.00"},
              "issue": "thank-you", "to": "sponsor"}]  # fmt: skip
    world = new_world(rules=rules)
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER, amount=placed))
    record(world, world.order("A1", "kept", of=NEWCOMER, amount=kept))
    world.run()
    assert bool(world.memory.all(Reward)) is granted


def test_a_report_that_moves_an_order_changes_only_its_amount(world: World) -> None:
    world.referral(NEWCOMER)
    record(world, world.order("A1", of=NEWCOMER, amount="80.00"))
    placed = stored(world)
    world.clock.advance(days=1)
    record(world, world.order("A1", "kept", of=NEWCOMER, amount="60.00"))
    kept = stored(world)
    assert (placed.amount_minor, kept.amount_minor) == (8000, 6000)
    assert (kept.ordered_at, kept.return_window_ends_at) == (
        placed.ordered_at,
        placed.return_window_ends_at,
    )
    record(world, world.order("A1", of=NEWCOMER, amount="70.00"))  # late: it moves nothing
    assert stored(world) == kept
