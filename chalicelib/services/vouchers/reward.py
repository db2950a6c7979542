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
from chalicelib.services.moves import ROLLED_BACK
from chalicelib.services.ports import (
    ListUnavailableError,
    Membership,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.reward_actions import ReferralRewards, carry_out, release_used

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
            outcomes = _settle_orders(ports, referral_id, fact.name)
            return outcomes + _settle_redemption_on(ports, fact, order_id)
        case VoucherRedeemed() | VoucherRolledBack() as body:
            return _settle_use(ports, fact, body)
        case RewardRevoked() as body:
            _forget_used(ports, body)
            if body.holder_id == body.referral_id:
                return _settle_capped(ports, body.referral_id, fact.name)
            return _fill_room(ports, body.holder_id, fact.name)
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


def _settle_orders(ports: Ports, referral_id: str, reason: str) -> list[str]:
    """Settle what the orders earn, and then what redemptions earned: an earlier order may have
    changed whether the referee was a newcomer.
    """
    redeemed: set[str] = set()
    holders: set[str] = set()

    def planner(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
        redeemed.update(reward.voucher_id for reward in state.rewards if reward.voucher_id)
        holders.update((state.referral.referral_id, state.referral.sponsor_id))
        return _on_orders(ports, state)

    outcomes = _settle(ports, referral_id, planner, reason)
    if redeemed:
        # May lag, so it only gives the keys: of vouchers that were used already.
        held = [voucher for holder in holders for voucher in ports.repository.held_by(holder)]
        for voucher in held:
            if voucher.voucher_id in redeemed:
                outcomes += _settle_voucher(ports, voucher.code_key, reason)
    return outcomes


def _on_orders(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    referral = state.referral
    orders = _orders_of(ports, referral)
    campaigns = CampaignVersions(ports, referral.campaign)
    earned = earned_on_orders(referral, orders, campaigns.of, _UsedTemplates(ports, orders))
    if earned:
        referral = _checked(ports, referral, orders)
    limits = state.limits(is_newcomer=referral.newcomer is not False)
    plan = plan_rewards(referral, earned, state.rewards, limits)
    return replace(state, referral=referral), plan


def _orders_of(ports: Ports, referral: Referral) -> list[Order]:
    """The orders that count for the referral."""
    keys = [
        {"campaign": referral.campaign, "order_id": order_id}
        for order_id in known_order_ids(referral)
    ]
    orders = ports.repository.get_many(Order, keys)
    return [order for order in orders if order.referral_id == referral.referral_id]


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
    return _settle_voucher(ports, order.code_key, fact.name) if order and order.code_key else []


def _settle_use(ports: Ports, fact: Fact, body: VoucherRedeemed | VoucherRolledBack) -> list[str]:
    """What a use of a voucher earns, and what its order earns because of the voucher's template."""
    held = ports.repository.held_by(body.holder_id)  # may lag, so it only gives the key
    key = next((each.code_key for each in held if each.voucher_id == body.voucher_id), None)
    outcomes = _settle_voucher(ports, key, fact.name) if key else []
    order_id = body.order_id
    order = (
        ports.repository.get(Order, campaign=fact.campaign, order_id=order_id) if order_id else None
    )
    if order is None or not order.counts:
        return outcomes
    return outcomes + _settle_orders(ports, order.referral_id, fact.name)


def _settle_voucher(ports: Ports, code_key: str, reason: str) -> list[str]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or _has_no_rule(current_campaign(ports, voucher.campaign)):
        return []

    def planner(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
        return _on_redemption(ports, state, code_key)

    return _settle(ports, voucher.referral_id, planner, reason)


def _has_no_rule(campaign: Campaign) -> bool:
    """Whether no version of the campaign file has a rule for redemptions, as far as this one says:
    an earlier one may have.
    """
    without = all(rule.when is not Trigger.VOUCHER_REDEEMED for rule in campaign.rules)
    return without and campaign.version <= 1


def _on_redemption(
    ports: Ports, state: ReferralRewards, code_key: str
) -> tuple[ReferralRewards, list[Action]]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return state, []
    redemption = _redemption_that_counts(ports, voucher)
    earned: list[Earned] = []
    if redemption:
        # Whatever is reported later of its order: the rules of the time at which it was used.
        campaign = campaign_at(ports, voucher.campaign, redemption.redeemed_at)
        earned = earned_on_redemption(state.referral, campaign, voucher, redemption)
    is_newcomer = True
    if redemption and earned:
        referral, is_newcomer = _newcomer(ports, state.referral, redemption.ordered_at)
        state = replace(state, referral=referral)
    limits = state.limits(is_newcomer=is_newcomer)
    plan = plan_redemption_reward(state.referral, earned, state.rewards, limits, voucher.voucher_id)
    return state, plan


def _redemption_that_counts(ports: Ports, voucher: Voucher) -> Redemption | None:
    """The voucher's present redemption, unless its order is known to count for nobody."""
    order_id = voucher.redeemed_by
    if order_id is None:
        return None
    order = ports.repository.get(Order, campaign=voucher.campaign, order_id=order_id)
    if order and not order.counts:
        return None
    return ports.repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)


def _newcomer(ports: Ports, referral: Referral, ordered_at: datetime) -> tuple[Referral, bool]:
    """By the first order known; before any, by the list as of the order of the redemption."""
    if orders := _orders_of(ports, referral):
        checked = _checked(ports, referral, orders)
        return checked, checked.newcomer is not False
    if referral.newcomer is not None and referral.newcomer_as_of is None:
        return referral, referral.newcomer  # 0.2.0 knew only the kept orders
    campaign = current_campaign(ports, referral.campaign)
    return referral, _find_customer(ports, campaign, referral, ordered_at).found is None


def _find_customer(
    ports: Ports, campaign: Campaign, referral: Referral, at: datetime
) -> Membership:
    try:
        return find_customer_as_of(ports, campaign, referee_of(ports, referral), at)
    except ListUnavailableError as error:
        raise RetryLaterError("customers") from error


# --- room under a cap ---------------------------------------------------------------------------


def _forget_used(ports: Ports, body: RewardRevoked) -> None:
    """A voucher that was revoked by its rollback was counted until now, because it was used."""
    if body.reason == ROLLED_BACK:
        release_used(ports, body.referral_id, body.rule, body.rung)


def _fill_room(ports: Ports, sponsor_id: str, reason: str) -> list[str]:
    """Grant what a cap refused, now that a reward of the sponsor has been revoked: a cap counts
    what stands.
    """
    outcomes: list[str] = []
    for invitation in ports.repository.within(Invitation, sponsor_id=sponsor_id):
        if invitation.referral_id:
            outcomes += _settle_capped(ports, invitation.referral_id, reason)
    return outcomes


def _settle_capped(ports: Ports, referral_id: str, reason: str) -> list[str]:
    """Settle everything of a referral to which a cap refused something."""
    decided = ports.repository.within(Reward, referral_id=referral_id)
    if not any(reward.refused_reason in _CAPS for reward in decided):
        return []
    outcomes = _settle(ports, referral_id, _on_confirmation, reason)
    return outcomes + _settle_orders(ports, referral_id, reason)


_CAPS = frozenset({RewardRefusal.SPONSOR_CAP, RewardRefusal.REFEREE_CAP})


# --- templates of used vouchers -----------------------------------------------------------------


class _UsedTemplates:
    """The templates of the vouchers that are used on orders now; read when a rule asks."""

    def __init__(self, ports: Ports, orders: Sequence[Order]) -> None:
        self._ports, self._orders = ports, orders
        self._found: dict[str, frozenset[str]] | None = None

    def __call__(self, order: Order) -> frozenset[str]:
        if self._found is None:
            keys = [{"order_id": each.order_id} for each in self._orders]
            self._found = {
                uses.order_id: frozenset(
                    use.template for use in uses.uses if use.campaign == order.campaign
                )
                for uses in self._ports.repository.get_many(OrderUses, keys)
            }
        return self._found.get(order.order_id, frozenset())
