"""Behind the queue of rewards: vouchers that the rules grant or revoke."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.invocations import BatchAnswer, Event, each_fact
from chalicelib.services.vouchers.reward import reward as reward_referral


def reward(event: Event, *_: object) -> BatchAnswer:
    """Vouchers that the rules grant or revoke."""

    return each_fact(
        event,
        "rewarded",
        lambda fact: ",".join(reward_referral(bootstrap.ports(), fact)) or "no_rule",
        "reward",
    )
