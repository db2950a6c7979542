"""What an order's new status or a later report changes: the order, and what counts for referrals.

The referral is written with every change of an order that concerns it, so a reward is never decided
on an outdated set of orders.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import order_corrected, order_left, order_moved
from chalicelib.domain.facts import Fact
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referrals import Referral, with_counted_order
from chalicelib.services.facts import referral_fact
from chalicelib.services.ports import Change, Insert, Ports, Replace


def order_changes(
    ports: Ports, before: Order | None, order: Order, referral: Referral
) -> tuple[list[Change], list[Fact]]:
    """The changes and facts when `before` (None for a new order) becomes `order`; `referral` is the
    one it belongs to now. Both are empty if nothing differs.
    """
    if before is None:
        changes: list[Change] = [Insert(order), Replace(_counted(referral, None, order))]
        return changes, [referral_fact(ports, referral, order_moved(order, referral))]
    if before == order:
        return [], []
    left, facts = _leave(ports, before, order)
    stayed = before if before.referral_id == order.referral_id else replace(before, counts=False)
    if before.status is not order.status:
        facts.append(referral_fact(ports, referral, order_moved(order, referral)))
    if _is_corrected(before, order):
        body = order_corrected(stayed, order, referral)
        facts.append(referral_fact(ports, referral, body))
    return [Replace(order), Replace(_counted(referral, stayed, order)), *left], facts


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


def _counted(referral: Referral, before: Order | None, order: Order) -> Referral:
    return with_counted_order(
        referral,
        order.order_id,
        counted_before=before is not None and before.counts,
        counts=order.counts,
        is_kept=order.status is OrderStatus.KEPT,
    )


def _leave(ports: Ports, before: Order, order: Order) -> tuple[list[Change], list[Fact]]:
    """What changes for the referral that the order turns out not to belong to."""
    if before.referral_id == order.referral_id:
        return [], []
    former = ports.repository.get(Referral, referral_id=before.referral_id)
    if former is None:
        return [], []
    gone = replace(before, counts=False)
    return (
        [Replace(_counted(former, before, gone))],
        [referral_fact(ports, former, order_left(before, former))],
    )
