"""What facts about held rewards did: held, released, refused, fallen away.

The facts name the signals and the score, not how much of each was seen: that is not known again.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import held_rewards
from chalicelib.domain.campaign.review import Signal
from chalicelib.domain.fact_bodies import RewardHeld, RewardHoldEnded, RewardRefused, RewardReleased
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import Score, ScoredSignal, hold_ends_at
from chalicelib.domain.rewards import (
    Reward,
    RewardRefusal,
    is_refused_in_review,
    is_released,
    waits,
)
from chalicelib.services.ports import Change, Replace
from chalicelib.services.restoring.rewards import decided, require_free, reward_of, spent, written
from chalicelib.services.restoring.work import UnfoundedError, Work
from chalicelib.services.reward_state import given_back


def held_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about a held reward did, as far as it is not there; None for any other fact.

    `UnfoundedError`, and `IllegalMoveError` for a decision on what is not held yet.
    """
    match body:
        case RewardHeld():
            return _held(work, fact, body)
        case RewardReleased():
            stored = _stored(work, body)
            if is_released(stored):
                return []
            return [Replace(held_rewards.released(stored, fact.at, body.by))]
        case RewardRefused(is_by_review=True):
            return _refused(work, body)
        case RewardHoldEnded():
            stored = _stored(work, body)
            if not waits(stored):
                return []
            left = given_back(work.ports, body.sponsor_id, stored)
            return [Replace(held_rewards.fallen_away(stored)), *left]
        case _:
            return None


def _stored(work: Work, body: RewardReleased | RewardRefused | RewardHoldEnded) -> Reward:
    stored = reward_of(work, body)
    if stored is None:
        raise UnfoundedError(body.referral_id)
    return stored


def _held(work: Work, fact: Fact, body: RewardHeld) -> list[Change]:
    stored = reward_of(work, body)
    if stored and waits(stored):
        return []
    require_free(stored)
    repository = work.ports.repository
    referral = repository.get(Referral, referral_id=body.referral_id)
    if referral is None:
        raise UnfoundedError(body.referral_id)
    signals = tuple(
        ScoredSignal(signal=Signal(name), seen=0, points=0) for name in body.signals.split()
    )
    reward = replace(
        decided(work, fact, body, stored, body.holder),
        in_budget=work.campaign.caps.budget_minor is not None,
    )
    held = held_rewards.held(
        reward,
        Score(total=body.score, signals=signals),
        body.value_minor,
        now=fact.at,
        ends_at=hold_ends_at(work.versions.of(body.campaign_version, fact.at), fact.at),
    )
    changes: list[Change] = [written(held), Replace(referral)]
    sponsor = repository.get(Sponsor, sponsor_id=body.sponsor_id)
    if sponsor and body.holder_id == sponsor.sponsor_id:
        changes.append(Replace(replace(sponsor, rewards=sponsor.rewards + 1)))
    if held.in_budget:
        changes.append(spent(work, body.value_minor))
    return changes


def _refused(work: Work, body: RewardRefused) -> list[Change]:
    stored = _stored(work, body)
    if is_refused_in_review(stored):
        return []
    refused = held_rewards.refused_in_review(stored, RewardRefusal(body.reason))
    return [Replace(refused), *given_back(work.ports, body.sponsor_id, stored)]
