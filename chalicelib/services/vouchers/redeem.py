"""Using a voucher on an order, once, and rolling that back, once (law 6).

Of N calls at the same instant one finds the voucher at the revision it read; the others decide
again and see it used. A repeat for the same order is answered like the first; an order whose
redemption was rolled back cannot redeem again, or a late duplicate would undo the rollback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.codes import candidates
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.vouchers import (
    Purchase,
    Redemption,
    Voucher,
    problem_at,
    problem_with,
    redeemed,
    rolled_back,
)
from chalicelib.services.errors import FieldProblem, InvalidError, RefusedError, UnknownError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.reward import taken_back

# How far the client's clocks may be ahead of ours.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Planned:
    """A redemption about to be committed, or (`changes` empty) one that stands already."""

    voucher: Voucher
    redemption: Redemption
    changes: tuple[Change, ...] = ()
    facts: tuple[Fact, ...] = ()


def find_voucher(ports: Ports, typed: str) -> Voucher:
    """The voucher of a code as typed. `UnknownError`."""
    for code in candidates(typed):
        voucher = ports.repository.get(Voucher, code=code)
        if voucher:
            return voucher
    raise UnknownError("voucher")


def check_voucher(ports: Ports, typed: str) -> tuple[Voucher, str | None]:
    """The voucher and why it would not be accepted now. `UnknownError`."""
    voucher = find_voucher(ports, typed)
    return voucher, problem_at(voucher, ports.clock())


@retry_on_conflict
def redeem(ports: Ports, typed: str, purchase: Purchase) -> tuple[Voucher, Redemption, bool]:
    """Redeem; returns the voucher, the redemption, and whether this call made it.

    `UnknownError`; `RefusedError` with the reason (`exhausted`, `expired`, …).
    """
    plan = plan_redemption(ports, typed, purchase)
    if plan.changes and purchase.ordered_at > ports.clock() + AHEAD:
        raise InvalidError([FieldProblem("ordered_at", "in_the_future")])
    if plan.changes:
        ports.repository.commit(*plan.changes, facts=plan.facts)
    return plan.voucher, plan.redemption, bool(plan.changes)


def plan_redemption(ports: Ports, typed: str, purchase: Purchase) -> Planned:
    """What redeeming would change, for a caller that commits it with changes of its own."""
    voucher = find_voucher(ports, typed)
    earlier = ports.repository.get(Redemption, code=voucher.code, order_id=purchase.order_id)
    if earlier:
        if earlier.rolled_back_at:
            raise RefusedError("rolled_back")
        return Planned(voucher, earlier)
    if problem := problem_with(voucher, purchase):
        raise RefusedError(problem)
    redemption = Redemption(
        code=voucher.code,
        order_id=purchase.order_id,
        ordered_at=purchase.ordered_at,
        amount_minor=purchase.amount_minor,
        currency=purchase.currency,
        redeemed_at=ports.clock(),
    )
    used = redeemed(voucher, purchase)
    fact = _about(ports, FactName.VOUCHER_REDEEMED, voucher)
    return Planned(used, redemption, (Replace(used), Insert(redemption)), (fact,))


@retry_on_conflict
def roll_back(ports: Ports, typed: str, order_id: str) -> None:
    """Take a redemption back; a repeat changes nothing. `UnknownError`; `RefusedError` when there
    is none.
    """
    voucher = find_voucher(ports, typed)
    redemption = ports.repository.get(Redemption, code=voucher.code, order_id=order_id)
    if redemption is None:
        raise RefusedError("not_redeemed")
    if redemption.rolled_back_at:
        return
    facts = [_about(ports, FactName.VOUCHER_ROLLED_BACK, voucher)]
    if voucher.revoked_at:
        facts.append(taken_back(ports, voucher, "rolled_back"))
    ports.repository.commit(
        Replace(rolled_back(voucher)),
        Replace(replace(redemption, rolled_back_at=ports.clock())),
        facts=facts,
    )


def _about(ports: Ports, name: FactName, voucher: Voucher) -> Fact:
    return voucher_fact(
        ports,
        name,
        voucher,
        template=voucher.template,
        holder=voucher.holder.value,
    )
