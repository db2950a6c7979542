"""The rules: which of them grant something when a referral is confirmed or an order is kept.

The rung of a reward is the place of the kept order among the referral's kept orders, 0 for the
confirmation. A reward is keyed by (rule, referral, rung), so it is granted once (law 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.entity import Entity, stored_as
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral


class RewardRefusal(StrEnum):
    """Why a rule grants nothing. The values are stored."""

    NOT_A_NEWCOMER = "not_a_newcomer"
    SPONSOR_CAP = "sponsor_cap"


@dataclass(frozen=True, kw_only=True)
class Reward(Entity):
    """What one rule granted, or refused, for one rung of one referral: decided once (law 4)."""

    referral_id: str
    rule: str
    rung: int
    campaign: str
    order_id: str | None = None
    code_key: Annotated[str | None, stored_as("code")] = None
    granted_at: datetime | None = None
    refused_reason: str | None = None
    customers_version: int | None = None
    revoked_at: Annotated[datetime | None, stored_as("taken_back_at")] = None


CONFIRMATION_RUNG = 0


def new_reward(
    referral: Referral,
    rule: Rule,
    rung: int,
    order: Order | None,
    *,
    customers_version: int | None,
) -> Reward:
    """The reward of `rule` for one rung of a referral, before it is granted or refused."""
    return Reward(
        referral_id=referral.referral_id,
        rule=rule.id,
        rung=rung,
        campaign=referral.campaign,
        order_id=order.order_id if order else None,
        customers_version=customers_version,
    )


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


def is_capped(rule: Rule, campaign: Campaign, sponsor: Sponsor) -> bool:
    """True when the sponsor has had as many rewards as the campaign allows."""
    return rule.to is HolderRole.SPONSOR and sponsor.rewards >= campaign.caps.sponsor_rewards


def granted(reward: Reward, code_key: str, now: datetime) -> Reward:
    """The reward with the voucher that was issued for it."""
    return replace(reward, code_key=code_key, granted_at=now)


def refused(reward: Reward, reason: RewardRefusal) -> Reward:
    """The reward, which is not granted."""
    return replace(reward, refused_reason=reason.value)


def revoked(reward: Reward, now: datetime) -> Reward:
    """The reward, whose voucher was revoked before it was used."""
    return replace(reward, revoked_at=now)
