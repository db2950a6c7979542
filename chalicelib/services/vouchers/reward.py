"""Granting rewards: what the orders of a referral earn stands, and nothing else (law 4).

Each fact about a referral leads to the same question: which rewards are earned by its present
orders, and which stand? `domain/rewards.py` answers with actions; each is one transaction that
includes the referral at the revision the answer was based on, so an order reported meanwhile is
decided again. Work that is repeated, reordered or interrupted finds what is left to do, or nothing.

    fact ─► referral, orders, rewards ─► plan ─► one action ─► (again, until nothing is left)

How an action is carried out is in `reward_actions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

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
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referrals import (
    Referral,
    known_order_ids,
    with_newcomer_check,
)
from chalicelib.domain.rewards import (
    Action,
    Budget,
    Earned,
    Reward,
    RewardRefusal,
    earned_on_confirmation,
    earned_on_orders,
    earned_on_redemption,
    plan_redemption_reward,
    plan_rewards,
)
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.lookups import (
    CampaignVersions,
    campaign_at,
    campaign_of_version,
    current_campaign,
    find_customer_as_of,
    find_voucher_on_order,
    referee_of,
)
from chalicelib.services.moves import ROLLED_BACK, rollback_changes
from chalicelib.services.ports import (
    ListUnavailableError,
    Membership,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.reward_actions import ReferralRewards, carry_out, free_room

NOTHING_LEFT = "nothing_left"
WAITS = "waits"


def reward(ports: Ports, fact: Fact) -> list[str]:
    """Grant, refuse or revoke what `fact` calls for; returns one named outcome per action.

    `RetryLaterError` when the customer list is unavailable, or a template has no codes left.
    """
    match body_of(fact):
        case ReferralConfirmed(referral_id=referral_id):
            return _settle(ports, referral_id, _on_confirmation)
        case OrderBody(referral_id=referral_id, order_id=order_id):
            used = _used_on(ports, fact.campaign, order_id)
            return _each(
                lambda: _settle(ports, referral_id, _on_orders),
                lambda: _settle_redemptions(ports, fact, referral_id, used),
            )
        case VoucherRedeemed() | VoucherRolledBack() as use:
            key = _key_of(ports, use)
            return _each(
                lambda: _give_back_if_cancelled(ports, key),
                # A rule may ask for an order that was made with such a voucher.
                lambda: _settle(ports, use.referral_id, _on_orders),
                lambda: _settle_redemptions(ports, fact, use.referral_id, [key]),
            )
        case RewardRevoked() as body:
            outcomes = _free_room(ports, body) if body.reason == ROLLED_BACK else []
            return outcomes + _fill_room(ports, body, fact)
        case _:
            return []


def _each(*works: Callable[[], list[str]]) -> list[str]:
    """The outcomes of all: one that must wait does not block those after it."""
    outcomes: list[str] = []
    waits: RetryLaterError | None = None
    for work in works:
        try:
            outcomes += work()
        except RetryLaterError as error:
            waits = waits or error
    if waits:
        raise waits
    return outcomes


# --- one referral -------------------------------------------------------------------------------


# Returns the state with the referral as it is stored then.
Planner = Callable[[Ports, ReferralRewards], tuple[ReferralRewards, list[Action]]]


def _settle(ports: Ports, referral_id: str, planner: Planner) -> list[str]:
    """Take the actions of the plan, one transaction each, until none is left: after each it is
    made again, so room that was freed at the same moment is seen. One that must wait does not block
    the others: `RetryLaterError` comes at the end.
    """
    outcomes: list[str] = []
    waiting: dict[tuple[str, int], RetryLaterError] = {}
    while (outcome := _next_action(ports, referral_id, planner, waiting)) != NOTHING_LEFT:
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
        return carry_out(ports, state, actions[0])
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
    if sponsor.counts_revoked:
        sponsor = _recounted(ports, sponsor)
    limit = current_campaign(ports, referral.campaign).caps.budget_minor
    rewards = list(ports.repository.within(Reward, referral_id=referral_id))
    has_budget = limit is not None or any(reward.in_budget for reward in rewards)
    budget = ports.repository.get(Budget, campaign=referral.campaign) if has_budget else None
    return ReferralRewards(
        referral=referral,
        sponsor=sponsor,
        rewards=rewards,
        budget=budget,
        budget_left=None if limit is None else limit - (budget.spent_minor if budget else 0),
    )


def _recounted(ports: Ports, sponsor: Sponsor) -> Sponsor:
    """The sponsor of an earlier version, with the rewards that stand; stored with the next one."""
    held = ports.repository.held_by(sponsor.sponsor_id)
    count = sum(voucher.state is not VoucherState.REVOKED for voucher in held)
    return replace(sponsor, rewards=count, counts_revoked=False)


# --- plans --------------------------------------------------------------------------------------


def _on_confirmation(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    """Rests on the list answer that the referral was confirmed with (law 3)."""
    campaign = campaign_of_version(ports, state.referral.campaign, state.referral.campaign_version)
    earned = earned_on_confirmation(campaign)
    limits = state.limits(is_newcomer=True)
    return state, plan_rewards(state.referral, earned, state.rewards, limits, for_confirmation=True)


def _on_orders(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    referral = state.referral
    orders = _orders_of(ports, referral)
    campaigns = CampaignVersions(ports, referral.campaign)
    used = _templates_on(ports, referral.campaign, orders)
    earned = earned_on_orders(referral, orders, campaigns.of, used)
    if earned:
        referral = _checked(ports, referral, orders)
    limits = state.limits(is_newcomer=referral.newcomer is not False)
    plan = plan_rewards(referral, earned, state.rewards, limits)
    return replace(state, referral=referral), plan


def _orders_of(ports: Ports, referral: Referral) -> list[Order]:
    """The orders that count for the referral, in any status."""
    keys = [
        {"campaign": referral.campaign, "order_id": order_id}
        for order_id in known_order_ids(referral)
    ]
    return [
        order
        for order in ports.repository.get_many(Order, keys)
        if order.referral_id == referral.referral_id
    ]


def _templates_on(ports: Ports, campaign: str, orders: Sequence[Order]) -> dict[str, list[str]]:
    """The templates of the vouchers that are used on the orders now, by a report or by a call."""
    keys = [{"order_id": order.order_id} for order in orders]
    return {
        uses.order_id: [use.template for use in uses.uses if use.campaign == campaign]
        for uses in ports.repository.get_many(OrderUses, keys)
    }


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


def _used_on(ports: Ports, campaign: str, order_id: str) -> list[str | None]:
    """The keys of the vouchers on an order: it may show that they were used by somebody who earns
    nothing.
    """
    order = ports.repository.get(Order, campaign=campaign, order_id=order_id)
    uses = ports.repository.get(OrderUses, order_id=order_id)
    by_calls = [use.code_key for use in uses.uses if use.campaign == campaign] if uses else []
    return [order.code_key if order else None, *by_calls]


def _key_of(ports: Ports, use: VoucherRedeemed | VoucherRolledBack) -> str:
    """The key of the voucher of a use. `RetryLaterError` while the index, which may lag, does not
    have the voucher yet.
    """
    held = ports.repository.held_by(use.holder_id)
    key = next((each.code_key for each in held if each.voucher_id == use.voucher_id), None)
    if key is None:
        raise RetryLaterError("the voucher is not in the index yet")
    return key


@retry_on_conflict
def _give_back_if_cancelled(ports: Ports, code_key: str) -> list[str]:
    """Roll a redemption back that comes after the report that its order was cancelled."""
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.redeemed_by is None:
        return []
    order = ports.repository.get(Order, campaign=voucher.campaign, order_id=voucher.redeemed_by)
    if order is None:
        return []
    campaign = CampaignVersions(ports, order.campaign).of(order.status_version, order.ordered_at)
    if order.status not in campaign.give_back_voucher:
        return []
    found = find_voucher_on_order(ports, voucher.code_key, order.order_id)
    if found.redemption is None or not found.is_used:
        return []
    changes, facts = rollback_changes(ports, found.voucher, found.redemption, found.uses)
    ports.repository.commit(*changes, facts=facts)
    return [ROLLED_BACK]


def _settle_redemptions(
    ports: Ports, fact: Fact, referral_id: str, used: Sequence[str | None]
) -> list[str]:
    """Settle what the redemptions of the vouchers `used` earn, and those that were decided before:
    an order may have shown since who is a newcomer.
    """
    decided = [
        reward
        for reward in ports.repository.within(Reward, referral_id=referral_id)
        if reward.voucher_id
    ]
    campaign = campaign_at(ports, fact.campaign, fact.at)
    if not decided and all(rule.when is not Trigger.VOUCHER_REDEEMED for rule in campaign.rules):
        return []
    keys = dict.fromkeys([*used, *_keys_of(ports, referral_id, decided)])
    return _each(*(partial(_settle_voucher, ports, key) for key in keys if key))


def _keys_of(ports: Ports, referral_id: str, decided: Sequence[Reward]) -> list[str]:
    """The keys of the vouchers whose redemptions were decided on."""
    referral = ports.repository.get(Referral, referral_id=referral_id) if decided else None
    if referral is None:
        return []
    ids = {reward.voucher_id for reward in decided}
    held = [
        voucher
        for holder_id in (referral_id, referral.sponsor_id)
        for voucher in ports.repository.held_by(holder_id)
    ]
    return [voucher.code_key for voucher in held if voucher.voucher_id in ids]


def _settle_voucher(ports: Ports, code_key: str) -> list[str]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return []

    def planner(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
        return _on_redemption(ports, state, code_key)

    return _settle(ports, voucher.referral_id, planner)


def _on_redemption(
    ports: Ports, state: ReferralRewards, code_key: str
) -> tuple[ReferralRewards, list[Action]]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return state, []
    referral, earned = state.referral, list[Earned]()
    if redemption := _redemption_that_counts(ports, voucher):
        campaign = campaign_at(ports, voucher.campaign, redemption.redeemed_at)
        earned = earned_on_redemption(referral, campaign, voucher, redemption)
    is_newcomer = True
    if redemption and earned:
        referral, is_newcomer = _newcomer(ports, referral, redemption)
    limits = state.limits(is_newcomer=is_newcomer)
    plan = plan_redemption_reward(referral, earned, state.rewards, limits, voucher.voucher_id)
    return replace(state, referral=referral), plan


def _redemption_that_counts(ports: Ports, voucher: Voucher) -> Redemption | None:
    """The voucher's present redemption, unless its order is known to count for nobody."""
    order_id = voucher.redeemed_by
    if order_id is None:
        return None
    order = ports.repository.get(Order, campaign=voucher.campaign, order_id=order_id)
    if order and not order.counts:
        return None
    return ports.repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)


def _newcomer(ports: Ports, referral: Referral, redemption: Redemption) -> tuple[Referral, bool]:
    """By the first order known; before any, by the list as of the order of the redemption."""
    if orders := _orders_of(ports, referral):
        checked = _checked(ports, referral, orders)
        return checked, checked.newcomer is not False
    campaign = current_campaign(ports, referral.campaign)
    customers = _find_customer(ports, campaign, referral, redemption.ordered_at)
    return referral, customers.found is None


def _find_customer(
    ports: Ports, campaign: Campaign, referral: Referral, at: datetime
) -> Membership:
    try:
        return find_customer_as_of(ports, campaign, referee_of(ports, referral), at)
    except ListUnavailableError as error:
        raise RetryLaterError("customers") from error


# --- room under a cap ---------------------------------------------------------------------------


@retry_on_conflict
def _free_room(ports: Ports, body: RewardRevoked) -> list[str]:
    """Stop counting a reward whose voucher a rollback has revoked."""
    state = _load(ports, body.referral_id)
    rewards = state.rewards if state else []
    granted = next((one for one in rewards if (one.rule, one.rung) == (body.rule, body.rung)), None)
    if state is None or granted is None or not granted.is_used:
        return []
    voucher = ports.repository.get(Voucher, code_key=str(granted.code_key))
    if voucher is None or voucher.state is not VoucherState.REVOKED:
        return []
    return [free_room(ports, state, granted, voucher)]


def _fill_room(ports: Ports, body: RewardRevoked, fact: Fact) -> list[str]:
    """Grant what a cap refused, now that a reward of the same person has been revoked: a cap counts
    what stands.
    """
    return _each(
        *(
            work
            for referral_id in _capped_with(ports, body)
            for work in (
                partial(_settle, ports, referral_id, _on_confirmation),
                partial(_settle, ports, referral_id, _on_orders),
                partial(_settle_redemptions, ports, fact, referral_id, []),
            )
        )
    )


def _capped_with(ports: Ports, body: RewardRevoked) -> Iterator[str]:
    """The referrals with a reward that a cap refused to this holder."""
    if body.holder_id == body.referral_id:
        if _was_refused(ports, body.referral_id, RewardRefusal.REFEREE_CAP):
            yield body.referral_id
        return
    for invitation in ports.repository.within(Invitation, sponsor_id=body.holder_id):
        referral_id = invitation.referral_id
        if referral_id and _was_refused(ports, referral_id, RewardRefusal.SPONSOR_CAP):
            yield referral_id


def _was_refused(ports: Ports, referral_id: str, reason: RewardRefusal) -> bool:
    decided = ports.repository.within(Reward, referral_id=referral_id)
    return any(reward.refused_reason == reason for reward in decided)
