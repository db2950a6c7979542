"""The orders that count for a referral: listed in the referral, or as items beside it.

The first ones that become known are listed in the referral itself, which costs nothing more. It is
written with every order, so it must stay small: from `NAMED_ORDERS` on, each further order is an
item of its own, in a group with those of the same status, sorted by when it was made. So the first
ones of each ladder are found without the others, and more cannot earn anything (`highest_rungs`).
Where an order is noted has no effect on what it earns. Referrals of earlier versions list any
number; they are read as they are, and list no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.earned import LADDERS, LONGEST_LADDER, is_rung
from chalicelib.domain.entity import Entity
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referrals import Referral, known_order_ids

NAMED_ORDERS = 20  # with ids of 36 characters below two kilobytes, most referrals below one


@dataclass(frozen=True, kw_only=True)
class FurtherOrder(Entity):
    """An order that counts for a referral and is not listed in it. `group` is its status, if it may
    earn something in that; `position` sorts those of a group by when they were made.
    """

    referral_id: str
    group: str
    position: str
    order_id: str


OFF_LADDER = "off_ladder"
ORDER_GROUPS = (*OrderStatus, OFF_LADDER)


def further_order(referral: Referral, order: Order) -> FurtherOrder:
    """The note of an order that the referral does not list."""
    moment = order.ordered_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return FurtherOrder(
        referral_id=referral.referral_id,
        group=order.status if is_rung(order) else OFF_LADDER,
        position=f"{moment}#{order.order_id}",
        order_id=order.order_id,
    )


def highest_rungs(campaigns: Iterable[Campaign]) -> dict[str, int]:
    """How many of each group the rules of these versions can use, and at least one: the first order
    of all is asked for too.
    """
    highest = dict.fromkeys(map(str, ORDER_GROUPS), 1)
    for campaign in campaigns:
        for rule in campaign.rules:
            for status in LADDERS.get(rule.when, ()):
                rung = rule.conditions.order or LONGEST_LADDER
                highest[status] = max(rung, highest[status])
    return highest


def with_counted_order(
    referral: Referral, before: Order | None, order: Order, *, was_further: bool
) -> tuple[Referral, bool]:
    """The referral when `before` (None for a new order) becomes `order`, and whether that is now a
    further one.
    """
    counted_before = before is not None and before.counts
    referral = _with_short_list_of_kept(referral)
    known = [known for known in referral.known_orders if known != order.order_id]
    was_named = order.order_id in known_order_ids(referral)
    is_named = order.counts and (was_named or len(known) < NAMED_ORDERS)
    is_further = order.counts and not is_named
    counted = replace(
        referral,
        orders=referral.orders + order.counts - counted_before,
        known_orders=tuple([*known, order.order_id] if is_named else known),
        further_orders=referral.further_orders + is_further - was_further,
    )
    counted = _with_dates(counted, order) if order.counts else counted
    return _with_kept(counted, before, order, is_named=is_named), is_further


def _with_dates(referral: Referral, order: Order) -> Referral:
    at = order.ordered_at.astimezone(UTC)
    return replace(
        referral,
        first_ordered_at=min(at, referral.first_ordered_at or at),
        last_ordered_at=max(at, referral.last_ordered_at or at),
    )


def kept_order_count(referral: Referral) -> int:
    """How many of the orders that count are kept."""
    # 0.2.0 left an empty place for one that was returned.
    return len(list(filter(None, referral.kept_orders))) + referral.further_kept


def _with_kept(
    referral: Referral, before: Order | None, order: Order, *, is_named: bool
) -> Referral:
    was_kept = before is not None and before.counts and before.status is OrderStatus.KEPT
    is_kept = order.counts and order.status is OrderStatus.KEPT
    kept = [kept for kept in referral.kept_orders if kept != order.order_id]
    was_beside = was_kept and len(kept) == len(referral.kept_orders)
    names_kept = is_kept and is_named and len(kept) < NAMED_ORDERS
    return replace(
        referral,
        kept_orders=tuple([*kept, order.order_id] if names_kept else kept),
        further_kept=max(0, referral.further_kept - was_beside) + (is_kept and not names_kept),
    )


def _with_short_list_of_kept(referral: Referral) -> Referral:
    """A referral of an earlier version with very many kept orders only counts them from now on: its
    item may be so large that it takes nothing more.
    """
    if len(referral.kept_orders) <= NAMED_ORDERS:
        return referral
    return replace(
        referral,
        known_orders=known_order_ids(referral),
        kept_orders=(),
        further_kept=kept_order_count(referral),
    )
