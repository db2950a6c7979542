"""From an order file to what would have happened: who confirmed when, and what followed.

The file says neither who was invited nor when a row was reported, so this is assumed:

- every digest is of a referee, a newcomer, who confirmed with the first order or some days before;
- an order belongs to the digest that its first row with one gives;
- an order is `placed` when it was made; whatever else is reported of it, and that it is kept
  because nothing was reported, happens when its return window has passed.

Rows are refused as in production, alone and with the same reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.files.orders import OrderRow, orders
from chalicelib.domain.files.reading import FileRefusedError, Tally, content
from chalicelib.domain.orders import (
    OrderProblem,
    OrderStatus,
    refusal_of,
    return_window_ends_at,
)
from cli.errors import CommandError

_PIECE = 1 << 20
# Earlier than any order that is meant; so late that days can be counted back from it.
_FIRST_YEAR = 1900
_MADE = -1
_SEQUENCE = {
    OrderStatus.PLACED: 0,
    OrderStatus.KEPT: 1,
    OrderStatus.RETURNED: 2,
    OrderStatus.CANCELLED: 2,
}
_WINDOW_PASSED = 3
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReportedOrder:
    """The rows of one order, in the sequence of the file. `digest` is the buyer, "" where no row
    says it.
    """

    order_id: str
    digest: str
    rows: tuple[OrderRow, ...]

    @property
    def ordered_at(self) -> datetime:
        """When it was made: the earliest date of its rows."""
        return min(row.ordered_at for row in self.rows)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens to a referee: the confirmation (without an order), an order being made
    with a voucher `code`, a report of an order, or (without either) the end of its return window.
    """

    at: datetime
    digest: str
    order_id: str = ""
    ordered_at: datetime | None = None
    code: str | None = None
    row: OrderRow | None = None


# --- the file -----------------------------------------------------------------------------------


def read_orders(file: Path, campaign: Campaign, now: datetime) -> tuple[list[ReportedOrder], Tally]:
    """The orders of a file, plain or gzipped; the refused rows are in the tally.

    Raises CommandError, `FILE:LINE: reason`, when the whole file is refused.
    """
    tally = Tally()
    with file.open("rb") as opened:
        chunks = iter(lambda: opened.read(_PIECE), b"")
        try:
            layout = campaign.layout_of("orders")
            numbered = list(orders(content(file.name, chunks), tally, layout))
        except FileRefusedError as error:
            line = f"{error.line}: " if error.line else " "
            raise CommandError(f"{file}:{line}{error}") from error
    return list(_grouped(numbered, campaign, now, tally)), tally


def _grouped(
    numbered: Sequence[tuple[int, OrderRow]], campaign: Campaign, now: datetime, tally: Tally
) -> Iterator[ReportedOrder]:
    buyers: dict[str, str] = {}
    for _, row in numbered:
        if row.email_digest and _refusal(row, campaign, now) is None:
            buyers.setdefault(row.order_id, row.email_digest)
    rows: dict[str, list[OrderRow]] = {}
    without_effect = Tally()
    for line, row in numbered:
        problem = _refusal(row, campaign, now)
        if problem is None and row.email_digest not in {None, buyers.get(row.order_id)}:
            problem = OrderProblem.ANOTHER_PERSON
        if problem:
            without_effect.reject(line, problem)
        else:
            rows.setdefault(row.order_id, []).append(row)
    tally.add(without_effect)
    for order_id, reports in rows.items():
        yield ReportedOrder(order_id, buyers.get(order_id, ""), tuple(reports))


def _refusal(row: OrderRow, campaign: Campaign, now: datetime) -> str | None:
    if problem := refusal_of(campaign, row, now):
        return problem
    return "ordered_at_invalid" if row.ordered_at.year < _FIRST_YEAR else None


# --- what happens when --------------------------------------------------------------------------


def confirmations(reported: Sequence[ReportedOrder], days_before: int) -> dict[str, datetime]:
    """When each referee confirmed, by digest, the earliest first."""
    firsts: dict[str, datetime] = {}
    for order in reported:
        first = firsts.get(order.digest, order.ordered_at)
        firsts[order.digest] = min(first, order.ordered_at)
    firsts.pop("", None)
    days = timedelta(days=days_before)
    found = {digest: first.astimezone(UTC) - days for digest, first in firsts.items()}
    return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def events(
    campaign: Campaign, reported: Sequence[ReportedOrder], confirmed: dict[str, datetime]
) -> list[Event]:
    """Everything that happens, in its sequence."""
    found = [Event(at, digest) for digest, at in confirmed.items()]
    for order in reported:
        if order.digest:
            found += _of_order(campaign, order)
    return sorted(found, key=_place)


def _of_order(campaign: Campaign, order: ReportedOrder) -> Iterator[Event]:
    made = order.ordered_at.astimezone(UTC)
    # Kept once the whole last second of the window has passed.
    passed = return_window_ends_at(campaign, made) + timedelta(seconds=1)
    for code in dict.fromkeys(row.voucher_code for row in order.rows if row.voucher_code):
        yield Event(made, order.digest, order.order_id, made, code)
    for row in order.rows:
        at = made if OrderStatus(row.status) is OrderStatus.PLACED else passed
        yield Event(at, order.digest, order.order_id, made, row=row)
    yield Event(passed, order.digest, order.order_id, made)


def _place(event: Event) -> tuple[datetime, datetime, str, int]:
    """Of what happens at one instant: confirmations first, then orders as they were made."""
    stage = _SEQUENCE[OrderStatus(event.row.status)] if event.row else _WINDOW_PASSED
    if event.code:
        stage = _MADE
    return event.at, event.ordered_at or _EARLIEST, event.order_id, stage
