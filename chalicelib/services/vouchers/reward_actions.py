"""The actions that make a referral's rewards stand as they are earned: one transaction each.

Each includes the referral at the revision that the plan was based on (`reward.py`), so of two
concurrent actions one is decided again. How a voucher is issued is in `issue.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import RewardRefused, RewardRevoked
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral, found_on_later_list, with_rewards
from chalicelib.domain.rewards import (
    Action,
    Budget,
    Earned,
    Grant,
    Limits,
    Refuse,
    Reinstate,
    Revoke,
    Reward,
    RewardRefusal,
)
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.facts import referral_fact, voucher_fact
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.issue import issue_voucher


@dataclass(frozen=True)
class ReferralRewards:
    """A referral with what a plan is based on."""

    referral: Referral
    sponsor: Sponsor
    rewards: Sequence[Reward]
    budget: Budget | None
    budget_left: int | None

    def limits(self, *, is_newcomer: bool) -> Limits:
        return Limits(
            is_newcomer=is_newcomer,
            sponsor_rewards=self.sponsor.rewards,
            budget_left=self.budget_left,
        )


def carry_out(ports: Ports, state: ReferralRewards, action: Action, reason: str) -> str:
    """Take one action, because of the fact named `reason`; returns the named outcome.

    `RetryLaterError` when the template has no code left.
    """
    match action:
        case Grant(earned, decision):
            _grant(ports, state, earned, decision)
            return "granted"
        case Refuse(_, decision, why):
            return _refuse(ports, state.referral, decision, why)
        case Revoke(granted):
            return _revoke(ports, state, granted, reason)
        case Reinstate(granted):
            return _reinstate(ports, state.referral, granted)


def _grant(ports: Ports, state: ReferralRewards, earned: Earned, decision: Reward) -> None:
    # Decided on this revision of the referral: if that has changed, decide again.
    counted: list[Change] = [Replace(with_rewards(state.referral, 1))]
    if decision.to is HolderRole.SPONSOR:
        counted.append(Replace(replace(state.sponsor, rewards=state.sponsor.rewards + 1)))
    counted += _budget_changes(state, earned.value_minor)
    issue_voucher(
        ports, earned.campaign, earned.rule, state.referral, state.sponsor, decision, counted
    )


def _budget_changes(state: ReferralRewards, value_minor: int) -> list[Change]:
    """What is granted of the budget changes by `value_minor`; nothing without a budget."""
    if state.budget_left is None:
        return []
    if state.budget is None:
        return [Insert(Budget(campaign=state.referral.campaign, spent_minor=max(0, value_minor)))]
    spent = max(0, state.budget.spent_minor + value_minor)
    return [Replace(replace(state.budget, spent_minor=spent))]


def _refuse(ports: Ports, referral: Referral, decided: Reward, reason: RewardRefusal) -> str:
    # Reported once per person, however many rungs are refused; the revision decides which is first.
    is_found = reason is RewardRefusal.NOT_A_NEWCOMER and not referral.found_on_later_list
    noted = found_on_later_list(referral) if is_found else referral
    body = RewardRefused.of(decided, referral, reason, found_on_later_list=is_found)
    refused = rewards.refused(decided, reason)
    ports.repository.commit(
        Replace(refused) if refused.revision else Insert(refused),
        Replace(noted),
        facts=[referral_fact(ports, referral, body)],
    )
    return reason


def _revoke(ports: Ports, state: ReferralRewards, granted: Reward, reason: str) -> str:
    now = ports.clock()
    voucher = ports.repository.get(Voucher, code_key=str(granted.code_key))
    if voucher is None or voucher.state is VoucherState.EXPIRED:
        # Nothing can be revoked any more; it counts again if another order earns it.
        used = Replace(rewards.revoked(granted, now, is_used=True))
        ports.repository.commit(used, Replace(with_rewards(state.referral, -1)))
        return "voucher_has_ended"
    if voucher.state is VoucherState.REDEEMED:
        # It is used; this revokes it if the redemption is rolled back.
        ports.repository.commit(
            Replace(vouchers.revoked(voucher, now)),
            Replace(rewards.revoked(granted, now, is_used=True)),
            Replace(with_rewards(state.referral, -1)),
        )
        return "voucher_is_redeemed"
    revoked, change = with_change(
        vouchers.revoked(voucher, now), ChangeKind.REVOKED, now, reason=reason
    )
    changes: list[Change] = [
        Replace(revoked),
        Insert(change),
        Replace(rewards.revoked(granted, now)),
        Replace(with_rewards(state.referral, -1)),
    ]
    if voucher.holder is HolderRole.SPONSOR:
        left = max(0, state.sponsor.rewards - 1)
        changes.append(Replace(replace(state.sponsor, rewards=left)))
    changes += _budget_changes(state, -voucher.value_minor)
    ports.repository.commit(
        *changes, facts=[voucher_fact(ports, voucher, RewardRevoked.of(voucher, reason))]
    )
    return "revoked"


def _reinstate(ports: Ports, referral: Referral, granted: Reward) -> str:
    """Let a used voucher count again. A rollback meanwhile has revoked it: then another is due."""
    voucher = ports.repository.get(Voucher, code_key=str(granted.code_key))
    if voucher and voucher.state is VoucherState.REVOKED:
        release_used(ports, granted.referral_id, granted.rule, granted.rung)
        return "voucher_was_revoked"
    changes: list[Change] = [
        Replace(rewards.reinstated(granted)),
        Replace(with_rewards(referral, 1)),
    ]
    if voucher and voucher.revoked_at:
        changes.append(Replace(vouchers.reinstated(voucher)))
    ports.repository.commit(*changes)
    return "counts_again"


@retry_on_conflict
def release_used(ports: Ports, referral_id: str, rule: str, rung: int) -> None:
    """Count a reward no longer whose used voucher was revoked by its rollback: it leaves room under
    the caps and in the budget. Once: `is_used` is what was counted.
    """
    reward = ports.repository.get(Reward, referral_id=referral_id, rule=rule, rung=rung)
    if reward is None or not reward.is_used:
        return
    voucher = ports.repository.get(Voucher, code_key=str(reward.code_key))
    referral = ports.repository.get(Referral, referral_id=referral_id)
    if voucher is None or voucher.state is not VoucherState.REVOKED or referral is None:
        return
    changes: list[Change] = [Replace(replace(reward, is_used=False)), Replace(referral)]
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id)
    if sponsor and voucher.holder is HolderRole.SPONSOR:
        changes.append(Replace(replace(sponsor, rewards=max(0, sponsor.rewards - 1))))
    budget = ports.repository.get(Budget, campaign=referral.campaign)
    if budget:
        left = max(0, budget.spent_minor - voucher.value_minor)
        changes.append(Replace(replace(budget, spent_minor=left)))
    ports.repository.commit(*changes)
