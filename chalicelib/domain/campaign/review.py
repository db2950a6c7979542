"""The section `review` of a campaign file: what makes a reward wait for somebody's decision.

What each signal means and how it is counted is in `domain/review.py`. A campaign without the
section holds nothing, and nothing is recorded for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.campaign.fields import FileModel


class Signal(StrEnum):
    """What speaks against a reward. The values are stored and published."""

    SAME_DOMAIN = "same_domain"
    """the sponsor or other referees of hers have an address at the same private domain"""
    SEQUENCE = "sequence"
    """addresses that differ in their figures or tags alone"""
    BURST = "burst"
    """many of the sponsor's referees confirmed within minutes"""
    IN_SECONDS = "in_seconds"
    """confirmed sooner after the mail than somebody reads it"""
    ONE_NETWORK = "one_network"
    """the sponsor or other referees of hers answered from the same network within an hour"""
    MINIMUM_ORDERS = "minimum_orders"
    """half of the sponsor's referees or more spent just enough on every order"""
    BOUGHT_AND_RETURNED = "bought_and_returned"
    """orders that were returned, or whose voucher was used before they were"""
    ANOTHER_BUYER = "another_buyer"
    """the referee's vouchers were used by the sponsor or by another referee"""
    OVER_DOMAIN_LIMIT = "over_domain_limit"
    """more of one private domain were invited on that day than the campaign allows"""
    OVER_HOUR_LIMIT = "over_hour_limit"
    """more of the sponsor's referees confirmed within an hour than the campaign allows"""


# A limit holds whatever the score is.
LIMITS = frozenset({Signal.OVER_DOMAIN_LIMIT, Signal.OVER_HOUR_LIMIT})

Points = Annotated[int, Field(ge=0, le=100)]


class Weights(FileModel):
    """How many points each signal adds at most; 0 leaves it out."""

    same_domain: Points = 10
    sequence: Points = 35
    burst: Points = 15
    in_seconds: Points = 30
    one_network: Points = 15
    minimum_orders: Points = 40
    bought_and_returned: Points = 30
    another_buyer: Points = 40

    def of(self, signal: Signal) -> int:
        """The most that `signal` adds; nothing for a limit, which holds by itself."""
        points: int = getattr(self, signal.value, 0)
        return points

    @property
    def total(self) -> int:
        """What all signals add together."""
        return sum(self.of(signal) for signal in Signal)


class Review(FileModel):
    """Rewards with a score over `hold_over`, or beyond a limit, are held until they are released or
    refused. After `decide_within_days` without a decision, `undecided` says what happens.
    """

    weights: Weights = Weights.model_construct()
    hold_over: Annotated[int, Field(ge=0, le=1000)] = 55
    per_private_domain_per_day: Annotated[int, Field(ge=1, le=10_000)] | None = None
    per_sponsor_per_hour: Annotated[int, Field(ge=1, le=10_000)] | None = None
    decide_within_days: Annotated[int, Field(ge=4, le=90)] = 14
    undecided: Literal["release", "refuse"] = "release"
