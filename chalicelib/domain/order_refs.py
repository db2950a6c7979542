"""Our own id of an order, which facts and the journal have in place of the client's.

The client's id is any text, so it may name somebody, and the journal is for good. The reference is
a hash of it under our own key: the same for every report, nothing without the key. After a restore
it is matched with the ids in the client's files; an order whose id no file has is stored under a
name made of its reference, until the client reports it again.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.entity import Entity

_BYTES = 16
_LOST = " lost-"  # no id of the client's begins with a space: `files/orders.py`


@dataclass(frozen=True, kw_only=True)
class OrderReference(Entity):
    """From our own id of an order to the one that the client gave it."""

    order_ref: str
    campaign: str
    order_id: str


def order_ref(key: DigestKey, order_id: str) -> str:
    """Our own id of an order; `key` is our own. No address has a NUL, so it is never one of the
    digests under that key.
    """
    return hmac.digest(key.secret, f"order\0{order_id}".encode(), "sha256")[:_BYTES].hex()


def lost_order_id(reference: str) -> str:
    """What an order is stored under while only its reference is known."""
    return f"{_LOST}{reference}"


def known_to_client(order_id: str | None) -> str | None:
    """The id as the client may read it: None while it is lost."""
    return None if lost_reference(order_id) else order_id


def lost_reference(order_id: str | None) -> str | None:
    """The reference in what a restored order is stored under; None for the client's own id."""
    if order_id is None or not order_id.startswith(_LOST):
        return None
    return order_id.removeprefix(_LOST)
