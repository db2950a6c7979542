"""Recording the orders that the client reports, one at a time, in any sequence and repeatedly.

An order is stored when its buyer is a referee, or when it uses or names one of our vouchers; other
people's leave no trace. A report moves an order forward, says more of it, or changes nothing. The
voucher is redeemed in the transaction that stores the first report with its code, and given back in
the one that cancels the order. A code that is not ours, or not good, never costs the order: its
problem is reported beside it.

    row ─► stored order, voucher, buyer ─► new order ─► one transaction
                                                        order, referral, redemption or rollback

Most reported orders are other people's. For many rows at once, a few batch reads find those that
match; the others cost no further call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.codes import candidates
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.orders import OrderRow, orders
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.orders import (
    Buyer,
    Order,
    OrderStatus,
    Person,
    buyer_by_both,
    buyer_of,
    counts_for,
    dated_order,
    is_before_confirmation,
    new_order,
    reported_order,
)
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.redemptions import (
    OrderUses,
    RedemptionPlan,
    VoucherOnOrder,
    plan_redemption,
    purchase_of,
)
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherProblem, problem_at
from chalicelib.services.errors import UnknownError
from chalicelib.services.lookups import find_voucher_for, find_voucher_on_order
from chalicelib.services.moves import give_back_changes, redemption_changes
from chalicelib.services.order_changes import order_changes
from chalicelib.services.orders.buyers import find_other, find_referee
from chalicelib.services.ports import (
    Change,
    ContentionError,
    Key,
    ListUnavailableError,
    Ports,
)
from chalicelib.services.retry import retry_on_conflict

_USES_VOUCHERS = frozenset({OrderStatus.PLACED, OrderStatus.KEPT})
_WITHOUT_TRACE = frozenset({"none", "not_a_referees"})
_GIVEN_BACK_AT_ONCE = 15  # vouchers, at six items each
OTHER_CURRENCY = "currency_not_the_campaigns"
CODE_UNKNOWN = "unknown"
CODE_DIFFERS = "voucher_code_differs"


@dataclass(frozen=True)
class OrderOutcome:
    """The outcome of one reported order. `problem` is None when it was accepted; `voucher` is then
    what is wrong with its code, if anything.
    """

    effect: str
    problem: str | None = None
    voucher: str | None = None


def _refused(problem: str) -> OrderOutcome:
    return OrderOutcome("none", problem)


# --- many orders --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matches:
    """Which buyers, orders and voucher codes of some rows are known: pairs of campaign and digest,
    pairs of campaign and order id, and the campaign of each code.
    """

    buyers: frozenset[tuple[str, str]]
    orders: set[tuple[str, str]]  # and those recorded since
    vouchers: dict[str, str]

    def include(self, campaign: Campaign, row: OrderRow) -> bool:
        """Whether the row may have an effect in the campaign."""
        return (
            (campaign.id, row.order_id) in self.orders
            or (campaign.id, row.email_digest) in self.buyers
            or self.names_voucher(campaign, row)
        )

    def names_voucher(self, campaign: Campaign, row: OrderRow) -> bool:
        """Whether the code of the row is a voucher of the campaign."""
        return any(self.vouchers.get(key) == campaign.id for key in _code_keys(row))

    def record(self, ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
        """Record the row; an order stored by it is known to the rows after it."""
        outcome = record_order(ports, campaign, row)
        if outcome.problem is None:
            self.orders.add((campaign.id, row.order_id))
        return outcome


def find_matches(ports: Ports, campaigns: Sequence[Campaign], rows: Sequence[OrderRow]) -> Matches:
    """Find, in a few batch reads, the rows that may have an effect in one of the campaigns."""
    names = [campaign.id for campaign in campaigns]
    digests = [row.email_digest for row in rows if row.email_digest]
    claims = ports.repository.get_many(
        RefereeClaim, [{"campaign": name, "digest": digest} for name in names for digest in digests]
    )
    orders = ports.repository.get_many(
        Order, [{"campaign": name, "order_id": row.order_id} for name in names for row in rows]
    )
    uses = ports.repository.get_many(OrderUses, [{"order_id": row.order_id} for row in rows])
    keys = [{"code_key": key} for row in rows for key in _code_keys(row)]
    vouchers = ports.repository.get_many(Voucher, keys) if keys else []
    known = {(order.campaign, order.order_id) for order in orders}
    return Matches(
        buyers=frozenset((claim.campaign, claim.digest) for claim in claims),
        orders=known | {(use.campaign, each.order_id) for each in uses for use in each.uses},
        vouchers={voucher.code_key: voucher.campaign for voucher in vouchers},
    )


def _code_keys(row: OrderRow) -> tuple[str, ...]:
    return candidates(row.voucher_code) if row.voucher_code else ()


_AT_ONCE = 100  # rows: the limit of one batch read


def ingest_orders(
    ports: Ports, campaign: Campaign, *, plain: Iterable[bytes], tally: Tally
) -> None:
    """Record the orders of a file; problems of rows go into `tally`. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    rows = list(orders(plain, tally))
    without_effect = Tally()
    for start in range(0, len(rows), _AT_ONCE):
        numbered = rows[start : start + _AT_ONCE]
        outcomes = record_orders(ports, campaign, [row for _, row in numbered])
        for (line, _), outcome in zip(numbered, outcomes, strict=True):
            if outcome.problem:
                without_effect.reject(line, outcome.problem)
                continue
            tally.note(outcome.effect)
            if outcome.voucher:
                tally.note_voucher(line, outcome.voucher)
    tally.add_rejected(without_effect)


def record_orders(
    ports: Ports, campaign: Campaign, rows: Sequence[OrderRow]
) -> Iterator[OrderOutcome]:
    """Record the orders of a campaign's file, in their order."""
    matches = find_matches(ports, [campaign], rows)
    for row in rows:
        if matches.include(campaign, row):
            yield matches.record(ports, campaign, row)
        else:
            yield _early_refusal(ports, campaign, row) or _of_a_stranger(row)


def record_reported_orders(
    ports: Ports, campaigns: Sequence[Campaign], rows: Sequence[OrderRow]
) -> Iterator[OrderOutcome | None]:
    """Record orders that name no campaign, in their order: in each campaign that knows the voucher,
    the buyer or the order. None for an order that could not be recorded now: send it again.
    """
    matches = find_matches(ports, campaigns, rows)
    for row in rows:
        try:
            yield _record_in_each(ports, campaigns, row, matches)
        except (ContentionError, ListUnavailableError):
            yield None


def _record_in_each(
    ports: Ports, campaigns: Sequence[Campaign], row: OrderRow, matches: Matches
) -> OrderOutcome:
    # First the campaign of the voucher, if there is one: what it says of the code holds.
    known = sorted(
        (campaign for campaign in campaigns if matches.include(campaign, row)),
        key=lambda campaign: not matches.names_voucher(campaign, row),
    )
    outcomes = [matches.record(ports, campaign, row) for campaign in known]
    if not outcomes:
        return _of_a_stranger(row)
    # A problem in one campaign, such as its currency, does not undo what another has recorded.
    recorded = next((each for each in outcomes if each.effect not in _WITHOUT_TRACE), None)
    if recorded is None:
        return next((each for each in outcomes if each.problem), outcomes[0])
    first = outcomes[0]
    is_other_currency = row.voucher_code and first.problem == OTHER_CURRENCY
    problem = VoucherProblem.WRONG_CURRENCY.value if is_other_currency else None
    return replace(recorded, voucher=first.voucher or problem)


def _of_a_stranger(row: OrderRow) -> OrderOutcome:
    return OrderOutcome("not_a_referees", voucher=CODE_UNKNOWN if row.voucher_code else None)


# --- one order ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Code:
    """The vouchers of an order: the one that its reports name, and all that are used on it.

    `plan` redeems the one that the row names; `problem` is why the code that it names is not used.
    """

    found: VoucherOnOrder | None = None
    plan: RedemptionPlan | None = None
    problem: str | None = None
    uses: OrderUses | None = None

    @property
    def voucher(self) -> Voucher | None:
        """The voucher, which is used on the order or may be."""
        return self.found.voucher if self.found else None

    @property
    def was_accepted(self) -> bool:
        """Whether the voucher is used on the order, or once was."""
        return self.plan is not None or (
            self.found is not None and self.found.redemption is not None
        )


@retry_on_conflict
def record_order(ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
    """Record one order; a problem leaves everything as it was. `ListUnavailableError` when the
    buyer may be on the customer list and nobody can say.
    """
    if refused := _early_refusal(ports, campaign, row):
        return refused
    order_key = Key.of(Order, campaign=campaign.id, order_id=row.order_id)
    uses_key = Key.of(OrderUses, order_id=row.order_id)
    read = ports.repository.read(order_key, uses_key)
    stored = read.get(order_key)
    code = _code(ports, campaign, row, stored, read.get(uses_key))
    person = _person(ports, campaign, row, stored, code.voucher)
    if _is_another_person(stored, person):
        return _refused("order_id_of_another_person")
    referral_id = _referral_id(stored, person, code.voucher)
    referral = ports.repository.get(Referral, referral_id=referral_id) if referral_id else None
    if referral is None:
        return _commit_use(ports, campaign, OrderStatus(row.status), code)
    is_early = is_before_confirmation(campaign, referral, row.ordered_at)
    if stored is None and code.found is None and is_early:
        return OrderOutcome("before_confirmation", voucher=code.problem)
    before = stored or new_order(campaign, row, referral)
    dated = dated_order(campaign, referral, before, row)
    reported = reported_order(campaign, dated, row, ports.clock())
    order = _judged(ports, campaign, reported, person, code, referral)
    return _commit(ports, campaign, stored, order, referral, code)


def _early_refusal(ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome | None:
    """The refusal that follows from the row alone, without a read; None if there is none."""
    if row.currency != campaign.currency:
        return _refused(OTHER_CURRENCY)
    if row.ordered_at.astimezone(UTC) > ports.clock() + timedelta(days=1):
        return _refused("ordered_at_in_the_future")
    return None


def _code(
    ports: Ports, campaign: Campaign, row: OrderRow, stored: Order | None, uses: OrderUses | None
) -> _Code:
    recorded = _recorded_codes(campaign, stored, uses)
    if recorded:
        # It has been judged; the present state of the voucher says nothing about this order.
        named = _code_keys(row)
        found = _find(ports, _deciding(ports, recorded), row.order_id)
        differs = bool(named) and not set(named) & set(recorded)
        return _Code(found, problem=CODE_DIFFERS if differs else None, uses=uses)
    if row.voucher_code is None:
        return _Code()
    purchase = purchase_of(row)
    try:
        found = find_voucher_for(ports, row.voucher_code, purchase)
    except UnknownError:
        return _Code(problem=CODE_UNKNOWN)
    if found.voucher.campaign != campaign.id:
        return _Code(problem=CODE_UNKNOWN)
    # One that was used here and given back still says whose order it is.
    known = found if found.redemption else None
    if OrderStatus(row.status) not in _USES_VOUCHERS:
        # A report that comes later may redeem it, unless it is not good: then it names nobody.
        problem = problem_at(found.voucher, row.ordered_at)
        return _Code(known, problem=problem.value) if problem else _Code(found)
    plan = plan_redemption(found, purchase, ports.clock())
    if isinstance(plan, VoucherProblem):
        return _Code(known, problem=plan.value)
    return _Code(found, plan, uses=uses)


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
        return find_voucher_on_order(ports, typed, order_id)
    except UnknownError:
        return None


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
        return Person()  # nobody we need to know more about
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
    code: _Code,
    referral: Referral,
) -> Order:
    """The order with its buyer, and whether it counts for its referral."""
    voucher = code.voucher
    of_referee = voucher is not None and voucher.holder is HolderRole.REFEREE
    expected = _referral_of(ports, voucher, referral) if voucher and of_referee else None
    buyer = buyer_by_both(order.buyer, buyer_of(person, expected))
    # A sponsor's voucher says nothing of the buyer, nor does a code that is only named.
    by_code = of_referee if code.was_accepted else order.revision > 0 and order.counts
    belongs = buyer is Buyer.REFEREE or by_code
    judged = replace(order, referral_id=referral.referral_id, buyer=buyer)
    return replace(judged, counts=belongs and counts_for(campaign, referral, judged))


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
    code: _Code,
) -> OrderOutcome:
    order = _with_code(order, code)
    use, effect, facts_of_use = _use(ports, campaign, order.status, code)
    changes, facts = order_changes(ports, stored, order, referral)
    changes += use
    if not changes:
        return OrderOutcome("known_already", voucher=code.problem)
    ports.repository.commit(*changes, facts=[*facts, *facts_of_use])
    return OrderOutcome(
        "recorded" if order.counts else effect or "not_counted", voucher=code.problem
    )


def _with_code(order: Order, code: _Code) -> Order:
    """The order with the voucher that it was made with, even if it gives that back at once."""
    is_made_with = code.found and (code.plan or code.found.redemption)
    if not is_made_with or code.voucher is None or order.code_key:
        return order
    return replace(order, code_key=code.voucher.code_key, template=code.voucher.template)


def _commit_use(ports: Ports, campaign: Campaign, status: OrderStatus, code: _Code) -> OrderOutcome:
    """Use the voucher or give it back, where nobody is left for whom the order could count."""
    changes, effect, facts = _use(ports, campaign, status, code)
    if changes:
        ports.repository.commit(*changes, facts=facts)
    return OrderOutcome(effect or "not_a_referees", voucher=code.problem)


def _use(
    ports: Ports, campaign: Campaign, status: OrderStatus, code: _Code
) -> tuple[list[Change], str | None, list[Fact]]:
    """What an order at `status` changes for its vouchers, and the named effect of that, if any."""
    if status in campaign.give_back_voucher:
        changes, facts = _give_back(ports, campaign, code)
        return changes, "rolled_back" if changes else None, facts
    changes, facts = redemption_changes(ports, code.plan)
    return changes, "redeemed" if changes else None, facts


def _give_back(ports: Ports, campaign: Campaign, code: _Code) -> tuple[list[Change], list[Fact]]:
    """Roll back every redemption on the order. Where they are very many, all but the last ones are
    rolled back before: a transaction has 100 items at most.
    """
    if code.found is None:
        return [], []
    order_id, first, uses = code.found.order_id, code.found.voucher.code_key, code.found.uses
    others = [
        _find(ports, use.code_key, order_id)
        for use in (code.uses.uses if code.uses else ())
        if use.campaign == campaign.id and use.code_key != first
    ]
    used = [each for each in [*others, code.found] if each and each.is_used]
    while len(used) > _GIVEN_BACK_AT_ONCE:
        some, used = used[:_GIVEN_BACK_AT_ONCE], used[_GIVEN_BACK_AT_ONCE:]
        changes, facts = give_back_changes(ports, some, uses)
        ports.repository.commit(*changes, facts=facts)
        key = Key.of(OrderUses, order_id=order_id)
        uses = ports.repository.read(key).get(key)
    return give_back_changes(ports, used, uses)
