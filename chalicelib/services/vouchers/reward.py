"""Granting rewards: what the orders of a referral earn stands, and nothing else (law 4).

Each fact about a referral leads to the same question: which rewards are earned by its present
orders, and which stand? `domain/rewards.py` answers with actions; each is one transaction that
includes the referral at the revision the answer was based on, so an order reported meanwhile is
decided again. Work that is repeated, reordered or interrupted finds what is left to do, or nothing.

    fact ─► referral, orders, rewards ─► plan ─► one action ─► (again, until nothing is left)

How an action is carried out is in `reward_actions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.domain.fact_bodies import (
    OrderBody,
    ReferralConfirmed,
    RewardRevoked,
    VoucherRedeemed,
    VoucherRolledBack,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import (
    Referral,
    known_order_ids,
    with_newcomer_check,
)
from chalicelib.domain.rewards import (
    Action,
    Budget,
    Reward,
    RewardRefusal,
    earned_on_confirmation,
    earned_on_orders,
    earned_on_redemption,
    plan_redemption_reward,
    plan_rewards,
)
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.lookups import (
    CampaignVersions,
    campaign_at,
    campaign_of_version,
    current_campaign,
    find_customer_as_of,
    referee_of,
)
from chalicelib.services.ports import (
    ListUnavailableError,
    Membership,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.reward_actions import ReferralRewards, carry_out, free_used

NOTHING_LEFT = "nothing_left"
WAITS = "waits"


def reward(ports: Ports, fact: Fact) -> list[str]:
    """Grant, refuse or revoke what `fact` calls for; returns one named outcome per action.

    `RetryLaterError` when the customer list is unavailable, or a template has no codes left.
    """
    match body_of(fact):
        case ReferralConfirmed(referral_id=referral_id):
            return _settle(ports, referral_id, _on_confirmation, fact.name)
        case OrderBody(referral_id=referral_id, order_id=order_id):
            outcomes = _settle(ports, referral_id, _on_orders, fact.name)
            return outcomes + _settle_redemption_on(ports, fact, order_id)
        case VoucherRedeemed() | VoucherRolledBack() as body:
            return _settle_redemption(ports, fact, body.holder_id, body.voucher_id)
        case RewardRevoked() as body:
            _free_used(ports, body)
            is_sponsors = body.holder_id != body.referral_id
            return _fill_room(ports, body.holder_id, fact.name) if is_sponsors else []
        case _:
            return []


# --- one referral -------------------------------------------------------------------------------


# Returns the state with the referral as it is stored then.
Planner = Callable[[Ports, ReferralRewards], tuple[ReferralRewards, list[Action]]]


def _settle(ports: Ports, referral_id: str, planner: Planner, reason: str) -> list[str]:
    """Take the actions of the plan, one transaction each, until none is left. One that must wait
    does not block the others: `RetryLaterError` comes at the end.
    """
    outcomes: list[str] = []
    waiting: dict[tuple[str, int], RetryLaterError] = {}
    while (outcome := _next_action(ports, referral_id, planner, reason, waiting)) != NOTHING_LEFT:
        if outcome != WAITS:
            outcomes.append(outcome)
    for error in waiting.values():
        raise error
    return outcomes


@retry_on_conflict
def _next_action(
    ports: Ports,
    referral_id: str,
    planner: Planner,
    reason: str,
    waiting: dict[tuple[str, int], RetryLaterError],
) -> str:
    state = _load(ports, referral_id)
    if state is None:
        return NOTHING_LEFT
    state, plan = planner(ports, state)
    actions = [action for action in plan if _key(action) not in waiting]
    if not actions:
        return NOTHING_LEFT
    try:
        return carry_out(ports, state, actions[0], reason)
    except RetryLaterError as error:
        waiting[_key(actions[0])] = error
        return WAITS


def _key(action: Action) -> tuple[str, int]:
    return action.reward.rule, action.reward.rung


def _load(ports: Ports, referral_id: str) -> ReferralRewards | None:
    """None when the referral or its sponsor is erased."""
    referral = ports.repository.get(Referral, referral_id=referral_id)
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id) if referral else None
    if referral is None or sponsor is None:
        return None
    limit = current_campaign(ports, referral.campaign).caps.budget_minor
    budget = ports.repository.get(Budget, campaign=referral.campaign) if limit else None
    return ReferralRewards(
        referral=referral,
        sponsor=sponsor,
        rewards=list(ports.repository.within(Reward, referral_id=referral_id)),
        budget=budget,
        budget_left=None if limit is None else limit - (budget.spent_minor if budget else 0),
    )


# --- plans --------------------------------------------------------------------------------------


def _on_confirmation(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    """Rests on the list answer that the referral was confirmed with (law 3)."""
    campaign = campaign_of_version(ports, state.referral.campaign, state.referral.campaign_version)
    earned = earned_on_confirmation(campaign)
    limits = state.limits(is_newcomer=True)
    return state, plan_rewards(state.referral, earned, state.rewards, limits, for_confirmation=True)


def _on_orders(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    referral = state.referral
    keys = [
        {"campaign": referral.campaign, "order_id": order_id}
        for order_id in known_order_ids(referral)
    ]
    orders = [
        order
        for order in ports.repository.get_many(Order, keys)
        if order.referral_id == referral.referral_id
    ]
    campaigns = CampaignVersions(ports, referral.campaign)
    earned = earned_on_orders(referral, orders, campaigns.of)
    if earned:
        referral = _checked(ports, referral, orders)
    limits = state.limits(is_newcomer=referral.newcomer is not False)
    plan = plan_rewards(referral, earned, state.rewards, limits)
    return replace(state, referral=referral), plan


def _checked(ports: Ports, referral: Referral, orders: Sequence[Order]) -> Referral:
    """Law 3: whether the referee was a newcomer at the first order known. Every list made later
    has the referee, who is a customer by then. Asked again when an earlier order becomes known.
    """
    first = min(order.ordered_at for order in orders)
    if referral.newcomer is not None:
        # 0.2.0 stored neither when that order was made nor which orders are not kept yet.
        is_older = referral.newcomer_as_of is None and referral.orders > len(orders)
        if referral.newcomer_as_of == first or is_older:
            return referral
    campaign = current_campaign(ports, referral.campaign)
    customers = _find_customer(ports, campaign, referral, first)
    checked = with_newcomer_check(
        referral,
        newcomer=customers.found is None,
        list_version=customers.version,
        first_ordered_at=first,
    )
    ports.repository.commit(Replace(checked))
    return replace(checked, revision=referral.revision + 1)


# --- rewards for redemptions --------------------------------------------------------------------


def _settle_redemption_on(ports: Ports, fact: Fact, order_id: str) -> list[str]:
    """An order may show that its voucher was used by somebody who earns nothing."""
    order = ports.repository.get(Order, campaign=fact.campaign, order_id=order_id)
    voucher = (
        ports.repository.get(Voucher, code_key=order.code_key) if order and order.code_key else None
    )
    return _settle_voucher(ports, fact, voucher.code_key) if voucher else []


def _settle_redemption(ports: Ports, fact: Fact, holder_id: str, voucher_id: str) -> list[str]:
    held = ports.repository.held_by(holder_id)  # may lag, so it only gives the key
    key = next((each.code_key for each in held if each.voucher_id == voucher_id), None)
    return _settle_voucher(ports, fact, key) if key else []


def _settle_voucher(ports: Ports, fact: Fact, code_key: str) -> list[str]:
    campaign = campaign_at(ports, fact.campaign, fact.at)
    if all(rule.when is not Trigger.VOUCHER_REDEEMED for rule in campaign.rules):
        return []
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return []

    def planner(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
        return state, _on_redemption(ports, state, campaign, code_key)

    return _settle(ports, voucher.referral_id, planner, fact.name)


def _on_redemption(
    ports: Ports, state: ReferralRewards, campaign: Campaign, code_key: str
) -> list[Action]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return []
    redemption = _redemption_that_counts(ports, campaign, voucher)
    earned = (
        earned_on_redemption(state.referral, campaign, voucher, redemption) if redemption else []
    )
    is_newcomer = not (earned and redemption) or _is_newcomer(
        ports, campaign, state.referral, redemption.ordered_at
    )
    limits = state.limits(is_newcomer=is_newcomer)
    return plan_redemption_reward(state.referral, earned, state.rewards, limits, voucher.voucher_id)


def _redemption_that_counts(
    ports: Ports, campaign: Campaign, voucher: Voucher
) -> Redemption | None:
    """The voucher's present redemption, unless its order is known to count for nobody."""
    order_id = voucher.redeemed_by
    if order_id is None:
        return None
    order = ports.repository.get(Order, campaign=campaign.id, order_id=order_id)
    if order and not order.counts:
        return None
    return ports.repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)


def _is_newcomer(
    ports: Ports, campaign: Campaign, referral: Referral, ordered_at: datetime
) -> bool:
    """By the first order known; before any, by the list as of the order of the redemption."""
    if referral.newcomer is not None:
        return referral.newcomer
    return _find_customer(ports, campaign, referral, ordered_at).found is None


def _find_customer(
    ports: Ports, campaign: Campaign, referral: Referral, at: datetime
) -> Membership:
    try:
        return find_customer_as_of(ports, campaign, referee_of(ports, referral), at)
    except ListUnavailableError as error:
        raise RetryLaterError("customers") from error


# --- room under a cap ---------------------------------------------------------------------------


@retry_on_conflict
def _free_used(ports: Ports, body: RewardRevoked) -> None:
    """A voucher that was used when its order was returned is revoked by a rollback at last."""
    state = _load(ports, body.referral_id)
    for reward in state.rewards if state else ():
        if state and (reward.rule, reward.rung) == (body.rule, body.rung):
            free_used(ports, state, reward)


def _fill_room(ports: Ports, sponsor_id: str, reason: str) -> list[str]:
    """Grant what a cap refused, now that a reward of the sponsor has been revoked: a cap counts
    what stands.
    """
    outcomes: list[str] = []
    for invitation in ports.repository.within(Invitation, sponsor_id=sponsor_id):
        referral_id = invitation.referral_id
        if referral_id and _was_capped(ports, referral_id):
            outcomes += _settle(ports, referral_id, _on_orders, reason)
    return outcomes


def _was_capped(ports: Ports, referral_id: str) -> bool:
    decided = ports.repository.within(Reward, referral_id=referral_id)
    return any(reward.refused_reason == RewardRefusal.SPONSOR_CAP for reward in decided)
