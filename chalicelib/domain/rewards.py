"""A reward: what a rule granted, or refused, for a rung of a referral, and how it changes.

It is keyed by (rule, referral, rung), and at most one voucher stands for a key. A voucher that was
used before its order was returned cannot be revoked: it counts again as soon as another order earns
it, so nothing is granted twice.

What orders and redemptions earn is in `earned.py`, what has to change for it in `reward_plan.py`,
how one is held and released in `held_rewards.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.entity import Entity, stored_as
from chalicelib.domain.review import Hold

CONFIRMATION_RUNG = 0


class RewardRefusal(StrEnum):
    """Why a rule grants nothing. The values are stored."""

    NOT_A_NEWCOMER = "not_a_newcomer"
    SPONSOR_CAP = "sponsor_cap"
    REFEREE_CAP = "referee_cap"
    BUDGET_SPENT = "budget_spent"
    HOLDER_ERASED = "holder_erased"
    """its holder-to-be has asked to be forgotten"""
    REFUSED_IN_REVIEW = "refused_in_review"
    """somebody has refused it while it was held"""
    NOT_DECIDED = "not_decided"
    """nobody decided in time, and the campaign refuses then"""


# Final for a rung: no later order or report brings it back.
BY_REVIEW = frozenset({RewardRefusal.REFUSED_IN_REVIEW, RewardRefusal.NOT_DECIDED})


@dataclass(frozen=True, kw_only=True)
class Reward(Entity):
    """What one rule granted, or refused, for one rung of one referral (law 4).

    `order_id` is the order it was granted for, `voucher_id` the voucher whose redemption earned it.
    `is_used`: its voucher could not be revoked, because it was used or had expired. `in_budget`: it
    was granted under a version with a budget, and counts in what is spent of that. `hold` is set
    once it is held for a review (`review.py`); its value counts in the limits from then on.
    """

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
    is_used: bool = False
    to: HolderRole | None = None
    value_minor: int = 0
    voucher_id: str | None = None
    in_budget: bool = False
    hold: Hold | None = None


@dataclass(frozen=True, kw_only=True)
class Budget(Entity):
    """How much of a campaign's budget is granted or held, in minor units; revoked rewards do not
    count.
    """

    campaign: str
    spent_minor: int


# --- its state ------------------------------------------------------------------------------------


def is_active(reward: Reward) -> bool:
    """True while it has a voucher that was not revoked."""
    return reward.code_key is not None and reward.revoked_at is None


def counts_in_limits(reward: Reward) -> bool:
    """True while caps and the budget count it: its voucher stands, or was used, or it is kept free
    for it by a review.
    """
    return is_active(reward) or reward.is_used or waits(reward)


def waits(reward: Reward) -> bool:
    """True while it is held, and after its release until its voucher is issued."""
    return reward.hold is not None and reward.code_key is None and reward.refused_reason is None


def is_held(reward: Reward) -> bool:
    """True until a held reward is released, refused, or falls away."""
    return waits(reward) and not is_released(reward)


def is_released(reward: Reward) -> bool:
    """True when it was held and is granted next, or has been."""
    return reward.hold is not None and reward.hold.released_at is not None


def is_refused_in_review(reward: Reward) -> bool:
    """True when a review has ended with a no, which is final."""
    return reward.refused_reason in BY_REVIEW


# --- its moves ------------------------------------------------------------------------------------


def granted(reward: Reward, code_key: str, value_minor: int, now: datetime) -> Reward:
    """The reward with the voucher that was issued for it."""
    return replace(reward, code_key=code_key, value_minor=value_minor, granted_at=now)


def refused(reward: Reward, reason: RewardRefusal) -> Reward:
    """The reward, which is not granted."""
    return replace(reward, refused_reason=reason.value)


def revoked(reward: Reward, now: datetime, *, is_used: bool = False) -> Reward:
    """The reward, which does not stand any more; `is_used`: its voucher could not be revoked."""
    return replace(reward, revoked_at=now, is_used=is_used)


def reinstated(reward: Reward) -> Reward:
    """The reward, which stands again with the voucher it had."""
    return replace(reward, revoked_at=None, is_used=False)
