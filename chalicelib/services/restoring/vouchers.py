"""What became of vouchers: answered by the client, used, given back, revoked, expired (law 6)."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import rewards, vouchers
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.fact_bodies import (
    RewardRefused,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRefused,
    VoucherRolledBack,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.people import Sponsor
from chalicelib.domain.redemptions import (
    OrderUses,
    Redemption,
    RedemptionPlan,
    rolled_back_redemption,
    with_use,
    without_use,
)
from chalicelib.domain.referrals import Referral, with_rewards
from chalicelib.domain.rewards import Reward, is_active
from chalicelib.domain.vouchers import Voucher, VoucherState, is_live
from chalicelib.services.lookups import find_voucher_on_order
from chalicelib.services.moves import redemption_changes
from chalicelib.services.ports import Change, Insert, Remove, Replace
from chalicelib.services.restoring.issued import (
    issued_changes,
    order_of,
    refused_changes,
    spent,
)
from chalicelib.services.restoring.work import UnfoundedError, Work

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
        case VoucherExpired():
            return _expired(work, fact, body)
        case RewardRevoked():
            return _revoked(work, fact, body)
        case _:
            return None


def _answered(work: Work, fact: Fact, body: VoucherAcknowledged | VoucherRefused) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    if voucher.acknowledged_at or voucher.refused_reason is not None:
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
    voucher, order_id = work.voucher(body.voucher_id, body.holder_id), str(body.order_id)
    found = find_voucher_on_order(work.ports, voucher.code_key, order_id)
    if not is_live(voucher) or found.redemption:
        raise UnfoundedError(body.voucher_id)  # an earlier use is given back by a fact before this
    order = order_of(work, order_id)
    amount = order.amount_minor if order else work.outside.amounts.get(order_id)
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
    voucher, order_id = work.voucher(body.voucher_id, body.holder_id), str(body.order_id)
    if voucher.redeemed_by != order_id:
        raise UnfoundedError(body.voucher_id)
    found = find_voucher_on_order(work.ports, voucher.code_key, order_id)
    back, change = with_change(
        vouchers.rolled_back(voucher, fact.at), ChangeKind.ROLLED_BACK, fact.at, order_id=order_id
    )
    changes: list[Change] = [Replace(back), Insert(change)]
    if found.redemption:
        changes.append(Replace(rolled_back_redemption(found.redemption, fact.at)))
    if found.uses:
        changes += _uses(found.uses, voucher)
    return changes


def _uses(uses: OrderUses, voucher: Voucher) -> list[Change]:
    left = without_use(uses, voucher)
    if left == uses:
        return []
    return [Remove(left) if left.is_empty else Replace(left)]


# --- ends -----------------------------------------------------------------------------------------


def _expired(work: Work, fact: Fact, body: VoucherExpired) -> list[Change]:
    voucher = work.voucher(body.voucher_id, body.holder_id)
    # A rollback after the end has expired it already, and is reported apart.
    ended = voucher if _is(voucher, VoucherState.EXPIRED) else vouchers.expired(voucher, fact.at)
    if ended.state is not VoucherState.EXPIRED:
        raise UnfoundedError(body.voucher_id)
    ended, change = with_change(ended, ChangeKind.EXPIRED, fact.at)
    return [Replace(ended), Insert(change)]


def _is(voucher: Voucher, state: VoucherState) -> bool:
    return voucher.state is state


def _revoked(work: Work, fact: Fact, body: RewardRevoked) -> list[Change]:
    """A reward that does not stand any more, and its voucher; what it leaves to others."""
    voucher = work.voucher(body.voucher_id, body.holder_id)
    if _is(voucher, VoucherState.REDEEMED):
        raise UnfoundedError(body.voucher_id)  # it is given back by a fact before this one
    ended = voucher if _is(voucher, VoucherState.REVOKED) else vouchers.revoked(voucher, fact.at)
    ended, change = with_change(ended, ChangeKind.REVOKED, fact.at, reason=body.reason)
    changes: list[Change] = [Replace(ended), Insert(change)]
    granted = work.ports.repository.get(
        Reward, referral_id=body.referral_id, rule=body.rule, rung=body.rung
    )
    if granted and granted.code_key == voucher.code_key:
        changes += _freed(work, fact, granted, voucher)
    return changes


def _freed(work: Work, fact: Fact, granted: Reward, voucher: Voucher) -> list[Change]:
    repository = work.ports.repository
    if not is_active(granted) and not granted.is_used:
        return []
    changes: list[Change] = [Replace(rewards.revoked(granted, granted.revoked_at or fact.at))]
    referral = repository.get(Referral, referral_id=granted.referral_id)
    if referral and is_active(granted):
        changes.append(Replace(with_rewards(referral, -1)))
    if granted.in_budget:
        changes.append(spent(work, -voucher.value_minor))
    if voucher.holder is HolderRole.SPONSOR and (
        sponsor := repository.get(Sponsor, sponsor_id=voucher.holder_id)
    ):
        changes.append(Replace(replace(sponsor, rewards=max(0, sponsor.rewards - 1))))
    return changes
