"""Recording one order that the client reports: in any sequence, repeatedly.

An order is stored when its buyer is a referee, or when it uses or names one of our vouchers. Of a
sponsor's only that is noted (`OrderUses`): a later report may name a referee's code without saying
who bought. Other people's leave no trace.

A report moves an order forward, says more of it, or changes nothing. The voucher is redeemed in the
transaction that stores the first report with its code, and given back in the one that cancels the
order. A code that is not ours, or not good, never costs the order: its problem is reported beside
it. A voucher that is refused is counted in a commit of its own, on anybody's order (`refusals.py`).

    row ─► stored order, voucher, buyer ─► new order ─► one transaction
           one read                                     order, referral, redemption or rollback
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.orders import OrderRow
from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import (
    Buyer,
    CodeProblem,
    Order,
    OrderProblem,
    OrderStatus,
    Person,
    buyer_by_both,
    buyer_of,
    code_keys,
    counts_for,
    dated_order,
    is_before_confirmation,
    new_order,
    refusal_of,
    reported_order,
    uses_vouchers,
)
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.redemptions import (
    OrderUses,
    RedemptionPlan,
    VoucherOnOrder,
    is_of_sponsor,
    plan_redemption,
    purchase_of,
    with_sponsor,
)
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherProblem, problem_at
from chalicelib.services.buyers import find_other, find_referee, find_sponsor
from chalicelib.services.errors import UnknownError
from chalicelib.services.isolation import read_apart
from chalicelib.services.lookups import (
    find_uses,
    find_voucher_for,
    find_voucher_on_named_order,
    keys_on_named_order,
)
from chalicelib.services.lost_orders import rename_order
from chalicelib.services.moves import give_back_changes, redemption_changes
from chalicelib.services.order_changes import order_changes
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import Change, ConflictError, Insert, Key, Ports, Replace
from chalicelib.services.read_together import read_together, with_what_follows
from chalicelib.services.refusals import count_refusal
from chalicelib.services.retry import retry_on_conflict

_GIVEN_BACK_AT_ONCE = 14  # vouchers, at six items each
_NO_LEADS: Mapping[Key[Any], Key[Any]] = MappingProxyType({})


@dataclass(frozen=True)
class OrderOutcome:
    """The outcome of one reported order. `problem` is None when it was accepted; `voucher` is then
    what is wrong with its code, if anything.
    """

    effect: str
    problem: str | None = None
    voucher: str | None = None


def refused(problem: OrderProblem) -> OrderOutcome:
    """The outcome of an order that is refused."""
    return OrderOutcome("none", problem)


@dataclass(frozen=True)
class _VouchersOfOrder:
    """The vouchers of an order: `found` says whose order it is, and has all that the order uses.

    `plan` redeems the one that the row names; `problem` is why the code that it names is not used,
    and `unused` the voucher of that code then, None where it is none of the campaign's.
    """

    found: VoucherOnOrder | None = None
    plan: RedemptionPlan | None = None
    problem: CodeProblem | VoucherProblem | None = None
    unused: Voucher | None = None

    @property
    def deciding(self) -> Voucher | None:
        """The voucher that says whose order it is: it is used on the order, or may be."""
        return self.found.voucher if self.found else None

    @property
    def was_accepted(self) -> bool:
        """Whether that voucher is used on the order, or once was."""
        return self.plan is not None or (
            self.found is not None and self.found.redemption is not None
        )

    @property
    def buyer_by_call(self) -> Buyer:
        """Who used that voucher, as far as a call says."""
        redemption = self.found.redemption if self.found else None
        return redemption.buyer if redemption else Buyer.NONE


@retry_on_conflict
def record_order(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    leads: Mapping[Key[Any], Key[Any]] = _NO_LEADS,
) -> OrderOutcome:
    """Record one order; a problem leaves everything as it was. `ListUnavailableError` when the
    buyer may be on the customer list and nobody can say.

    `leads`: where what the row names leads to, as it was seen before, from key to key. That is read
    with the rest, in one call; what is not known beforehand costs a call more, and no lead decides.
    """
    if problem := refusal_of(campaign, row, ports.clock()):
        return refused(problem)
    order_key = Key.of(Order, campaign=campaign.id, order_id=row.order_id)
    uses_key = Key.of(OrderUses, order_id=row.order_id)
    reference = reference_of(ports, row.order_id)
    named_key = Key.of(OrderReference, campaign=campaign.id, order_ref=reference)
    keys: list[Key[Any]] = [order_key, uses_key, named_key, *_named_by(ports, campaign, row)]
    together = read_together(ports, with_what_follows(keys, leads))
    read = together.repository.read(order_key, uses_key, named_key)
    stored = read.get(order_key)
    uses = read.get(uses_key)
    if stored is None and (lost := read.get(named_key)):
        rename_order(ports, lost, row.order_id)
        raise ConflictError("the order was lost, and is known again")
    if recorded := _recorded_codes(campaign, stored, uses):
        found = _recorded_voucher(ports, together, recorded, row.order_id)
        vouchers = _vouchers_recorded(ports, campaign, row, recorded, found)
    else:
        vouchers = _voucher_named(together, campaign, row)
    person = _person(together, campaign, row, stored, vouchers.deciding)
    if _is_another_person(stored, person):
        return refused(OrderProblem.ANOTHER_PERSON)
    if vouchers.unused:
        count_refusal(ports, vouchers.unused, row.order_id, str(vouchers.problem))
    referral_id = _referral_id(stored, person, vouchers.deciding)
    referral = together.repository.get(Referral, referral_id=referral_id) if referral_id else None
    if referral is None and vouchers.found is None and person and person.is_sponsor:
        return _note_sponsor(ports, campaign, row.order_id, uses, vouchers.problem)
    if referral is None:
        return _commit_use(ports, campaign, OrderStatus(row.status), vouchers)
    is_early = is_before_confirmation(campaign, referral, row.ordered_at)
    if stored is None and vouchers.found is None and is_early:
        return OrderOutcome("before_confirmation", voucher=vouchers.problem)
    before = stored or new_order(campaign, row, referral)
    if is_of_sponsor(uses, campaign.id):
        before = replace(before, buyer=Buyer.SPONSOR)
    dated = dated_order(campaign, referral, before, row)
    reported = reported_order(campaign, dated, row, ports.clock())
    order = _judged(together, campaign, reported, person, vouchers, referral)
    return _commit(ports, campaign, stored, order, referral, vouchers)


def _named_by(ports: Ports, campaign: Campaign, row: OrderRow) -> list[Key[Any]]:
    """What the row names beside its order: its buyer, and a code with its use on the order."""
    keys: list[Key[Any]] = []
    if row.email_digest:
        keys.append(Key.of(RefereeClaim, campaign=campaign.id, digest=row.email_digest))
    if row.voucher_code:
        keys += keys_on_named_order(ports, row.voucher_code, row.order_id)
    return keys


def _recorded_voucher(
    ports: Ports, together: Ports, recorded: Sequence[str], order_id: str
) -> VoucherOnOrder | None:
    """The voucher that decides on an order with these codes. It has been judged: its present state
    says nothing about this order.
    """
    code_key = _deciding(ports, recorded)
    found = _find(together, code_key, order_id)
    if found and found.redemption:
        return found
    # What was read with the order, but before it, may not know of its use on the order yet.
    return _find(ports, code_key, order_id)


def _vouchers_recorded(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    recorded: Sequence[str],
    found: VoucherOnOrder | None,
) -> _VouchersOfOrder:
    """The vouchers of an order with these codes, of which `found` decides."""
    keys = code_keys(row)
    if not keys or set(keys) & set(recorded):
        return _VouchersOfOrder(found)
    unused = _voucher_of(ports, campaign, keys)
    return _VouchersOfOrder(found, problem=CodeProblem.DIFFERS, unused=unused)


def _voucher_named(ports: Ports, campaign: Campaign, row: OrderRow) -> _VouchersOfOrder:
    """The voucher that the row names, the first one on its order."""
    if row.voucher_code is None:
        return _VouchersOfOrder()
    purchase = purchase_of(row)
    try:
        found = find_voucher_for(ports, row.voucher_code, purchase)
    except UnknownError:
        return _VouchersOfOrder(problem=CodeProblem.UNKNOWN)
    if found.voucher.campaign != campaign.id:
        return _VouchersOfOrder(problem=CodeProblem.UNKNOWN)
    # One that was used here and given back still says whose order it is.
    known = found if found.redemption else None
    if not uses_vouchers(OrderStatus(row.status)):
        # A report that comes later may redeem it, unless it is not good: then it names nobody.
        problem = problem_at(found.voucher, row.ordered_at)
        unused = found.voucher if problem else None
        return _VouchersOfOrder(known if problem else found, problem=problem, unused=unused)
    plan = plan_redemption(found, purchase, ports.clock())
    if isinstance(plan, VoucherProblem):
        return _VouchersOfOrder(known, problem=plan, unused=found.voucher)
    return _VouchersOfOrder(found, plan)


def _recorded_codes(
    campaign: Campaign, stored: Order | None, uses: OrderUses | None
) -> tuple[str, ...]:
    """The code that an earlier report named, and those redeemed on the order by calls."""
    by_calls = [use.code_key for use in uses.uses if use.campaign == campaign.id] if uses else []
    reported = [stored.code_key] if stored and stored.code_key else []
    return tuple(dict.fromkeys([*reported, *by_calls]))


def _deciding(ports: Ports, recorded: Sequence[str]) -> str:
    """Which of the codes on an order says whose it is, whichever was used or is named first: a
    referee's before a sponsor's, which says nothing about the buyer.
    """
    if len(recorded) == 1:
        return recorded[0]
    vouchers = ports.repository.get_many(Voucher, [{"code_key": key} for key in recorded])
    by_holder = sorted(vouchers, key=lambda one: (one.holder is HolderRole.SPONSOR, one.code_key))
    return by_holder[0].code_key if by_holder else recorded[0]


def _find(ports: Ports, typed: str, order_id: str) -> VoucherOnOrder | None:
    try:
        return find_voucher_on_named_order(ports, typed, order_id)
    except UnknownError:
        return None


def _voucher_of(ports: Ports, campaign: Campaign, keys: Sequence[str]) -> Voucher | None:
    """The campaign's voucher that a code is, whatever can be read of those it may be."""
    asked = [{"code_key": key} for key in keys]
    vouchers, _ = read_apart(asked, partial(ports.repository.get_many, Voucher))
    return next((one for one in vouchers if one.campaign == campaign.id), None)


def _person(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    stored: Order | None,
    voucher: Voucher | None,
) -> Person | None:
    """Whose digest the row gives, or an earlier report gave; None without one."""
    if row.email_digest is None:
        known = stored is not None and stored.buyer in {Buyer.REFEREE, Buyer.OTHER_REFEREE}
        return Person(referral_id=stored.referral_id) if stored and known else None
    if referee := find_referee(ports, campaign, row.email_digest):
        return referee
    if stored is None and voucher is None:
        return find_sponsor(ports, campaign, row.email_digest) or Person()
    # Some back offices date each status: later lists have everybody who ordered.
    ordered_at = min(row.ordered_at, stored.ordered_at) if stored else row.ordered_at
    return find_other(ports, campaign, row.email_digest, ordered_at)


def _is_another_person(stored: Order | None, person: Person | None) -> bool:
    """Whether two reports of an order give the digests of two referees."""
    if stored is None or person is None or person.referral_id in {None, stored.referral_id}:
        return False
    # Orders of 0.2.0 do not say who bought; they are their referral's.
    return stored.first_version is None or stored.buyer in {Buyer.REFEREE, Buyer.OTHER_REFEREE}


def _referral_id(
    stored: Order | None, person: Person | None, voucher: Voucher | None
) -> str | None:
    if person and person.referral_id:
        return person.referral_id
    if voucher:
        return voucher.referral_id
    return stored.referral_id if stored else None


def _judged(
    ports: Ports,
    campaign: Campaign,
    order: Order,
    person: Person | None,
    vouchers: _VouchersOfOrder,
    referral: Referral,
) -> Order:
    """The order with its buyer, and whether it counts for its referral."""
    voucher = vouchers.deciding
    of_referee = voucher is not None and voucher.holder is HolderRole.REFEREE
    expected = _referral_of(ports, voucher, referral) if voucher and of_referee else None
    buyer = buyer_by_both(order.buyer, buyer_of(person, expected))
    # A sponsor's voucher says nothing of the buyer, nor does a code that is only named.
    by_code = of_referee if vouchers.was_accepted else order.revision > 0 and order.counts
    belongs = buyer is Buyer.REFEREE or by_code
    judged = replace(order, referral_id=referral.referral_id, buyer=buyer)
    counts = belongs and counts_for(campaign, referral, judged, vouchers.buyer_by_call)
    return replace(judged, counts=counts)


def _referral_of(ports: Ports, voucher: Voucher, referral: Referral) -> Referral | None:
    if voucher.referral_id == referral.referral_id:
        return referral
    return ports.repository.get(Referral, referral_id=voucher.referral_id)


def _commit(
    ports: Ports,
    campaign: Campaign,
    stored: Order | None,
    order: Order,
    referral: Referral,
    vouchers: _VouchersOfOrder,
) -> OrderOutcome:
    order = _with_code(order, vouchers)
    use, effect, facts_of_use = _use(ports, campaign, order.status, vouchers)
    code_problem = None if vouchers.unused else vouchers.problem
    changes, facts = order_changes(ports, stored, order, referral, code_problem)
    changes += use
    if not changes:
        return OrderOutcome("known_already", voucher=vouchers.problem)
    ports.repository.commit(*changes, facts=[*facts, *facts_of_use])
    return OrderOutcome(
        "recorded" if order.counts else effect or "not_counted", voucher=vouchers.problem
    )


def _with_code(order: Order, vouchers: _VouchersOfOrder) -> Order:
    """The order with the voucher that it was made with, even if it gives that back at once."""
    is_made_with = vouchers.found and (vouchers.plan or vouchers.found.redemption)
    if not is_made_with or vouchers.deciding is None or order.code_key:
        return order
    return replace(order, code_key=vouchers.deciding.code_key, template=vouchers.deciding.template)


def _note_sponsor(
    ports: Ports,
    campaign: Campaign,
    order_id: str,
    uses: OrderUses | None,
    problem: CodeProblem | VoucherProblem | None,
) -> OrderOutcome:
    noted = with_sponsor(uses, campaign, order_id, ports.clock())
    if noted != uses:
        ports.repository.commit(Replace(noted) if noted.revision else Insert(noted))
    return OrderOutcome("not_a_referees", voucher=problem)


def _commit_use(
    ports: Ports, campaign: Campaign, status: OrderStatus, vouchers: _VouchersOfOrder
) -> OrderOutcome:
    """Use the voucher or give it back, where nobody is left for whom the order could count."""
    changes, effect, facts = _use(ports, campaign, status, vouchers)
    if changes:
        ports.repository.commit(*changes, facts=facts)
    return OrderOutcome(effect or "not_a_referees", voucher=vouchers.problem)


def _use(
    ports: Ports, campaign: Campaign, status: OrderStatus, vouchers: _VouchersOfOrder
) -> tuple[list[Change], str | None, list[Fact]]:
    """What an order at `status` changes for its vouchers, and the named effect of that, if any."""
    if status in campaign.give_back_voucher:
        changes, facts = _give_back(ports, campaign, vouchers)
        return changes, "rolled_back" if changes else None, facts
    changes, facts = redemption_changes(ports, vouchers.plan)
    return changes, "redeemed" if changes else None, facts


def _give_back(
    ports: Ports, campaign: Campaign, vouchers: _VouchersOfOrder
) -> tuple[list[Change], list[Fact]]:
    """Roll back every redemption on the order. Where they are very many, all but the last ones are
    rolled back before: a transaction has 100 items at most.
    """
    found = vouchers.found
    if found is None:
        return [], []
    order_id, uses = found.order_id, find_uses(ports, found)
    others = [
        _find(ports, use.code_key, order_id)
        for use in (uses.uses if uses else ())
        if use.campaign == campaign.id and use.code_key != found.voucher.code_key
    ]
    used = [each for each in [*others, found] if each and each.is_used]
    while len(used) > _GIVEN_BACK_AT_ONCE:
        some, used = used[:_GIVEN_BACK_AT_ONCE], used[_GIVEN_BACK_AT_ONCE:]
        changes, facts = give_back_changes(ports, some, uses)
        ports.repository.commit(*changes, facts=facts)
        uses = ports.repository.get(OrderUses, order_id=order_id)
    return give_back_changes(ports, used, uses)
