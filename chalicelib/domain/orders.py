"""Orders of referees, as the client reports them, and how far a report moves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.entity import Entity


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


_RANK = {
    OrderStatus.PLACED: 0,
    OrderStatus.KEPT: 1,
    OrderStatus.RETURNED: 2,
    OrderStatus.CANCELLED: 2,
}


def moves_forward(stored: OrderStatus | None, reported: OrderStatus) -> bool:
    """True when a report says more than what is known: repeated and reordered reports change
    nothing.
    """
    return stored is None or _RANK[reported] > _RANK[stored]
