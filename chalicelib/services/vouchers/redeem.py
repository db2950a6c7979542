"""Redeeming a voucher on an order, once, and rolling that back, once (law 6).

Of N concurrent calls, one finds the voucher still at the revision it read; the others decide again
and find it redeemed.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.fact_bodies import RewardRevoked, VoucherRolledBack
from chalicelib.domain.vouchers import (
    Purchase,
    Redemption,
    Voucher,
    VoucherProblem,
    plan_redemption,
    problem_at,
    rolled_back,
    rolled_back_redemption,
)
from chalicelib.services.errors import FieldProblem, InvalidError, RefusedError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.lookups import find_voucher
from chalicelib.services.moves import redemption_changes
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.retry import retry_on_conflict

# How far the client's clocks may be ahead of ours.
AHEAD = timedelta(days=1)
ROLLED_BACK = "rolled_back"


def check_voucher(ports: Ports, typed: str) -> tuple[Voucher, VoucherProblem | None]:
    """The voucher and why it would not be accepted now. `UnknownError`."""
    voucher = find_voucher(ports, typed)
    return voucher, problem_at(voucher, ports.clock())


@retry_on_conflict
def redeem(ports: Ports, typed: str, purchase: Purchase) -> tuple[Voucher, Redemption, bool]:
    """Redeem; returns the voucher, the redemption, and whether this call created it.

    `UnknownError`; `RefusedError` with the reason (`exhausted`, `expired`, …).
    """
    voucher = find_voucher(ports, typed)
    earlier = ports.repository.get(
        Redemption, code_key=voucher.code_key, order_id=purchase.order_id
    )
    plan = plan_redemption(voucher, earlier, purchase, ports.clock())
    if isinstance(plan, VoucherProblem):
        raise RefusedError(plan)
    if plan.is_new and purchase.ordered_at > ports.clock() + AHEAD:
        raise InvalidError([FieldProblem("ordered_at", "in_the_future")])
    if plan.is_new:
        changes, facts = redemption_changes(ports, plan)
        ports.repository.commit(*changes, facts=facts)
    return plan.voucher, plan.redemption, plan.is_new


@retry_on_conflict
def roll_back(ports: Ports, typed: str, order_id: str) -> None:
    """Reverse a redemption; a repeat changes nothing. `UnknownError`; `RefusedError` when there
    is none.
    """
    voucher = find_voucher(ports, typed)
    redemption = ports.repository.get(Redemption, code_key=voucher.code_key, order_id=order_id)
    if redemption is None:
        raise RefusedError(VoucherProblem.NOT_REDEEMED)
    if redemption.rolled_back_at:
        return
    facts = [voucher_fact(ports, voucher, VoucherRolledBack.of(voucher))]
    if voucher.revoked_at:
        facts.append(voucher_fact(ports, voucher, RewardRevoked.of(voucher, ROLLED_BACK)))
    ports.repository.commit(
        Replace(rolled_back(voucher)),
        Replace(rolled_back_redemption(redemption, ports.clock())),
        facts=facts,
    )
