"""Granting rewards: each rule is decided once per (rule, referral, rung), and revoked with its
order (law 4).

The reward item and the voucher are inserted in one transaction with the fact, together with the
referral at the revision the rung was decided on: an order returned meanwhile changes the referral,
and the grant is decided again. Work that is repeated, reordered or interrupted finds the reward
item and stops. How a voucher is issued is in `issue.py`.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import rewards
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Rule
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import (
    OrderCancelled,
    OrderKept,
    OrderReturned,
    ReferralConfirmed,
    RewardRefused,
    RewardRevoked,
    body_of,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral, found_on_later_list, rung_of, with_reward
from chalicelib.domain.rewards import (
    CONFIRMATION_RUNG,
    Reward,
    RewardRefusal,
    granted_on_confirmation,
    granted_on_order,
    is_capped,
    new_reward,
)
from chalicelib.domain.vouchers import Voucher, VoucherState, is_live, revoked
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.facts import referral_fact, voucher_fact
from chalicelib.services.lookups import (
    current_campaign,
    find_customer,
    find_customer_as_of,
    referee_of,
)
from chalicelib.services.ports import (
    Change,
    Insert,
    ListUnavailableError,
    Membership,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.issue import issue_voucher


def reward(ports: Ports, fact: Fact) -> list[str]:
    """Grant or revoke what `fact` calls for; returns one named outcome per rule.

    `RetryLaterError` when the customer list is unavailable, or a template has no codes left.
    """
    match body_of(fact):
        case ReferralConfirmed(referral_id=referral_id):
            return _reward_confirmation(ports, fact.campaign, referral_id)
        case OrderKept(referral_id=referral_id, order_id=order_id):
            return _reward_order(ports, fact.campaign, referral_id, order_id)
        case (
            OrderReturned(referral_id=referral_id, order_id=order_id)
            | OrderCancelled(referral_id=referral_id, order_id=order_id)
        ):
            return _revoke_rewards(ports, referral_id, order_id, reason=fact.name)
        case _:
            return []


def _reward_confirmation(ports: Ports, campaign_id: str, referral_id: str) -> list[str]:
    campaign = current_campaign(ports, campaign_id)
    rules = granted_on_confirmation(campaign)
    return _grant_each(ports, referral_id, rules, CONFIRMATION_RUNG, None)


def _reward_order(ports: Ports, campaign_id: str, referral_id: str, order_id: str) -> list[str]:
    campaign = current_campaign(ports, campaign_id)
    order = ports.repository.get(Order, campaign=campaign_id, order_id=order_id)
    referral = ports.repository.get(Referral, referral_id=referral_id)
    rung = rung_of(referral, order_id) if referral else None
    if order is None or rung is None:
        return ["does_not_count"]
    return _grant_each(ports, referral_id, granted_on_order(campaign, order, rung), rung, order)


def _grant_each(
    ports: Ports, referral_id: str, rules: list[Rule], rung: int, order: Order | None
) -> list[str]:
    """Grant every rule that can be granted now: one that must wait does not block the others."""
    outcomes: list[str] = []
    waits: RetryLaterError | None = None
    for rule in rules:
        try:
            outcomes.append(grant_rule(ports, referral_id, rule, rung, order))
        except RetryLaterError as error:
            waits = error
    if waits:
        raise waits
    return outcomes


@retry_on_conflict
def grant_rule(ports: Ports, referral_id: str, rule: Rule, rung: int, order: Order | None) -> str:
    """Grant one rule for one rung, once; returns the named outcome."""
    if ports.repository.get(Reward, referral_id=referral_id, rule=rule.id, rung=rung):
        return "decided_already"
    referral = ports.repository.get(Referral, referral_id=referral_id)
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id) if referral else None
    if referral is None or sponsor is None:
        return "erased"
    if order and rung_of(referral, order.order_id) != rung:
        return "does_not_count"
    campaign = current_campaign(ports, referral.campaign)
    is_newcomer, list_version = _newcomer(ports, campaign, referral, order)
    decided = new_reward(referral, rule, rung, order, customers_version=list_version)
    if not is_newcomer:
        return _refuse(ports, referral, decided, RewardRefusal.NOT_A_NEWCOMER)
    if is_capped(rule, campaign, sponsor):
        return _refuse(ports, referral, decided, RewardRefusal.SPONSOR_CAP)
    # The rung was decided on this revision of the referral: if that has changed, decide again.
    counted: list[Change] = [Replace(with_reward(referral))]
    if rule.to is HolderRole.SPONSOR:
        counted.append(Replace(replace(sponsor, rewards=sponsor.rewards + 1)))
    issue_voucher(ports, campaign, rule, referral, sponsor, decided, counted)
    return "granted"


def _newcomer(
    ports: Ports, campaign: Campaign, referral: Referral, order: Order | None
) -> tuple[bool, int | None]:
    """Law 3: whether the referee is a newcomer, by which list version; fixed by the first order."""
    if referral.newcomer is not None:
        return referral.newcomer, referral.newcomer_list_version
    try:
        customers = _find_customer(ports, campaign, referral, order)
    except ListUnavailableError as error:
        raise RetryLaterError("customers") from error
    return customers.found is None, customers.version


def _find_customer(
    ports: Ports, campaign: Campaign, referral: Referral, order: Order | None
) -> Membership:
    referee = referee_of(ports, referral)
    if order:
        return find_customer_as_of(ports, campaign, referee, order.ordered_at)
    return find_customer(ports, campaign, referee)


def _refuse(ports: Ports, referral: Referral, decided: Reward, reason: RewardRefusal) -> str:
    # Reported once per person, however many rungs are refused; the revision decides which is first.
    is_found = reason is RewardRefusal.NOT_A_NEWCOMER and not referral.found_on_later_list
    noted = [Replace(found_on_later_list(referral))] if is_found else []
    body = RewardRefused.of(decided, referral, reason, found_on_later_list=is_found)
    refused = Insert(rewards.refused(decided, reason))
    ports.repository.commit(refused, *noted, facts=[referral_fact(ports, referral, body)])
    return reason


def _revoke_rewards(ports: Ports, referral_id: str, order_id: str, *, reason: str) -> list[str]:
    rewards = ports.repository.within(Reward, referral_id=referral_id)
    return [_revoke(ports, each, reason) for each in rewards if each.order_id == order_id]


@retry_on_conflict
def _revoke(ports: Ports, granted: Reward, reason: str) -> str:
    stored = ports.repository.get(
        Reward, referral_id=granted.referral_id, rule=granted.rule, rung=granted.rung
    )
    key = granted.code_key
    voucher = ports.repository.get(Voucher, code_key=key) if key else None
    if stored is None or voucher is None or voucher.revoked_at:
        return "taken_back_already"
    if voucher.state is VoucherState.REDEEMED:
        # It is used; this revokes it if the redemption is rolled back.
        ports.repository.commit(Replace(revoked(voucher, ports.clock())))
        return "voucher_is_redeemed"
    if not is_live(voucher):
        return "voucher_is_" + voucher.state.value
    now = ports.clock()
    ended, change = with_change(revoked(voucher, now), ChangeKind.REVOKED, now, reason=reason)
    ports.repository.commit(
        Replace(ended),
        Insert(change),
        Replace(rewards.revoked(stored, now)),
        facts=[voucher_fact(ports, voucher, RewardRevoked.of(voucher, reason))],
    )
    return "taken_back"
