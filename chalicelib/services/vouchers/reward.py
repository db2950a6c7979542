"""Granting rewards: what the orders of a referral earn stands, and nothing else (law 4).

Each fact about a referral leads to the same question: which rewards are earned by its present
orders, and which stand? `domain/reward_plan.py` answers with actions; each is one transaction that
includes the referral at the revision the answer was based on, so an order reported meanwhile is
decided again. Work that is repeated, reordered or interrupted finds what is left to do, or nothing.

    fact ─► referral, orders, rewards ─► plan ─► one action ─► (again, until nothing is left)

How a referral is settled is in `settle.py`, what redemptions earn in `redemption_rewards.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.earned import earned_on_confirmation, earned_on_orders
from chalicelib.domain.fact_bodies import (
    OrderBody,
    ReferralConfirmed,
    RewardHoldEnded,
    RewardRefused,
    RewardReleased,
    RewardRevoked,
    VoucherRedeemed,
    VoucherRolledBack,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import OrderUses
from chalicelib.domain.reward_plan import Action, plan_rewards
from chalicelib.domain.rewards import Reward, RewardRefusal
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.lookups import CampaignVersions, campaign_of_version
from chalicelib.services.moves import ROLLED_BACK
from chalicelib.services.ports import Ports
from chalicelib.services.referral_orders import orders_of
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.reward_state import ReferralRewards
from chalicelib.services.vouchers.newcomers import with_newcomer_checked
from chalicelib.services.vouchers.redemption_rewards import (
    give_back_if_cancelled,
    key_of,
    settle_redemptions,
    used_on,
)
from chalicelib.services.vouchers.reward_actions import free_room
from chalicelib.services.vouchers.settle import load_rewards, run_each, settle


def reward(ports: Ports, fact: Fact) -> list[str]:
    """Grant, refuse or revoke what `fact` calls for; returns one named outcome per action.

    `RetryLaterError` when the customer list is unavailable, or a template has no codes left.
    """
    campaigns = CampaignVersions(ports, fact.campaign)
    on_orders = partial(_on_orders, campaigns)
    match body_of(fact):
        case ReferralConfirmed(referral_id=referral_id):
            return settle(ports, referral_id, _on_confirmation)
        case OrderBody(referral_id=referral_id) as body:
            used = used_on(ports, fact.campaign, body)
            return run_each(
                [
                    lambda: settle(ports, referral_id, on_orders),
                    lambda: settle_redemptions(ports, campaigns, referral_id, used, fact.at),
                ]
            )
        case VoucherRedeemed() | VoucherRolledBack() as use:
            key = key_of(ports, use)
            return run_each(
                [
                    lambda: give_back_if_cancelled(ports, campaigns, key),
                    # A rule may ask for an order that was made with such a voucher.
                    lambda: settle(ports, use.referral_id, on_orders),
                    lambda: settle_redemptions(ports, campaigns, use.referral_id, [key], fact.at),
                ]
            )
        case RewardRevoked() as body:
            outcomes = _free_room(ports, body) if body.reason == ROLLED_BACK else []
            return outcomes + _fill_room(
                ports, campaigns, body.holder_id, body.referral_id, fact.at
            )
        case RewardReleased(referral_id=referral_id):
            return run_each(_each_plan(ports, campaigns, referral_id, fact.at))
        case RewardHoldEnded() as ended:
            return _fill_room(ports, campaigns, ended.holder_id, ended.referral_id, fact.at)
        case RewardRefused(is_by_review=True) as refused:
            to_sponsor = refused.holder is HolderRole.SPONSOR
            holder_id = refused.sponsor_id if to_sponsor else refused.referral_id
            return _fill_room(ports, campaigns, holder_id, refused.referral_id, fact.at)
        case _:
            return []


# --- plans --------------------------------------------------------------------------------------


def _on_confirmation(ports: Ports, state: ReferralRewards) -> tuple[ReferralRewards, list[Action]]:
    """Rests on the list answer that the referral was confirmed with (law 3)."""
    campaign = campaign_of_version(ports, state.referral.campaign, state.referral.campaign_version)
    earned = earned_on_confirmation(campaign)
    limits = state.limits(is_newcomer=True)
    return state, plan_rewards(state.referral, earned, state.rewards, limits, for_confirmation=True)


def _on_orders(
    campaigns: CampaignVersions, ports: Ports, state: ReferralRewards
) -> tuple[ReferralRewards, list[Action]]:
    referral = state.referral
    orders = orders_of(ports, referral)
    used = _templates_on(ports, referral.campaign, orders)
    earned = earned_on_orders(referral, orders, campaigns.of, used)
    if earned:
        referral = with_newcomer_checked(ports, referral, orders)
    limits = state.limits(is_newcomer=referral.newcomer is not False)
    plan = plan_rewards(referral, earned, state.rewards, limits)
    return replace(state, referral=referral), plan


def _templates_on(ports: Ports, campaign: str, orders: Sequence[Order]) -> dict[str, list[str]]:
    """The templates of the vouchers that are used on the orders now, by a report or by a call."""
    keys = [{"order_id": order.order_id} for order in orders]
    return {
        uses.order_id: [use.template for use in uses.uses if use.campaign == campaign]
        for uses in ports.repository.get_many(OrderUses, keys)
    }


# --- room under a cap ---------------------------------------------------------------------------


@retry_on_conflict
def _free_room(ports: Ports, body: RewardRevoked) -> list[str]:
    """Stop counting a reward whose voucher a rollback has revoked."""
    state = load_rewards(ports, body.referral_id)
    rewards = state.rewards if state else []
    granted = next((one for one in rewards if (one.rule, one.rung) == (body.rule, body.rung)), None)
    if state is None or granted is None or not granted.is_used:
        return []
    voucher = ports.repository.get(Voucher, code_key=str(granted.code_key))
    if voucher is None or voucher.state is not VoucherState.REVOKED:
        return []
    return [free_room(ports, state, granted, voucher)]


def _fill_room(
    ports: Ports, campaigns: CampaignVersions, holder_id: str, referral_id: str, at: datetime
) -> list[str]:
    """Grant what a cap refused, now that a reward of the same person has been revoked, or is not
    kept free any more: a cap counts what stands.
    """
    return run_each(
        work
        for capped in _capped_with(ports, campaigns, holder_id, referral_id)
        for work in _each_plan(ports, campaigns, capped, at)
    )


def _each_plan(
    ports: Ports, campaigns: CampaignVersions, referral_id: str, at: datetime
) -> list[Callable[[], list[str]]]:
    """The plans of a referral, of whatever earned its rewards."""
    return [
        partial(settle, ports, referral_id, _on_confirmation),
        partial(settle, ports, referral_id, partial(_on_orders, campaigns)),
        partial(settle_redemptions, ports, campaigns, referral_id, [], at),
    ]


def _capped_with(
    ports: Ports, campaigns: CampaignVersions, holder_id: str, referral_id: str
) -> Iterator[str]:
    """The referrals with a reward that a cap refused to this holder, while there is room."""
    if holder_id == referral_id:
        if _was_refused(ports, referral_id, RewardRefusal.REFEREE_CAP):
            yield referral_id
        return
    for invitation in ports.repository.within(Invitation, sponsor_id=holder_id):
        invited = invitation.referral_id
        if invited and _was_refused(ports, invited, RewardRefusal.SPONSOR_CAP):
            # Asked before each: the one before may have filled the room.
            if not _has_room(ports, campaigns, holder_id):
                return
            yield invited


def _has_room(ports: Ports, campaigns: CampaignVersions, sponsor_id: str) -> bool:
    """Whether the cap of some version may allow the sponsor one more reward."""
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    if sponsor is None:
        return False
    most = max(version.caps.sponsor_rewards for version in campaigns.every())
    # The count of an earlier version may be too high: it is made again with the referral.
    return sponsor.counts_revoked or sponsor.rewards < most


def _was_refused(ports: Ports, referral_id: str, reason: RewardRefusal) -> bool:
    decided = ports.repository.within(Reward, referral_id=referral_id)
    return any(reward.refused_reason == reason for reward in decided)
