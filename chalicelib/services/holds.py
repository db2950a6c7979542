"""Holds a reward whose score is over the campaign's limit; ends the hold when nothing earns it.

    about to be granted ─► judged ─┬─► granted
                                   └─► held ─┬─► released ─► granted by the same work as any other
                                             ├─► refused, for good
                                             └─► falls away, when no order earns it any more

A held reward has no voucher, so nothing is exported and no mail leaves. It counts for the
sponsor's cap and in the budget, so that it can be granted when it is released. People decide in
`review_rewards.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain import held_rewards
from chalicelib.domain.earned import Earned
from chalicelib.domain.fact_bodies import RewardHeld, RewardHoldEnded
from chalicelib.domain.review import Score, hold_ends_at
from chalicelib.domain.rewards import Reward, is_released
from chalicelib.services.facts import referral_fact
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.reward_state import ReferralRewards, given_back, reserved

HELD = "held"
FELL_AWAY = "fell_away"


def hold(
    ports: Ports,
    state: ReferralRewards,
    earned: Earned,
    decision: Reward,
    scored: Score,
    recorded: Sequence[Change],
) -> str:
    """Hold what was about to be granted; the referral is at the revision it was planned on. What is
    `recorded` is stored with it.
    """
    now = ports.clock()
    ends_at = hold_ends_at(earned.campaign, now)
    held = held_rewards.held(decision, scored, earned.value_minor, now=now, ends_at=ends_at)
    body = RewardHeld.of(held, state.referral, scored, earned.campaign.version)
    ports.repository.commit(
        Replace(held) if held.revision else Insert(held),
        Replace(state.referral),
        *reserved(state, held.to, held.value_minor),
        *recorded,
        facts=[referral_fact(ports, state.referral, body)],
    )
    return HELD


def fall_away(ports: Ports, state: ReferralRewards, held: Reward, reason: str) -> str:
    """End the hold of a reward that no order earns any more; earned later, it is judged again."""
    body = RewardHoldEnded.of(held, state.referral, reason, was_released=is_released(held))
    ports.repository.commit(
        Replace(held_rewards.fallen_away(held)),
        Replace(state.referral),
        *given_back(ports, state.sponsor.sponsor_id, held),
        facts=[referral_fact(ports, state.referral, body)],
    )
    return FELL_AWAY
