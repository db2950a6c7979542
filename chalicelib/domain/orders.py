"""Orders of referees, as the client reports them: in any sequence, repeatedly.

    placed ──► kept ──► returned | cancelled
       └─────────────►

A report moves an order forward or changes nothing, so repeated and reordered reports have the same
result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity, require_move
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.referrals import Referral, with_kept_order, without_kept_order


class OrderStatus(StrEnum):
    """What the client says of an order."""

    PLACED = "placed"
    KEPT = "kept"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Order(Entity):
    """A purchase of a referee, as the client reports it."""

    campaign: str
    order_id: str
    referral_id: str
    status: OrderStatus
    ordered_at: datetime
    amount_minor: int
    currency: str
    return_window_ends_at: datetime
    kept_at: datetime | None = None


_MOVES = {
    OrderStatus.PLACED: {OrderStatus.KEPT, OrderStatus.RETURNED, OrderStatus.CANCELLED},
    OrderStatus.KEPT: {OrderStatus.RETURNED, OrderStatus.CANCELLED},
}


def new_order(campaign: Campaign, row: OrderRow, referral: Referral) -> Order:
    """The order of a first report, at `placed`; `moved_order` sets the reported status."""
    window_ends = campaign.end_of_day(
        campaign.local_date(row.ordered_at) + timedelta(days=campaign.return_window_days)
    )
    return Order(
        campaign=campaign.id,
        order_id=row.order_id,
        referral_id=referral.referral_id,
        status=OrderStatus.PLACED,
        ordered_at=row.ordered_at,
        amount_minor=row.amount_minor,
        currency=row.currency,
        return_window_ends_at=window_ends,
    )


def updated_order(order: Order, row: OrderRow) -> Order:
    """The order with the amount of a later report: part of an order may be returned. When and by
    whom it was ordered does not change.
    """
    return replace(order, amount_minor=row.amount_minor)


def moves_forward(stored: OrderStatus | None, reported: OrderStatus) -> bool:
    """True when a reported status comes after the stored one."""
    return stored is None or reported in _MOVES.get(stored, ())


def moved_order(order: Order, status: OrderStatus, now: datetime) -> Order:
    """The order at `status`. A new one may also stay at `placed`."""
    is_first_report = not order.revision and status is order.status
    reached = status if is_first_report else require_move(order.status, status, _MOVES)
    return replace(
        order, status=reached, kept_at=now if status is OrderStatus.KEPT else order.kept_at
    )


def referral_after(order: Order, referral: Referral) -> Referral:
    """The referral after `order` has reached its status; a new order is counted."""
    counted = replace(referral, orders=referral.orders + (0 if order.revision else 1))
    if order.status is OrderStatus.KEPT:
        return with_kept_order(counted, order.order_id)
    return without_kept_order(counted, order.order_id)
