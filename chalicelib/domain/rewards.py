"""The rules: which of them grant something when a referral is confirmed or an order is kept.

The rung of a referral's reward is the place of the kept order among its kept orders, 0 for what
comes with the confirmation. A reward is keyed by (rule, referral, rung), so it is granted once (law
4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.entity import Entity
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral


@dataclass(frozen=True, kw_only=True)
class Reward(Entity):
    """What one rule granted, or refused, for one rung of one referral: decided once (law 4)."""

    referral_id: str
    rule: str
    rung: int
    campaign: str
    order_id: str | None = None
    code: str | None = None
    granted_at: datetime | None = None
    refused_reason: str | None = None
    customers_version: int | None = None
    revoked_at: Annotated[datetime | None, Field(alias="taken_back_at")] = None


CONFIRMATION_RUNG = 0


def granted_on_confirmation(campaign: Campaign) -> list[Rule]:
    """The rules that grant something when a referral is confirmed."""
    return [rule for rule in campaign.rules if rule.when is Trigger.REFERRAL_CONFIRMED]


def granted_on_order(campaign: Campaign, order: Order, rung: int) -> list[Rule]:
    """The rules that grant something when `order` is kept as the `rung`-th of its referral."""
    return [
        rule
        for rule in campaign.rules
        if rule.when is Trigger.ORDER_KEPT
        and rule.conditions.order in {None, rung}
        and order.amount_minor >= int((rule.conditions.minimum_amount or 0) * 100)
    ]


def rung_of(referral: Referral, order_id: str) -> int | None:
    """The rung a kept order stands for, counted from 1; None when it does not count (any more)."""
    kept = referral.kept_orders
    return kept.index(order_id) + 1 if order_id in kept else None


def is_capped(rule: Rule, campaign: Campaign, sponsor: Sponsor) -> bool:
    """True when the sponsor has had as many rewards as the campaign allows."""
    return rule.to is HolderRole.SPONSOR and sponsor.rewards >= campaign.caps.sponsor_rewards
