"""What became of vouchers: answered by the client, used, given back, revoked, expired (law 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import (
    RedemptionRefused,
    RewardRefused,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRefused,
    VoucherRolledBack,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import Redemption, RedemptionPlan, with_use
from chalicelib.domain.referrals import Referral, with_rewards
from chalicelib.domain.rewards import Reward, counts_in_limits, is_active
from chalicelib.domain.vouchers import Voucher, is_answered, is_live
from chalicelib.services.lookups import find_voucher_on_order
from chalicelib.services.moves import redemption_changes, rollback_changes
from chalicelib.services.ports import Change, Insert, Replace
from chalicelib.services.refusals import find_refusal, refusal_of
from chalicelib.services.restoring.issued import issued_changes
from chalicelib.services.restoring.rewards import refused_changes, reward_of, spent
from chalicelib.services.restoring.work import UnfoundedError, Work, order_name, order_of

REFUSED_BY_CLIENT = "refused_by_client"  # the client's own text is in its file alone


def voucher_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about vouchers did, as far as it is not there; None for any other fact.

    `UnfoundedError`.
    """
    match body:
        case VoucherIssued():
            return issued_changes(work, fact, body)
        case RewardRefused():
            return refused_changes(work, fact, body)
        case VoucherAcknowledged() | VoucherRefused():
            return _answered(work, fact, body)
        case VoucherRedeemed():
            return _redeemed(work, fact, body)
        case VoucherRolledBack():
            return _rolled_back(work, fact, body)
        case RedemptionRefused():
            return _refused_on_order(work, body)
        case VoucherEndsSoon():
            return _reminded(work, body)
        case VoucherExpired():
            return _expired(work, fact, body)
        case RewardRevoked():
            return _revoked(work, fact, body)
        case _:
            return None


def _answered(work: Work, fact: Fact, body: VoucherAcknowledged | VoucherRefused) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    if is_answered(voucher):
        return []
    if voucher.export is None:
        raise UnfoundedError(body.voucher_id)
    if isinstance(body, VoucherAcknowledged):
        return [Replace(vouchers.acknowledged(voucher, fact.at))]
    refused = vouchers.refused(voucher, REFUSED_BY_CLIENT)
    if not is_live(refused):
        return [Replace(refused)]
    refused, change = with_change(refused, ChangeKind.REFUSED, fact.at, reason=REFUSED_BY_CLIENT)
    return [Replace(refused), Insert(change)]


# --- redemptions ----------------------------------------------------------------------------------


def _redeemed(work: Work, fact: Fact, body: VoucherRedeemed) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    # The moment of the table may lie between a use and its fact: then no file need have the order.
    uses = work.ports.repository.within(Redemption, code_key=voucher.code_key)
    order_id = work.order_id(body, *(use.order_id for use in uses))
    found = find_voucher_on_order(work.ports, voucher.code_key, order_id)
    if not is_live(voucher) or found.redemption:
        raise UnfoundedError(body.voucher_id)  # an earlier use is given back by a fact before this
    order = order_of(work, order_id)
    amount = order.amount_minor if order else work.amount(body)
    at = order.ordered_at if order else work.outside.ordered_at.get(order_id, fact.at)
    redemption = Redemption(
        code_key=voucher.code_key,
        order_id=order_id,
        ordered_at=at,
        amount_minor=amount or 0,
        currency=voucher.currency,
        redeemed_at=fact.at,
        is_rebuilt=amount is None,
    )
    plan = RedemptionPlan(vouchers.redeemed(voucher, order_id), redemption, with_use(found))
    changes, _ = redemption_changes(work.at(fact), plan)
    if order and order.code_key is None:
        named = replace(order, code_key=voucher.code_key, template=voucher.template)
        changes.append(Replace(named))
    return changes


def _rolled_back(work: Work, fact: Fact, body: VoucherRolledBack) -> list[Change]:
    """The rollback; where it ends the voucher, also that, which is reported apart."""
    voucher = work.voucher(body.voucher_id, body.holder_id)
    # A redemption of an earlier version has no reference: it is the one that there is.
    used = voucher.redeemed_by
    order_id = work.order_id(body, used) if order_name(body) else str(used)
    found = find_voucher_on_order(work.ports, voucher.code_key, order_id)
    if found.redemption is None or not found.is_used:
        raise UnfoundedError(body.voucher_id)
    changes, _ = rollback_changes(work.at(fact), voucher, found.redemption, found.uses)
    return changes


def _refused_on_order(work: Work, body: RedemptionRefused) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    if find_refusal(work.ports, voucher, body.order_ref_id):
        return []
    return [Insert(refusal_of(voucher, body.order_ref_id))]


# --- ends -----------------------------------------------------------------------------------------


def _reminded(work: Work, body: VoucherEndsSoon) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    return [Replace(vouchers.reminded(voucher))] if voucher.reminds_at else []


def _expired(work: Work, fact: Fact, body: VoucherExpired) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    return _ended(voucher, vouchers.expired, ChangeKind.EXPIRED, fact)


def _revoked(work: Work, fact: Fact, body: RewardRevoked) -> list[Change]:
    """A reward that does not stand any more, and its voucher; what it leaves to others."""
    voucher = work.voucher(body.voucher_id, body.holder_id)
    changes = _ended(voucher, vouchers.revoked, ChangeKind.REVOKED, fact, body.reason)
    granted = reward_of(work, body)
    if granted and counts_in_limits(granted):
        changes += _freed(work, fact, granted, voucher)
    return changes


def _ended(
    voucher: Voucher,
    end: Callable[[Voucher, datetime], Voucher],
    kind: ChangeKind,
    fact: Fact,
    reason: str = "",
) -> list[Change]:
    """The end of a voucher. None where a rollback that was brought back has ended it already;
    `UnfoundedError` where what it ends after is still to come.
    """
    if voucher.state.value == kind.value:
        return []
    if not is_live(voucher):
        raise UnfoundedError(voucher.voucher_id)
    ended, change = with_change(end(voucher, fact.at), kind, fact.at, reason=reason)
    return [Replace(ended), Insert(change)]


def _freed(work: Work, fact: Fact, granted: Reward, voucher: Voucher) -> list[Change]:
    repository = work.ports.repository
    changes: list[Change] = [Replace(rewards.revoked(granted, granted.revoked_at or fact.at))]
    referral = repository.get(Referral, referral_id=granted.referral_id)
    if referral and is_active(granted):
        changes.append(Replace(with_rewards(referral, -1)))
    if granted.in_budget:
        changes.append(spent(work, -voucher.value_minor))
    if sponsor := repository.get(Sponsor, sponsor_id=voucher.holder_id):
        changes.append(Replace(replace(sponsor, rewards=max(0, sponsor.rewards - 1))))
    return changes
