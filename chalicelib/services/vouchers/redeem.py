"""Redeeming a voucher on an order, once, and rolling that back, once (law 6).

Of N concurrent calls, one finds the voucher still at the revision it read; the others decide again
and find it redeemed. Each attempt is one read and at most one commit; a call that names a buyer who
is not the holder reads who that is.

A call that is refused is counted, once for a voucher on an order (`refusals.py`), before it is
answered. It is refused whatever becomes of that: a till that was answered "later" in place of "no"
would be left to its own idea of a voucher that is not good. What could not be counted is reported
apart, and counted when the till tries again or the order is reported with that code.
"""

from __future__ import annotations

from chalicelib.domain.orders import is_in_the_future
from chalicelib.domain.redemptions import (
    Purchase,
    Redemption,
    completed,
    differs,
    made_by,
    plan_redemption,
)
from chalicelib.domain.vouchers import (
    Voucher,
    VoucherProblem,
    problem_at,
)
from chalicelib.services.buyers import buyer_by_call
from chalicelib.services.errors import FieldProblem, InvalidError, RefusedError
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.lookups import (
    find_uses,
    find_voucher,
    find_voucher_for,
    find_voucher_on_named_order,
)
from chalicelib.services.moves import redemption_changes, rollback_changes
from chalicelib.services.ports import OnFailure, Ports, Replace
from chalicelib.services.refusals import count_refusal
from chalicelib.services.retry import retry_on_conflict


def check_voucher(ports: Ports, typed: str) -> tuple[Voucher, VoucherProblem | None]:
    """The voucher and why it would not be accepted now. `UnknownError`."""
    voucher = find_voucher(ports, typed)
    return voucher, problem_at(voucher, ports.clock())


@retry_on_conflict
def redeem(
    ports: Ports, typed: str, purchase: Purchase, on_failure: OnFailure = raised
) -> tuple[Voucher, Redemption, bool]:
    """Redeem; returns the voucher, the redemption, and whether this call created it.

    `UnknownError`; `RefusedError` with the reason (`exhausted`, `expired`, …), also of a repeat
    that says another amount or currency: that one is not counted, because the order uses the
    voucher. What keeps a refusal from being counted goes to `on_failure`.
    """
    found = find_voucher_for(ports, typed, purchase)
    plan = plan_redemption(found, purchase, ports.clock())
    if isinstance(plan, VoucherProblem):
        uncounted = Isolation(on_failure, has_to_wait=())
        with uncounted.of("refused redemption", found.voucher.voucher_id):
            count_refusal(ports, found.voucher, purchase.order_id, plan)
        raise RefusedError(plan)
    if differs(plan.redemption, purchase):
        raise RefusedError(VoucherProblem.DIFFERS)
    if plan.redemption.is_rebuilt:
        redemption = completed(plan.redemption, purchase)
        ports.repository.commit(Replace(redemption))
        return plan.voucher, redemption, False
    if plan.is_new and is_in_the_future(purchase.ordered_at, ports.clock()):
        raise InvalidError([FieldProblem("ordered_at", "in_the_future")])
    if plan.is_new:
        plan = made_by(plan, buyer_by_call(ports, plan.voucher, purchase))
        changes, facts = redemption_changes(ports, plan)
        ports.repository.commit(*changes, facts=facts)
    return plan.voucher, plan.redemption, plan.is_new


@retry_on_conflict
def roll_back(ports: Ports, typed: str, order_id: str) -> None:
    """Reverse a redemption; a repeat changes nothing. `UnknownError`; `RefusedError` when there
    is none.
    """
    found = find_voucher_on_named_order(ports, typed, order_id)
    if found.redemption is None:
        raise RefusedError(VoucherProblem.NOT_REDEEMED)
    if found.redemption.rolled_back_at:
        return
    uses = find_uses(ports, found)
    changes, facts = rollback_changes(ports, found.voucher, found.redemption, uses)
    ports.repository.commit(*changes, facts=facts)
