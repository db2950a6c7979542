"""From the client's id of an order to our own, which facts have, and back.

Whoever works on a fact finds the client's id in the table (`OrderReference`), so the journal needs
none. Orders that a restore brought back without it are renamed by the first report that has it.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import OrderBody
from chalicelib.domain.order_refs import OrderReference, lost_reference, order_ref
from chalicelib.domain.orders import Order
from chalicelib.services.ports import Change, Insert, Ports


def reference_of(ports: Ports, order_id: str) -> str:
    """Our own id of an order."""
    return lost_reference(order_id) or order_ref(ports.keys.own(), order_id)


def with_reference(ports: Ports, order: Order) -> tuple[Order, list[Change]]:
    """The order with its reference, and the item that leads back from it; nothing if it has it.

    That of an order of an earlier version is stored with the first change of it.
    """
    if order.order_ref:
        return order, []
    reference = reference_of(ports, order.order_id)
    found = OrderReference(order_ref=reference, campaign=order.campaign, order_id=order.order_id)
    return replace(order, order_ref=reference), [Insert(found)]


def order_id_of(ports: Ports, campaign: str, body: OrderBody) -> str | None:
    """The client's id of the order that a fact is about; None if it is not there any more."""
    reference = body.order_ref_id
    if reference is None:
        return body.client_order_id
    found = ports.repository.get(OrderReference, campaign=campaign, order_ref=reference)
    return found.order_id if found else None
