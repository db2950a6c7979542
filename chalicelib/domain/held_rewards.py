"""A held reward: what it is named by, and what becomes of it.

    (about to be granted) ─► held ─► released ─► granted
                              ├────► refused, for good
                              └────► as never decided on, when no order earns it any more

Why one is held is in `review.py`; what a plan makes of one, in `reward_plan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.entity import require
from chalicelib.domain.review import Hold, Score
from chalicelib.domain.rewards import Reward, RewardRefusal, is_held, refused


@dataclass(frozen=True)
class RewardKey:
    """What a reward is named by for people and calls: `{referral}.{rule}.{rung}`."""

    referral_id: str
    rule: str
    rung: int

    def __str__(self) -> str:
        return f"{self.referral_id}.{self.rule}.{self.rung}"

    @classmethod
    def of(cls, reward: Reward) -> RewardKey:
        """The name of a reward."""
        return cls(reward.referral_id, reward.rule, reward.rung)

    @classmethod
    def parse(cls, text: str) -> RewardKey:
        """Raises ValueError."""
        referral_id, rule, rung = text.split(".")
        if not (referral_id and rule and rung.isascii() and rung.isdigit()):
            raise ValueError("not the name of a reward")
        return cls(referral_id, rule, int(rung))


def held(
    reward: Reward, scored: Score, value_minor: int, *, now: datetime, ends_at: datetime
) -> Reward:
    """The reward, which waits for a decision; its value is kept free for it."""
    hold = Hold(held_at=now, ends_at=ends_at, score=scored.total, signals=scored.signals)
    return replace(reward, hold=hold, value_minor=value_minor)


def released(reward: Reward, now: datetime, by: str | None) -> Reward:
    """The held reward, to be granted; `by` is None where nobody decided in time."""
    require(is_held(reward), "releasing a reward that is not held")
    hold = replace(reward.hold, released_at=now, released_by=by) if reward.hold else None
    return replace(reward, hold=hold)


def refused_in_review(reward: Reward, reason: RewardRefusal) -> Reward:
    """The held reward, refused for good."""
    require(is_held(reward), "refusing a reward that is not held")
    return refused(reward, reason)


def fallen_away(reward: Reward) -> Reward:
    """The reward that waited, as if it had never been decided on: no order earns it any more."""
    return replace(reward, hold=None, value_minor=0, in_budget=False)
