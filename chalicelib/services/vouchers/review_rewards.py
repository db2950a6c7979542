"""Held rewards: which there are, and the decision of marketing, ops, or time.

A release and a refusal are recorded here, with who decided (`by`, an AWS principal or the id of an
account, never a name or an address). The voucher of a released reward is issued like any other, by
the work that the fact of the release is queued for. Of two decisions at the same moment one wins; a
repeated one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.fact_bodies import RewardRefused, RewardReleased
from chalicelib.domain.facts import FactBody
from chalicelib.domain.held_rewards import RewardKey, refused_in_review, released
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import Hold
from chalicelib.domain.rewards import (
    Reward,
    RewardRefusal,
    is_held,
    is_refused_in_review,
    is_released,
)
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.facts import referral_fact
from chalicelib.services.isolation import raised
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import (
    Agenda,
    Change,
    CommandPorts,
    Key,
    OnFailure,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.reward_state import given_back

MOST_SHOWN = 1_000
RELEASED, REFUSED = "released", "refused"


@dataclass(frozen=True)
class HeldReward:
    """A reward that waits for a decision, and why."""

    reward: Reward
    hold: Hold


def held_rewards(
    ports: CommandPorts, campaign: str, on_failure: OnFailure = raised
) -> list[HeldReward]:
    """What is held in a campaign, what ends first before the others; at most `MOST_SHOWN`. One that
    cannot be read goes to `on_failure`.
    """
    on_agenda = ports.repository.agenda(
        Reward, Agenda.HELD_REWARDS, campaign, on_failure=on_failure
    )
    held = [HeldReward(one, one.hold) for one in on_agenda if one.hold]
    return sorted(held, key=lambda one: (one.hold.ends_at, str(RewardKey.of(one.reward))))[
        :MOST_SHOWN
    ]


def value_of(held: Iterable[HeldReward]) -> int:
    """What they are worth together, in minor units."""
    return sum(one.reward.value_minor for one in held)


@retry_on_conflict
def release_reward(ports: CommandPorts, campaign: str, key: RewardKey, *, by: str) -> Reward:
    """Let a held reward be granted. `UnknownError` when there is none that was held;
    `RefusedError` when it has been refused, or fell away.
    """
    reward = _reward(ports, campaign, key)
    if is_released(reward):
        return reward
    _require_held(reward)
    return _release(ports, reward, by)


@retry_on_conflict
def refuse_reward(ports: CommandPorts, campaign: str, key: RewardKey, *, by: str) -> Reward:
    """Refuse a held reward, for good; its value is free for others. Errors as for a release."""
    reward = _reward(ports, campaign, key)
    if is_refused_in_review(reward):
        return reward
    _require_held(reward)
    return _refuse(ports, reward, RewardRefusal.REFUSED_IN_REVIEW, by)


@retry_on_conflict
def end_hold_due(ports: Ports, key: Key[Reward]) -> bool:
    """What the campaign says of a reward that nobody decided on in time; False when there is
    nothing to do.
    """
    reward = ports.repository.read(key).get(key)
    if reward is None or reward.hold is None or not is_held(reward):
        return False
    if reward.hold.ends_at > ports.clock():
        return False
    review = current_campaign(ports, reward.campaign).review
    if review and review.undecided == "refuse":
        _refuse(ports, reward, RewardRefusal.NOT_DECIDED, None)
    else:
        _release(ports, reward, None)
    return True


def _reward(ports: CommandPorts, campaign: str, key: RewardKey) -> Reward:
    reward = ports.repository.get(Reward, referral_id=key.referral_id, rule=key.rule, rung=key.rung)
    if reward is None or reward.campaign != campaign or reward.hold is None:
        raise UnknownError("held reward")
    return reward


def _require_held(reward: Reward) -> None:
    if not is_held(reward):
        raise RefusedError(REFUSED if is_refused_in_review(reward) else RELEASED)


def _release(ports: CommandPorts, held: Reward, by: str | None) -> Reward:
    referral = _referral(ports, held)
    granted_next = released(held, ports.clock(), by)
    _commit(ports, granted_next, referral, RewardReleased.of(held, referral, by=by))
    return granted_next


def _refuse(ports: CommandPorts, held: Reward, reason: RewardRefusal, by: str | None) -> Reward:
    referral = _referral(ports, held)
    refused = refused_in_review(held, reason)
    left = given_back(ports, referral.sponsor_id, held)
    body = RewardRefused.in_review(held, referral, reason, by=by)
    _commit(ports, refused, referral, body, *left)
    return refused


def _referral(ports: CommandPorts, held: Reward) -> Referral:
    referral = ports.repository.get(Referral, referral_id=held.referral_id)
    if referral is None:
        raise UnknownError("referral")
    return referral


def _commit(
    ports: CommandPorts, decided: Reward, referral: Referral, body: FactBody, *others: Change
) -> None:
    ports.repository.commit(Replace(decided), *others, facts=[referral_fact(ports, referral, body)])
