"""The rules: which of them grant something when a referral is confirmed or an order is kept.

The rung of a referral's reward is the place of the kept order among its kept orders, 0 for what
comes with the confirmation. A reward is keyed by (rule, referral, rung), so it is granted once (law
4).
"""

from __future__ import annotations

from chalicelib.domain.campaign import Campaign, Event, HolderRole, Rule
from chalicelib.domain.model import Order, OrderStatus, Referral, Sponsor

CONFIRMATION_RUNG = 0

_RANK = {
    OrderStatus.PLACED: 0,
    OrderStatus.KEPT: 1,
    OrderStatus.RETURNED: 2,
    OrderStatus.CANCELLED: 2,
}


def granted_on_confirmation(campaign: Campaign) -> list[Rule]:
    """The rules that grant something when a referral is confirmed."""
    return [rule for rule in campaign.rules if rule.when is Event.REFERRAL_CONFIRMED]


def granted_on_order(campaign: Campaign, order: Order, rung: int) -> list[Rule]:
    """The rules that grant something when `order` is kept as the `rung`-th of its referral."""
    return [
        rule
        for rule in campaign.rules
        if rule.when is Event.ORDER_KEPT
        and rule.conditions.order in {None, rung}
        and order.amount_minor >= int((rule.conditions.minimum_amount or 0) * 100)
    ]


def rung_of(referral: Referral, order_id: str) -> int | None:
    """The rung a kept order stands for, counted from 1; None when it does not count (any more)."""
    kept = referral.kept_orders
    return kept.index(order_id) + 1 if order_id in kept else None


def moves_forward(stored: OrderStatus | None, reported: OrderStatus) -> bool:
    """True when a report says more than what is known: repeated and reordered reports change
    nothing.
    """
    return stored is None or _RANK[reported] > _RANK[stored]


def is_capped(rule: Rule, campaign: Campaign, sponsor: Sponsor) -> bool:
    """True when the sponsor has had as many rewards as the campaign allows."""
    return rule.to is HolderRole.SPONSOR and sponsor.rewards >= campaign.caps.sponsor_rewards
