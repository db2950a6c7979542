"""What became of a reward by the facts that the table lost: what earned it, and what counts it.

A reward stands at the same place as before, so that the same orders, reported again, grant nothing
twice (law 4). The voucher that was issued for it is in `issued.py`, what a review made of it in
`held.py`.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import rewards
from chalicelib.domain.campaign.rules import HolderRole, Rule, Trigger
from chalicelib.domain.earned import earned_on_orders, earned_on_redemption
from chalicelib.domain.fact_bodies import (
    RewardHeld,
    RewardHoldEnded,
    RewardRefused,
    RewardReleased,
    RewardRevoked,
    VoucherIssued,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.referrals import (
    Referral,
    found_on_later_list,
    with_newcomer_check,
    with_rewards,
)
from chalicelib.domain.rewards import Budget, Reward, RewardRefusal, counts_in_limits
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Change, Insert, Replace
from chalicelib.services.referral_orders import orders_of
from chalicelib.services.restoring.work import UnfoundedError, Work
from chalicelib.services.reward_state import budget_change

AboutReward = (
    VoucherIssued | RewardRefused | RewardRevoked | RewardHeld | RewardReleased | RewardHoldEnded
)


def reward_of(work: Work, body: AboutReward) -> Reward | None:
    """The reward that a fact is about, as it is stored."""
    return work.ports.repository.get(
        Reward, referral_id=body.referral_id, rule=body.rule, rung=body.rung
    )


def require_free(stored: Reward | None) -> None:
    """`UnfoundedError` while another voucher of the reward counts: an earlier fact ends that."""
    if stored and counts_in_limits(stored):
        raise UnfoundedError(stored.rule)


def written(reward: Reward) -> Change:
    """The change that stores a reward."""
    return Replace(reward) if reward.revision else Insert(reward)


def refused_changes(work: Work, fact: Fact, body: RewardRefused) -> list[Change]:
    """A rule granted nothing: the decision, and what it says of the referee. `UnfoundedError`."""
    stored = reward_of(work, body)
    require_free(stored)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    if referral is None:
        raise UnfoundedError(body.referral_id)
    reward = decided(work, fact, body, stored, rule_of(work, fact, body).to)
    reason = RewardRefusal(body.reason)
    noted = found_on_later_list(referral) if body.found_on_later_list else referral
    if reason is RewardRefusal.NOT_A_NEWCOMER:
        noted = _checked(work, noted, body.customers_version, newcomer=False)
    return [written(rewards.refused(reward, reason)), Replace(noted)]


# --- what earned it -------------------------------------------------------------------------------


def decided(
    work: Work,
    fact: Fact,
    body: VoucherIssued | RewardRefused | RewardHeld,
    stored: Reward | None,
    to: HolderRole,
) -> Reward:
    """What was decided on, granted or not."""
    order_id, redeemed = _earned_by(work, fact, body, stored)
    return Reward(
        revision=stored.revision if stored else 0,
        referral_id=body.referral_id,
        rule=body.rule,
        rung=body.rung,
        campaign=fact.campaign,
        order_id=order_id,
        customers_version=body.customers_version,
        to=to,
        voucher_id=redeemed,
    )


def _earned_by(
    work: Work, fact: Fact, body: VoucherIssued | RewardRefused | RewardHeld, stored: Reward | None
) -> tuple[str | None, str | None]:
    """The order that a reward is for, and the id of the voucher whose use earned it, if any.

    `UnfoundedError` while what earned it is not there.
    """
    rule = rule_of(work, fact, body)
    referral = work.ports.repository.get(Referral, referral_id=body.referral_id)
    match rule.when, referral:
        case (Trigger.REFERRAL_CONFIRMED, _) | (_, None):
            return None, None
        case Trigger.VOUCHER_REDEEMED, Referral() as known:
            return None, (stored and stored.voucher_id) or _redeemed(work, known, rule)
        case _, Referral() as known:
            return _ordered(work, known, rule, body.rung), None


def _ordered(work: Work, referral: Referral, rule: Rule, rung: int) -> str | None:
    """The order that earns a rung by the orders so far. Once facts have no sequence, it may have
    been returned already, which another fact revokes the reward for: then there is none.
    """
    earned = earned_on_orders(referral, orders_of(work.ports, referral), work.versions.of)
    found = (each.order for each in earned if (each.rule.id, each.rung) == (rule.id, rung))
    order = next(filter(None, found), None)
    if order:
        return order.order_id
    if work.is_lenient:
        return None
    raise UnfoundedError(rule.id)


def _redeemed(work: Work, referral: Referral, rule: Rule) -> str:
    """The first voucher used in the referral that earns what the rule grants, and has not yet."""
    repository = work.ports.repository
    decided = {
        one.voucher_id
        for one in repository.within(Reward, referral_id=referral.referral_id)
        if one.rule == rule.id
    }
    holders = (referral.referral_id, referral.sponsor_id)
    held = [voucher for holder in holders for voucher in repository.held_by(holder)]
    for voucher in sorted(held, key=lambda one: one.issued_at):
        if voucher.referral_id != referral.referral_id or voucher.voucher_id in decided:
            continue
        order_id = voucher.redeemed_by or work.used_on.get(voucher.voucher_id, "")
        redemption = repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)
        if redemption is None:
            continue
        is_used = voucher.redeemed_by is not None or work.is_lenient
        if is_used and _earns(work, referral, voucher, redemption, rule):
            return voucher.voucher_id
    raise UnfoundedError(rule.id)


def _earns(
    work: Work, referral: Referral, voucher: Voucher, redemption: Redemption, rule: Rule
) -> bool:
    if redemption.is_rebuilt:
        return True
    campaign = work.versions.at(redemption.redeemed_at)
    earned = earned_on_redemption(referral, campaign, voucher, redemption)
    return rule.id in {each.rule.id for each in earned}


def rule_of(work: Work, fact: Fact, body: VoucherIssued | RewardRefused | RewardHeld) -> Rule:
    """The rule that was decided by. `UnfoundedError` while its campaign file is not there."""
    version = None if isinstance(body, RewardRefused) else body.campaign_version
    campaign = work.versions.of(version, fact.at)
    rule = next((rule for rule in campaign.rules if rule.id == body.rule), None)
    if rule is None:
        raise UnfoundedError(body.rule)
    return rule


# --- what counts it -------------------------------------------------------------------------------


def count_changes(
    work: Work,
    body: VoucherIssued,
    reward: Reward,
    referral: Referral | None,
    sponsor: Sponsor | None,
    *,
    reserved: bool,
) -> list[Change]:
    """What counts the reward: its referral, its sponsor's cap, the budget. `reserved`: it was held,
    so it is counted already, but for the referral.
    """
    changes: list[Change] = []
    if referral:
        counted = with_rewards(referral, 1)
        if body.has_order:  # a rung is granted to a newcomer alone
            counted = _checked(work, counted, body.customers_version, newcomer=True)
        changes.append(Replace(counted))
    if sponsor and body.holder is HolderRole.SPONSOR and not reserved:
        changes.append(Replace(replace(sponsor, rewards=sponsor.rewards + 1)))
    if reward.in_budget and not reserved:
        changes.append(spent(work, body.value_minor))
    return changes


def _checked(
    work: Work, referral: Referral, list_version: int | None, *, newcomer: bool
) -> Referral:
    """The referral with the list's answer that a decision rests on (law 3): lists that are dropped
    again are newer than they were. The last decision has it as of the first order of all.
    """
    orders = orders_of(work.ports, referral)
    first = min((order.ordered_at for order in orders), default=None)
    if first is None:
        return referral
    return with_newcomer_check(
        referral, newcomer=newcomer, list_version=list_version or 0, first_ordered_at=first
    )


def spent(work: Work, value_minor: int) -> Change:
    """What is granted of the budget changes by `value_minor`."""
    campaign = work.campaign.id
    budget = work.ports.repository.get(Budget, campaign=campaign)
    return budget_change(campaign, budget, value_minor)
