"""The rules: what the orders of a referral earn, and what has to change so that this is granted.

What is earned follows from the present orders alone: the rung of an order is its place among those
of its kind (placed, kept, returned), by `ordered_at`. An order that is returned leaves the ladder,
and those after it move up. `plan_rewards` compares this with what was granted: per rule, as many
vouchers stand as orders earn one. So the result does not depend on the sequence of reports (law 4).

A reward is keyed by (rule, referral, rung), and at most one voucher stands for a key. A voucher
that was used before its order was returned cannot be revoked: it counts again as soon as another
order earns it, so nothing is granted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.entity import Entity, stored_as
from chalicelib.domain.orders import Order, OrderStatus, is_counted, uses_vouchers
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import Hold
from chalicelib.domain.vouchers import Voucher


class RewardRefusal(StrEnum):
    """Why a rule grants nothing. The values are stored."""

    NOT_A_NEWCOMER = "not_a_newcomer"
    SPONSOR_CAP = "sponsor_cap"
    REFEREE_CAP = "referee_cap"
    BUDGET_SPENT = "budget_spent"
    HOLDER_ERASED = "holder_erased"
    """who would get it asked to be forgotten"""
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


CONFIRMATION_RUNG = 0


@dataclass(frozen=True, kw_only=True)
class Earned:
    """A rule of `campaign` (the version in force when it happened) that holds for a rung."""

    campaign: Campaign
    rule: Rule
    rung: int
    order: Order | None = None
    voucher_id: str | None = None

    @property
    def value_minor(self) -> int:
        """What its voucher is worth, in minor units."""
        return self.campaign.templates[self.rule.issue].value_minor


CampaignOf = Callable[[int | None, datetime], Campaign]
"""The campaign file of a version, or of the time of an event whose version is not stored."""


# --- what is earned -----------------------------------------------------------------------------


# The statuses of the orders that a rule counts.
LADDERS: Mapping[Trigger, frozenset[OrderStatus]] = {
    Trigger.ORDER_PLACED: frozenset({OrderStatus.PLACED, OrderStatus.KEPT}),
    Trigger.ORDER_KEPT: frozenset({OrderStatus.KEPT}),
    Trigger.ORDER_RETURNED: frozenset({OrderStatus.RETURNED}),
}


# What a rule without `order` can reach. Rungs after it earn nothing.
LONGEST_LADDER = 1000


def is_rung(order: Order) -> bool:
    """Whether an order may be a rung of a ladder. An order of nothing earns nothing."""
    return order.counts and order.amount_minor > 0


def earned_on_confirmation(campaign: Campaign) -> list[Earned]:
    """What the confirmation earns, by the version of the campaign it was made under."""
    return [
        Earned(campaign=campaign, rule=rule, rung=CONFIRMATION_RUNG)
        for rule in campaign.rules
        if rule.when is Trigger.REFERRAL_CONFIRMED
    ]


Templates = Mapping[str, Collection[str]]
"""The templates of the vouchers that are used on orders now, by order id."""


def earned_on_orders(
    referral: Referral,
    orders: Iterable[Order],
    campaign_of: CampaignOf,
    used: Templates | None = None,
) -> list[Earned]:
    """What the orders that count for the referral earn, up to the longest ladder. An order of 0.00
    earns nothing.

    Without `used`, an order was made with the voucher that its reports name.
    """
    sequence = sorted(orders, key=lambda order: (order.ordered_at, order.order_id))
    return [
        Earned(campaign=campaign, rule=rule, rung=rung, order=order)
        for trigger in LADDERS
        for rung, order in enumerate(_ladder(sequence, trigger), 1)
        for campaign in [campaign_of(_version(order, trigger), order.kept_at or order.ordered_at)]
        for rule in campaign.rules
        if rule.when is trigger and _holds(campaign, rule, referral, order, rung)
        if rule.conditions.template in {None, *_made_with(order, used)}
    ]


def _ladder(sequence: Iterable[Order], trigger: Trigger) -> Iterator[Order]:
    rungs = (order for order in sequence if is_rung(order) and order.status in LADDERS[trigger])
    return islice(rungs, LONGEST_LADDER)


def _version(order: Order, trigger: Trigger) -> int | None:
    return order.first_version if trigger is Trigger.ORDER_PLACED else order.status_version


def _holds(campaign: Campaign, rule: Rule, referral: Referral, order: Order, rung: int) -> bool:
    conditions = rule.conditions
    return (
        conditions.order in {None, rung}
        and conditions.allow_amount(order.amount_minor)
        and conditions.allow_days(campaign.days_between(referral.confirmed_at, order.ordered_at))
    )


def _made_with(order: Order, used: Templates | None) -> Collection[str]:
    """The templates of its vouchers, which a returned order may have given back."""
    if used is not None and uses_vouchers(order.status):
        return used.get(order.order_id, ())
    return [order.template] if order.template else ()


# --- what has to change -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What limits the rewards of a referral now. `budget_left` in minor units, None without one;
    `erased`: who of the two asked to be forgotten, and is issued nothing any more.
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
    used = [reward for reward in own.values() if reward.revoked_at and reward.is_used]
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


def earned_on_redemption(
    referral: Referral, campaign: Campaign, voucher: Voucher, redemption: Redemption
) -> list[Earned]:
    """What the use of a voucher earns, by the version of the campaign in force when it was used."""
    days = campaign.days_between(referral.confirmed_at, redemption.ordered_at)
    return [
        Earned(campaign=campaign, rule=rule, rung=1, voucher_id=voucher.voucher_id)
        for rule in campaign.rules
        if rule.when is Trigger.VOUCHER_REDEEMED
        and redemption.amount_minor
        and is_counted(campaign, redemption.buyer)
        # Always named: without it, the rule would grant its own template again.
        and rule.conditions.template == voucher.template
        and rule.conditions.allow_amount(redemption.amount_minor)
        and rule.conditions.allow_days(days)
    ]


# --- decisions ----------------------------------------------------------------------------------


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
