"""What an order's new status or a later report changes: the order, and what counts for referrals.

The referral is written with every change of an order that concerns it, so a reward is never decided
on an outdated set of orders.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import order_corrected, order_left, order_moved
from chalicelib.domain.facts import Fact
from chalicelib.domain.orders import Order
from chalicelib.domain.referral_orders import (
    FurtherOrder,
    further_order,
    with_counted_order,
)
from chalicelib.domain.referrals import Referral, known_order_ids
from chalicelib.services.facts import referral_fact
from chalicelib.services.order_refs import with_reference
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace


def order_changes(
    ports: Ports,
    before: Order | None,
    order: Order,
    referral: Referral,
    code_problem: str | None = None,
) -> tuple[list[Change], list[Fact]]:
    """The changes and facts when `before` (None for a new order) becomes `order`; `referral` is the
    one it belongs to now. Both are empty if nothing differs. `code_problem`: why the code that a
    new order names, which is no voucher, is not used.
    """
    if before == order:
        return [], []
    order, named = with_reference(ports, order)
    if before is None:
        changes: list[Change] = [Insert(order), *_counted(ports, referral, None, order)]
        placed = order_moved(None, order, referral, code_problem)
        return [*changes, *named], [referral_fact(ports, referral, placed)]
    left, facts = _leave(ports, before, order)
    stayed = before if before.referral_id == order.referral_id else replace(before, counts=False)
    if before.status is not order.status:
        facts.append(referral_fact(ports, referral, order_moved(stayed, order, referral)))
    if _is_corrected(before, order):
        body = order_corrected(stayed, order, referral)
        facts.append(referral_fact(ports, referral, body))
    return [Replace(order), *_counted(ports, referral, stayed, order), *left, *named], facts


def _is_corrected(before: Order, order: Order) -> bool:
    """Whether something differs that its status does not explain, and that was counted or rewarded
    otherwise.
    """
    if before.status is order.status and before.amount_minor != order.amount_minor:
        return True
    judged = [
        (each.referral_id, each.buyer, each.counts, each.template) for each in (before, order)
    ]
    return judged[0] != judged[1]


def _counted(ports: Ports, referral: Referral, before: Order | None, order: Order) -> list[Change]:
    """The referral, and the note beside it of an order that it does not list."""
    noted = _further(ports, referral, before)
    counted, is_further = with_counted_order(referral, before, order, was_further=noted is not None)
    note = further_order(referral, order) if is_further else None
    changes: list[Change] = [Replace(counted)]
    if noted and note and (noted.group, noted.position) == (note.group, note.position):
        return changes
    return [*changes, *map(Remove, filter(None, [noted])), *map(Insert, filter(None, [note]))]


def _further(ports: Ports, referral: Referral, before: Order | None) -> FurtherOrder | None:
    """The note of an order that counted before and is not listed."""
    if before is None or not before.counts or not referral.further_orders:
        return None
    if before.order_id in known_order_ids(referral):
        return None
    note = further_order(referral, before)
    return ports.repository.get(
        FurtherOrder, referral_id=note.referral_id, group=note.group, position=note.position
    )


def _leave(ports: Ports, before: Order, order: Order) -> tuple[list[Change], list[Fact]]:
    """What changes for the referral that the order turns out not to belong to."""
    if before.referral_id == order.referral_id:
        return [], []
    former = ports.repository.get(Referral, referral_id=before.referral_id)
    if former is None:
        return [], []
    gone = replace(before, counts=False)
    named = replace(before, order_ref=order.order_ref)
    return (
        _counted(ports, former, before, gone),
        [referral_fact(ports, former, order_left(named, former))],
    )
