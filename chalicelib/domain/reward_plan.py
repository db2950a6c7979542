"""What has to change so that what is earned is granted: the actions that one referral needs now.

A plan compares what is earned (`earned.py`) with what was granted (`rewards.py`): per rule, as many
vouchers stand as orders earn one. So the result does not depend on the sequence of reports (law 4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.earned import Earned
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import (
    CONFIRMATION_RUNG,
    Reward,
    RewardRefusal,
    counts_in_limits,
    is_active,
    is_refused_in_review,
    is_released,
    waits,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What limits the rewards of a referral now. `budget_left` in minor units, None without one;
    `erased`: which of the two has asked to be forgotten, and is issued nothing any more.
    """

    is_newcomer: bool
    sponsor_rewards: int
    budget_left: int | None = None
    erased: frozenset[HolderRole] = frozenset()


@dataclass(frozen=True)
class Grant:
    """Issue a voucher; `reward` is the decision to store."""

    earned: Earned
    reward: Reward


@dataclass(frozen=True)
class Refuse:
    """Grant nothing, for `reason`; `reward` is the decision to store."""

    earned: Earned
    reward: Reward
    reason: RewardRefusal


@dataclass(frozen=True)
class Revoke:
    """Revoke what no order earns any more."""

    reward: Reward


@dataclass(frozen=True)
class Reinstate:
    """Let a reward stand again whose voucher could not be revoked: another order earns it."""

    reward: Reward


Action = Grant | Refuse | Revoke | Reinstate


def plan_rewards(
    referral: Referral,
    earned: Sequence[Earned],
    rewards: Sequence[Reward],
    limits: Limits,
    *,
    for_confirmation: bool = False,
) -> list[Action]:
    """The actions after which, per rule, as many rewards stand as are earned; none if they do.

    `rewards` are all of the referral: those of its confirmation, its orders and its redemptions
    are planned apart, and limited together.
    """
    actions: list[Action] = []
    settled = [
        reward
        for reward in rewards
        if reward.voucher_id is None and (not reward.rung) is for_confirmation
    ]
    named = {each.rule.id for each in earned} | {reward.rule for reward in settled}
    room = _Room(limits, rewards)
    for rule in sorted(named):
        own = {reward.rung: reward for reward in settled if reward.rule == rule}
        due = _due(rule, earned, rewards)
        allowed = due if limits.is_newcomer else []
        actions += _revocations(allowed, own)
        actions += _grants(referral, due, allowed, own, room)
    # Revoked first: what no longer stands leaves room for what is granted.
    return sorted(actions, key=lambda action: not isinstance(action, Revoke))


def _due(rule: str, earned: Sequence[Earned], rewards: Sequence[Reward]) -> list[Earned]:
    """What `rule` is to grant: a key once, even if the rule had another trigger in some version."""
    due: dict[int, Earned] = {}
    decided = {reward.rung for reward in rewards if reward.rule == rule and reward.voucher_id}
    for each in earned:
        if each.rule.id == rule and each.rung not in decided:
            due.setdefault(each.rung, each)
    return list(due.values())


def _revocations(allowed: Sequence[Earned], own: Mapping[int, Reward]) -> Iterator[Revoke]:
    # A confirmation is never undone.
    rungs = {each.rung for each in allowed}
    orders = {each.order.order_id for each in allowed if each.order}
    waiting = [reward for reward in own.values() if reward.rung and waits(reward)]
    # Judged for another order than the one that earns the rung by now: judged again, or nothing.
    judged = {each.rung: each.order.order_id for each in allowed if each.order}
    fallen = [reward for reward in waiting if judged.get(reward.rung) != reward.order_id]
    yield from map(Revoke, fallen)
    active = [reward for reward in own.values() if reward.rung and is_active(reward)]
    active += [reward for reward in waiting if reward not in fallen]
    # First those whose order earns nothing any more, then the highest rungs.
    active.sort(key=lambda reward: (reward.rung in rungs, reward.order_id in orders, -reward.rung))
    for reward in active[: max(0, len(active) - len(rungs - {CONFIRMATION_RUNG}))]:
        yield Revoke(reward)


def _grants(
    referral: Referral,
    due: Sequence[Earned],
    allowed: Sequence[Earned],
    own: Mapping[int, Reward],
    room: _Room,
) -> Iterator[Action]:
    # What a review has refused for a rung is settled: nothing else is granted for it.
    rungs = {each.rung for each in allowed}
    refused_for_good = sum(is_refused_in_review(one) for one in own.values() if one.rung in rungs)
    missing = len(allowed) - refused_for_good
    missing -= sum(is_active(one) or waits(one) for one in own.values())
    used = [reward for reward in own.values() if reward.is_used]
    for reward in used[: max(0, missing)]:
        missing -= 1
        yield Reinstate(reward)
    for each in due:
        existing = own.get(each.rung)
        if existing and is_settled(existing, used):
            if is_released(existing) and waits(existing):
                yield room.of_released(each, existing)
            continue
        decision = _decision(referral, each, existing)
        reason = RewardRefusal.NOT_A_NEWCOMER
        if each in allowed:
            if missing <= 0:
                continue
            missing -= 1
            if not (refusal := room.refusal(each)):
                yield Grant(each, decision)
                continue
            reason = refusal
        if existing is None or existing.refused_reason != reason:
            yield Refuse(each, decision, reason)


def is_settled(existing: Reward, used: Collection[Reward] = ()) -> bool:
    """Whether nothing new is decided about a reward: its voucher stands or is used, or a review has
    it, or has refused it.
    """
    return (
        is_active(existing) or existing in used or waits(existing) or is_refused_in_review(existing)
    )


def plan_redemption_reward(
    referral: Referral,
    earned: Sequence[Earned],
    rewards: Sequence[Reward],
    limits: Limits,
    voucher_id: str,
) -> list[Action]:
    """The actions after which one reward a rule stands for the redemption of a voucher, if it is
    earned (`earned` is empty once it is rolled back).
    """
    own = {reward.rule: reward for reward in rewards if reward.voucher_id == voucher_id}
    due = {each.rule.id: each for each in earned}
    allowed = due if limits.is_newcomer else {}
    room = _Room(limits, rewards)
    actions: list[Action] = [
        Revoke(reward)
        for rule, reward in own.items()
        if rule not in allowed and (is_active(reward) or waits(reward))
    ]
    for rule, each in due.items():
        existing = own.get(rule)
        if existing and is_settled(existing):
            if rule in allowed and is_released(existing) and waits(existing):
                actions.append(room.of_released(replace(each, rung=existing.rung), existing))
            continue
        if existing and existing.is_used:
            actions += [Reinstate(existing)] if rule in allowed else []
            continue
        # The rungs of a rule for redemptions are the numbers of its rewards.
        last = max((reward.rung for reward in rewards if reward.rule == rule), default=0)
        rung = existing.rung if existing else last + 1
        numbered = replace(each, rung=rung)
        decision = _decision(referral, numbered, existing)
        reason = room.refusal(each) if limits.is_newcomer else RewardRefusal.NOT_A_NEWCOMER
        if reason is None:
            actions.append(Grant(numbered, decision))
        elif existing is None or existing.refused_reason != reason:
            actions.append(Refuse(numbered, decision, reason))
    return actions


class _Room:
    """What the limits still leave, while a plan is made."""

    def __init__(self, limits: Limits, rewards: Iterable[Reward]) -> None:
        self._sponsor = limits.sponsor_rewards
        self._referee = sum(
            reward.to is HolderRole.REFEREE and counts_in_limits(reward) for reward in rewards
        )
        self._budget = limits.budget_left
        self._erased = limits.erased

    def of_released(self, earned: Earned, released: Reward) -> Action:
        """A released reward is granted, in the place that was kept free for it; it falls away where
        its holder has asked to be forgotten meanwhile.
        """
        return Revoke(released) if earned.rule.to in self._erased else Grant(earned, released)

    def refusal(self, earned: Earned) -> RewardRefusal | None:
        """Why one more reward is not granted; None when it is, and it is counted."""
        if earned.rule.to in self._erased:
            return RewardRefusal.HOLDER_ERASED
        caps = earned.campaign.caps
        to_sponsor = earned.rule.to is HolderRole.SPONSOR
        if to_sponsor and self._sponsor >= caps.sponsor_rewards:
            return RewardRefusal.SPONSOR_CAP
        most = caps.referee_rewards
        if not to_sponsor and most is not None and self._referee >= most:
            return RewardRefusal.REFEREE_CAP
        if self._budget is not None and self._budget < earned.value_minor:
            return RewardRefusal.BUDGET_SPENT
        self._sponsor += to_sponsor
        self._referee += not to_sponsor
        if self._budget is not None:
            self._budget -= earned.value_minor
        return None


def _decision(referral: Referral, earned: Earned, existing: Reward | None) -> Reward:
    """The reward before it is granted or refused; at the revision of an earlier decision."""
    on_confirmation = earned.rung == CONFIRMATION_RUNG
    return Reward(
        revision=existing.revision if existing else 0,
        referral_id=referral.referral_id,
        rule=earned.rule.id,
        rung=earned.rung,
        campaign=referral.campaign,
        order_id=earned.order.order_id if earned.order else None,
        customers_version=(
            referral.customers_version if on_confirmation else referral.newcomer_list_version
        ),
        to=earned.rule.to,
        voucher_id=earned.voucher_id,
    )
