"""The actions that make a referral's rewards stand as they are earned: one transaction each.

Each includes the referral at the revision that the plan was based on (`reward.py`), so of two
concurrent actions one is decided again. How a voucher is issued is in `issuing.py`.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.earned import Earned
from chalicelib.domain.fact_bodies import RewardRefused, RewardRevoked
from chalicelib.domain.facts import FactName
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral, found_on_later_list, with_rewards
from chalicelib.domain.review import is_to_be_held
from chalicelib.domain.reward_plan import Action, Grant, Refuse, Reinstate, Revoke
from chalicelib.domain.rewards import Reward, RewardRefusal, is_released, waits
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.facts import referral_fact, voucher_fact
from chalicelib.services.holds import fall_away, hold
from chalicelib.services.issuing import issue_voucher
from chalicelib.services.judging import judge
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.reward_state import ReferralRewards, reserved, spent

NOT_EARNED = "not_earned"
_ENDED = {
    OrderStatus.RETURNED: FactName.ORDER_RETURNED.value,
    OrderStatus.CANCELLED: FactName.ORDER_CANCELLED.value,
}


def carry_out(ports: Ports, state: ReferralRewards, action: Action) -> str:
    """Carry out one action; returns the named outcome.

    `RetryLaterError` when the template has no code left.
    """
    match action:
        case Grant(earned, decision):
            return _grant(ports, state, earned, decision)
        case Refuse(_, decision, why):
            return _refuse(ports, state.referral, decision, why)
        case Revoke(granted):
            return _revoke(ports, state, granted)
        case Reinstate(granted):
            return _reinstate(ports, state, granted)


def _grant(ports: Ports, state: ReferralRewards, earned: Earned, decision: Reward) -> str:
    review = earned.campaign.review
    recorded: list[Change] = []
    if review and not is_released(decision):
        scored, recorded = judge(ports, state, earned, review)
        if is_to_be_held(review, scored):
            return hold(ports, state, earned, _in_budget(state, decision), scored, recorded)
    # Decided on this revision of the referral: if that has changed, decide again.
    counted: list[Change] = [Replace(with_rewards(state.referral, 1)), *recorded]
    if not is_released(decision):  # its place and its value were kept free
        counted += reserved(state, decision.to, earned.value_minor)
        decision = _in_budget(state, decision)
    issue_voucher(
        ports, earned.campaign, earned.rule, state.referral, state.sponsor, decision, counted
    )
    return "granted"


def _in_budget(state: ReferralRewards, decision: Reward) -> Reward:
    return replace(decision, in_budget=state.budget_left is not None)


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


def _revoke(ports: Ports, state: ReferralRewards, granted: Reward) -> str:
    if waits(granted):
        return fall_away(ports, state, granted, _reason(ports, granted))
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
    reason = _reason(ports, granted)
    revoked, change = with_change(
        vouchers.revoked(voucher, now), ChangeKind.REVOKED, now, reason=reason
    )
    changes: list[Change] = [
        Replace(revoked),
        Insert(change),
        Replace(rewards.revoked(granted, now)),
        Replace(with_rewards(state.referral, -1)),
    ]
    changes += _freed(state, granted, voucher)
    ports.repository.commit(
        *changes, facts=[voucher_fact(ports, voucher, RewardRevoked.of(voucher, reason))]
    )
    return "revoked"


def _reason(ports: Ports, granted: Reward) -> str:
    """What became of the order it was granted for, whichever fact is worked on first; a word that
    the client reads.
    """
    order = (
        ports.repository.get(Order, campaign=granted.campaign, order_id=granted.order_id)
        if granted.order_id
        else None
    )
    return _ENDED.get(order.status, NOT_EARNED) if order else NOT_EARNED


def _reinstate(ports: Ports, state: ReferralRewards, granted: Reward) -> str:
    """Let a used voucher count again. A rollback meanwhile has revoked it: then another is due."""
    voucher = ports.repository.get(Voucher, code_key=str(granted.code_key))
    if voucher and voucher.state is VoucherState.REVOKED:
        return free_room(ports, state, granted, voucher)
    changes: list[Change] = [
        Replace(rewards.reinstated(granted)),
        Replace(with_rewards(state.referral, 1)),
    ]
    if voucher and voucher.revoked_at:
        changes.append(Replace(vouchers.reinstated(voucher)))
    ports.repository.commit(*changes)
    return "counts_again"


def free_room(ports: Ports, state: ReferralRewards, granted: Reward, voucher: Voucher) -> str:
    """Stop counting a reward for caps and the budget: its voucher was used when it was to be
    revoked, and a rollback has revoked it since.
    """
    changes: list[Change] = [Replace(replace(granted, is_used=False)), Replace(state.referral)]
    if granted.to is None and voucher.holder is HolderRole.SPONSOR:
        # Granted by an earlier version: the count may have been made since the rollback.
        changes.append(Replace(recounted(ports, state.sponsor, without=voucher)))
    else:
        changes += _freed(state, granted, voucher)
    ports.repository.commit(*changes)
    return "voucher_was_revoked"


def recounted(ports: Ports, sponsor: Sponsor, *, without: Voucher | None = None) -> Sponsor:
    """The sponsor of an earlier version, with the rewards that stand; `without` stands no more,
    whatever the index says, which may lag.
    """
    held = ports.repository.held_by(sponsor.sponsor_id)
    gone = without.code_key if without else None
    count = sum(one.state is not VoucherState.REVOKED and one.code_key != gone for one in held)
    return replace(sponsor, rewards=count, counts_revoked=False)


def _freed(state: ReferralRewards, granted: Reward, voucher: Voucher) -> list[Change]:
    """What a revoked reward leaves to others, under the sponsor's cap and of the budget."""
    changes = [spent(state, -voucher.value_minor)] if granted.in_budget else []
    if voucher.holder is HolderRole.SPONSOR:
        left = max(0, state.sponsor.rewards - 1)
        changes.append(Replace(replace(state.sponsor, rewards=left)))
    return changes
