"""What the orders of the year earn, worked out again, slowly and from what was reported.

Nothing here asks the table or the code that decides: it goes through the rows that the retailer
sent, the lists it dropped, the campaign file, and which code a till accepted on which order (from
the files of changes). It is written as the contract puts it, not as the services do it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bench.year.programme import FIRST_DAY, local, rules_of, version_at
from bench.year.retailer import Delivered, ListKeeper, Row
from tests.fakes.campaign import campaign, digest

RETURN_WINDOW_DAYS = campaign().return_window_days
TILL_CLOCK = timedelta(minutes=10)
_ZONE = campaign().zone
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
    referral: str | None
    counts: bool
    templates: frozenset[str]


@dataclass
class Knowledge:
    """Everything that the retailer and the people of the year know."""

    rows: Iterable[Delivered]
    referrals: Mapping[str, TrueReferral]  # by referral
    keeper: ListKeeper
    exported: Mapping[str, Row]  # by code
    uses: Iterable[Use]
    expired_until: datetime  # when the schedule last kept orders
    buyer_policy: str = "referee"
    people: dict[str, str] = field(default_factory=dict)  # addresses by digest


def true_orders(known: Knowledge) -> dict[str, TrueOrder]:
    """Every order that concerns a referral."""
    reports: dict[str, list[Delivered]] = defaultdict(list)
    for delivered in known.rows:
        reports[delivered.row["order_id"]].append(delivered)
    uses: dict[str, list[Use]] = defaultdict(list)
    for use in known.uses:
        uses[use.order_id].append(use)
    found = (
        _order(known, order_id, of_order, uses[order_id]) for order_id, of_order in reports.items()
    )
    return {order.order_id: order for order in found if order}


def _order(
    known: Knowledge, order_id: str, reports: list[Delivered], uses: list[Use]
) -> TrueOrder | None:
    first_row = reports[0].row
    ordered_at = datetime.fromisoformat(first_row["ordered_at"])
    of_digest = {referral.referee: name for name, referral in known.referrals.items()}
    buyers = {known.people[one.row["email_digest"]] for one in reports if one.row["email_digest"]}
    held = [known.exported[use.code] for use in uses]
    by_code = [row["referral"] for row in held if row["holder"] == "referee"]
    own = [of_digest[buyer] for buyer in buyers if buyer in of_digest]
    referral = next(iter([*own, *by_code]), None)
    if referral is None:
        return None
    referral_of = known.referrals[referral]
    seen = [one for one in reports if one.at >= referral_of.confirmed_at or uses]
    if not seen:
        return None
    is_wanted = not buyers or (
        all(buyer == referral_of.referee for buyer in buyers)
        and all(one == referral for one in by_code)
    )
    counts = is_wanted and not _is_before(referral_of, ordered_at)
    status, amount, at = _settled(seen, ordered_at, known.expired_until)
    return TrueOrder(
        order_id=order_id,
        ordered_at=ordered_at,
        status=status,
        amount=amount,
        first_version=version_at(seen[0].at),
        status_version=version_at(at),
        referral=referral,
        counts=counts,
        templates=frozenset(
            known.exported[use.code]["template"] for use in uses if not use.is_over
        ),
    )


def _is_before(referral_of: TrueReferral, ordered_at: datetime) -> bool:
    confirmed_on = referral_of.confirmed_at.astimezone(_ZONE).date()
    return (ordered_at + TILL_CLOCK).astimezone(_ZONE).date() < confirmed_on


def _settled(
    reports: list[Delivered], ordered_at: datetime, expired_until: datetime
) -> tuple[str, int, datetime]:
    """The last status, the amount at it, and when it was reached."""
    window = _window_end(ordered_at)
    status, amount, at = "", 0, reports[0].at
    for report in sorted(reports, key=lambda one: one.at):
        if status == "placed" and window < report.at:
            kept_at = _next_expiry(window)
            if kept_at <= report.at:
                status, at = "kept", kept_at
        reported = report.row["status"]
        minor = abs(int(Decimal(report.row["amount"]) * 100))
        if not status or _RANK[reported] > _RANK[status]:
            status, amount, at = reported, minor, report.at
        elif reported == status:
            amount = min(amount, minor)
    if status == "placed" and _next_expiry(window) <= expired_until:
        status, at = "kept", _next_expiry(window)
    return status, amount, at


def _window_end(ordered_at: datetime) -> datetime:
    last_day = ordered_at.astimezone(_ZONE).date() + timedelta(days=RETURN_WINDOW_DAYS)
    return local((last_day - FIRST_DAY).days + 1) - timedelta(seconds=1)


def _next_expiry(window: datetime) -> datetime:
    """The run of the schedule that keeps an order: at two o'clock after its last day."""
    day = (window.astimezone(_ZONE).date() - FIRST_DAY).days + 1
    return local(day, 2 * 60)


def earned(known: Knowledge) -> Counter[tuple[str, str]]:
    """How many rewards each (referral, rule) has earned."""
    orders = true_orders(known)
    by_referral: dict[str, list[TrueOrder]] = defaultdict(list)
    for order in orders.values():
        if order.counts and order.referral:
            by_referral[order.referral].append(order)
    total: Counter[tuple[str, str]] = Counter()
    for referral, referral_of in known.referrals.items():
        total[referral, "welcome"] += 1
        own = by_referral[referral]
        if own and known.keeper.had(referral_of.referee, min(one.ordered_at for one in own)):
            continue
        for rule_id in _on_orders(referral_of, own):
            total[referral, rule_id] += 1
    for key in _on_redemptions(known, orders, by_referral):
        total[key] += 1
    return total


_STATUSES = {
    "order_placed": {"placed", "kept"},
    "order_kept": {"kept"},
    "order_returned": {"returned"},
}


def _on_orders(referral_of: TrueReferral, orders: list[TrueOrder]) -> Iterable[str]:
    paid = sorted(
        (one for one in orders if one.amount > 0), key=lambda one: (one.ordered_at, one.order_id)
    )
    for when, statuses in _STATUSES.items():
        for place, order in enumerate((one for one in paid if one.status in statuses), 1):
            version = order.first_version if when == "order_placed" else order.status_version
            for rule in rules_of(version):
                if rule["when"] == when and _holds(rule.get("if", {}), referral_of, order, place):
                    yield rule["id"]


def _holds(
    conditions: dict[str, Any], referral_of: TrueReferral, order: TrueOrder, place: int
) -> bool:
    days = (
        order.ordered_at.astimezone(_ZONE).date()
        - referral_of.confirmed_at.astimezone(_ZONE).date()
    ).days
    return (
        conditions.get("order", place) == place
        and order.amount >= Decimal(conditions.get("minimum_amount", "0")) * 100
        and days <= conditions.get("maximum_days", days)
        and ("template" not in conditions or conditions["template"] in order.templates)
    )


def _on_redemptions(
    known: Knowledge,
    orders: Mapping[str, TrueOrder],
    by_referral: Mapping[str, list[TrueOrder]],
) -> Iterable[tuple[str, str]]:
    reported = {one.row["order_id"]: one.row for one in known.rows}
    for use in known.uses:
        if use.is_over:
            continue
        row = known.exported[use.code]
        order = orders.get(use.order_id)
        if order and not order.counts:
            continue
        referral_of = known.referrals[row["referral"]]
        own = by_referral.get(row["referral"], [])
        ordered_at = (
            datetime.fromisoformat(reported[use.order_id]["ordered_at"])
            if (use.order_id in reported)
            else use.at
        )
        first = min((one.ordered_at for one in own), default=ordered_at)
        if known.keeper.had(referral_of.referee, first):
            continue
        for rule in rules_of(version_at(use.at)):
            is_due = rule["when"] == "voucher_redeemed"
            if is_due and rule["if"]["template"] == row["template"]:
                yield row["referral"], rule["id"]


def people_by_digest(addresses: Iterable[str]) -> dict[str, str]:
    """Addresses by their digest."""
    return {digest(address): address for address in addresses}
