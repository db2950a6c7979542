"""What the orders of the year earn, worked out again, slowly and from what was reported.

Nothing here asks the table or the code that decides: it goes through the rows that the retailer
sent, the lists it dropped, the campaign file, and which code a till accepted on which order (from
the files of changes). It is written as the contract puts it, not as the services do it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from bench.year.programme import EXPIRE_AT, FIRST_DAY, local, rules_of, version_at
from bench.year.retailer import Delivered, ListKeeper, Row
from tests.fakes.campaign import campaign, digest

RETURN_WINDOW_DAYS = campaign().return_window_days
TILL_CLOCK = timedelta(minutes=10)
_ZONE = campaign().zone
_STATUSES = {
    "order_placed": {"placed", "kept"},
    "order_kept": {"kept"},
    "order_returned": {"returned"},
}
_RANK = {"placed": 0, "kept": 1, "returned": 2, "cancelled": 2}


@dataclass(frozen=True)
class TrueReferral:
    """Who invited whom, and when the invitation was confirmed."""

    sponsor: str
    referee: str
    confirmed_at: datetime


@dataclass(frozen=True)
class Use:
    """A code that a till accepted on an order. `is_over`: it was given back."""

    code: str
    order_id: str
    at: datetime
    is_over: bool


@dataclass
class TrueOrder:
    """What all reports of one order say together."""

    order_id: str
    ordered_at: datetime
    status: str
    amount: int
    first_version: int
    status_version: int
    referral_id: str
    counts: bool
    templates: frozenset[str]


@dataclass
class Knowledge:
    """Everything that the retailer and the people of the year know."""

    rows: list[Delivered]
    referrals: Mapping[str, TrueReferral]  # by id
    keeper: ListKeeper
    exported: Mapping[str, Row]  # by code
    uses: list[Use]
    now: datetime
    people: Mapping[str, str]  # addresses by digest

    @cached_property
    def referral_of(self) -> Mapping[str, str]:
        """The id of each referee's referral."""
        return {one.referee: name for name, one in self.referrals.items()}


# --- orders ---------------------------------------------------------------------------------------


def true_orders(known: Knowledge) -> dict[str, TrueOrder]:
    """Every order that concerns a referral, by its id."""
    reports: dict[str, list[Delivered]] = defaultdict(list)
    for delivered in known.rows:
        reports[delivered.row["order_id"]].append(delivered)
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in known.uses:
        uses[use.order_id].append(use)
    found = (_order(known, reports[order_id], uses[order_id]) for order_id in reports)
    return {order.order_id: order for order in found if order}


def _order(known: Knowledge, reports: list[Delivered], uses: list[Use]) -> TrueOrder | None:
    rows = [one.row for one in reports]
    buyers = {known.people[row["email_digest"]] for row in rows if row["email_digest"]}
    held = [known.exported[use.code] for use in uses]
    holders = [row["referral"] for row in held if row["holder"] == "referee"]
    named = [known.referral_of[buyer] for buyer in buyers if buyer in known.referral_of]
    referral_id = next(iter([*named, *holders]), None)
    if referral_id is None:
        return None
    referral = known.referrals[referral_id]
    # Before the confirmation nobody could know whose order it was, but for its code.
    seen = [one for one in reports if uses or one.at >= referral.confirmed_at]
    if not seen:
        return None
    ordered_at = datetime.fromisoformat(rows[0]["ordered_at"])
    is_his = buyers <= {referral.referee} and set(holders) <= {referral_id}
    status, amount, at = _settled(seen, ordered_at, known.now)
    return TrueOrder(
        order_id=rows[0]["order_id"],
        ordered_at=ordered_at,
        status=status,
        amount=amount,
        first_version=version_at(seen[0].at),
        status_version=version_at(at),
        referral_id=referral_id,
        counts=is_his and _day(ordered_at + TILL_CLOCK) >= _day(referral.confirmed_at),
        templates=frozenset(
            known.exported[use.code]["template"] for use in uses if not use.is_over
        ),
    )


def _settled(
    reports: list[Delivered], ordered_at: datetime, now: datetime
) -> tuple[str, int, datetime]:
    """The last status, the amount at it, and when it was reached."""
    status, amount, at = "", 0, now
    for report in sorted(reports, key=lambda one: one.at):
        if status == "placed" and (kept_at := _kept_at(ordered_at, at)) <= report.at:
            status, at = "kept", kept_at
        reported = report.row["status"]
        minor = abs(int(Decimal(report.row["amount"]) * 100))
        if not status or _RANK[reported] > _RANK[status]:
            status, amount, at = reported, minor, report.at
        elif reported == status:
            amount = min(amount, minor)
    if status == "placed" and (kept_at := _kept_at(ordered_at, at)) <= now:
        status, at = "kept", kept_at
    return status, amount, at


def _kept_at(ordered_at: datetime, placed_at: datetime) -> datetime:
    """The run of the schedule that keeps an order: the first after its window, and its report."""
    last_day = (_day(ordered_at) - FIRST_DAY).days + RETURN_WINDOW_DAYS
    since = max(placed_at, local(last_day + 1) - timedelta(seconds=1))
    day = (_day(since) - FIRST_DAY).days
    runs = (local(each, minute) for each in (day, day + 1) for minute in EXPIRE_AT)
    return next(run for run in runs if run >= since)


def _day(at: datetime) -> date:
    return at.astimezone(_ZONE).date()


# --- rewards --------------------------------------------------------------------------------------


def earned(known: Knowledge) -> Counter[tuple[str, str]]:
    """How many rewards each (referral, rule) has earned."""
    orders = true_orders(known)
    counted: dict[str, list[TrueOrder]] = defaultdict(list)
    for order in orders.values():
        if order.counts:
            counted[order.referral_id].append(order)
    total: Counter[tuple[str, str]] = Counter()
    for referral_id, referral in known.referrals.items():
        total[referral_id, "welcome"] += 1
        own = counted[referral_id]
        if own and not _was_customer(known, referral, min(one.ordered_at for one in own)):
            total.update((referral_id, rule) for rule in _on_orders(referral, own))
    for use in known.uses:
        used_on = orders.get(use.order_id)
        if not use.is_over and (used_on is None or used_on.counts):
            total.update(_on_use(known, use, counted))
    return total


def _was_customer(known: Knowledge, referral: TrueReferral, at: datetime) -> bool:
    return known.keeper.had(referral.referee, at)


def _on_orders(referral: TrueReferral, orders: list[TrueOrder]) -> Iterator[str]:
    paid = sorted(
        (one for one in orders if one.amount > 0), key=lambda one: (one.ordered_at, one.order_id)
    )
    for when, statuses in _STATUSES.items():
        for place, order in enumerate((one for one in paid if one.status in statuses), 1):
            version = order.first_version if when == "order_placed" else order.status_version
            for rule in rules_of(version):
                if rule["when"] == when and _holds(rule.get("if", {}), referral, order, place):
                    yield rule["id"]


def _holds(
    conditions: dict[str, Any], referral: TrueReferral, order: TrueOrder, place: int
) -> bool:
    days = (_day(order.ordered_at) - _day(referral.confirmed_at)).days
    return (
        conditions.get("order", place) == place
        and order.amount >= Decimal(conditions.get("minimum_amount", "0")) * 100
        and days <= conditions.get("maximum_days", days)
        and ("template" not in conditions or conditions["template"] in order.templates)
    )


def _on_use(
    known: Knowledge, use: Use, counted: Mapping[str, list[TrueOrder]]
) -> Iterator[tuple[str, str]]:
    row = known.exported[use.code]
    referral_id = row["referral"]
    times = [one.ordered_at for one in counted.get(referral_id, [])]
    times = times or [_ordered_at(known, use)]
    if _was_customer(known, known.referrals[referral_id], min(times)):
        return
    for rule in rules_of(version_at(use.at)):
        if rule["when"] == "voucher_redeemed" and rule["if"]["template"] == row["template"]:
            yield referral_id, rule["id"]


def _ordered_at(known: Knowledge, use: Use) -> datetime:
    """When the order of a use was made: a call comes while it is made."""
    rows = (one.row for one in known.rows if one.row["order_id"] == use.order_id)
    reported = next((row["ordered_at"] for row in rows), None)
    return datetime.fromisoformat(reported) if reported else use.at


def people_by_digest(addresses: Iterable[str]) -> dict[str, str]:
    """Addresses by their digest."""
    return {digest(address): address for address in addresses}
