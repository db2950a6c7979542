"""Rewards for redemptions: what the use of a voucher earns, until it is rolled back.

An order, a call or a rollback leads to the vouchers that it may concern; the redemption that each
has now is settled with the rewards of its referral (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.domain.earned import Earned, earned_on_redemption
from chalicelib.domain.fact_bodies import OrderBody, VoucherRedeemed, VoucherRolledBack
from chalicelib.domain.orders import Order
from chalicelib.domain.redemptions import OrderUses, Redemption, is_of_sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.reward_plan import Action, plan_redemption_reward
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.lookups import CampaignVersions, find_voucher_on_order
from chalicelib.services.moves import ROLLED_BACK, rollback_changes
from chalicelib.services.order_refs import order_id_of
from chalicelib.services.ports import Key, Ports
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.reward_state import ReferralRewards
from chalicelib.services.vouchers.newcomers import newcomer_at_redemption
from chalicelib.services.vouchers.settle import run_each, settle


def used_on(ports: Ports, campaign: str, body: OrderBody) -> list[str]:
    """The keys of the vouchers on an order: it may show that they were used by somebody who earns
    nothing.
    """
    order_id = order_id_of(ports, campaign, body)
    if order_id is None:
        return []
    order_key = Key.of(Order, campaign=campaign, order_id=order_id)
    uses_key = Key.of(OrderUses, order_id=order_id)
    read = ports.repository.read(order_key, uses_key)
    order, uses = read.get(order_key), read.get(uses_key)
    by_calls = [use.code_key for use in uses.uses if use.campaign == campaign] if uses else []
    return [order.code_key, *by_calls] if order and order.code_key else by_calls


def key_of(ports: Ports, use: VoucherRedeemed | VoucherRolledBack) -> str:
    """The key of the voucher of a use. `RetryLaterError` while the index, which may lag, does not
    have the voucher yet.
    """
    held = ports.repository.held_by(use.holder_id)
    key = next((each.code_key for each in held if each.voucher_id == use.voucher_id), None)
    if key is None:
        raise RetryLaterError(WaitsFor.THE_INDEX)
    return key


@retry_on_conflict
def give_back_if_cancelled(ports: Ports, campaigns: CampaignVersions, code_key: str) -> list[str]:
    """Roll a redemption back that comes after the report that its order was cancelled."""
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.redeemed_by is None:
        return []
    order = ports.repository.get(Order, campaign=voucher.campaign, order_id=voucher.redeemed_by)
    if order is None:
        return []
    campaign = campaigns.of(order.status_version, order.ordered_at)
    if order.status not in campaign.give_back_voucher:
        return []
    found = find_voucher_on_order(ports, voucher.code_key, order.order_id)
    if found.redemption is None or not found.is_used:
        return []
    changes, facts = rollback_changes(ports, found.voucher, found.redemption, found.uses)
    ports.repository.commit(*changes, facts=facts)
    return [ROLLED_BACK]


def settle_redemptions(
    ports: Ports,
    campaigns: CampaignVersions,
    referral_id: str,
    used: Sequence[str],
    happened_at: datetime,
) -> list[str]:
    """Settle what the redemptions of the vouchers `used` earn, and those that were decided before:
    an order may have shown since who is a newcomer.
    """
    decided = [
        reward
        for reward in ports.repository.within(Reward, referral_id=referral_id)
        if reward.voucher_id
    ]
    if not decided and not (used and _rewards_redemptions(campaigns.at(happened_at))):
        return []
    keys = dict.fromkeys([*used, *_keys_of(ports, referral_id, decided)])
    return run_each(partial(_settle_voucher, ports, campaigns, key) for key in keys)


def _rewards_redemptions(campaign: Campaign) -> bool:
    return any(rule.when is Trigger.VOUCHER_REDEEMED for rule in campaign.rules)


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


def _settle_voucher(ports: Ports, campaigns: CampaignVersions, code_key: str) -> list[str]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return []
    return settle(ports, voucher.referral_id, partial(_on_redemption, campaigns, code_key))


def _on_redemption(
    campaigns: CampaignVersions, code_key: str, ports: Ports, state: ReferralRewards
) -> tuple[ReferralRewards, list[Action]]:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return state, []
    referral, earned = state.referral, list[Earned]()
    redemption = _redemption_that_counts(ports, voucher)
    if redemption and redemption.is_rebuilt:
        return state, []  # what it earned stands until its amount is reported again
    if redemption:
        campaign = campaigns.at(redemption.redeemed_at)
        earned = earned_on_redemption(referral, campaign, voucher, redemption)
    is_newcomer = True
    if redemption and earned:
        referral, is_newcomer = newcomer_at_redemption(ports, referral, redemption)
    limits = state.limits(is_newcomer=is_newcomer)
    plan = plan_redemption_reward(referral, earned, state.rewards, limits, voucher.voucher_id)
    return replace(state, referral=referral), plan


def _redemption_that_counts(ports: Ports, voucher: Voucher) -> Redemption | None:
    """The voucher's present redemption, unless its order is known to count for nobody."""
    order_id = voucher.redeemed_by
    if order_id is None:
        return None
    order = ports.repository.get(Order, campaign=voucher.campaign, order_id=order_id)
    if order is None:
        uses = ports.repository.get(OrderUses, order_id=order_id)
        counts = not is_of_sponsor(uses, voucher.campaign)
    else:
        counts = order.counts
    if not counts:
        return None
    return ports.repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)
