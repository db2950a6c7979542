"""Recording many reported orders: the rows of a file, or of a call that names no campaign.

Most reported orders are other people's. A few batch reads find the rows that may have an effect;
the others cost no further call. Those find as well where such a row leads to: from its buyer to the
invitation and the referral, from its voucher or its order to a referral. So a row of a referee is
one read, of all that it takes and as it is then, and one transaction: `record.py`.

A large file is cut into parts, which are recorded in any order. What a row comes to depends on the
rows before it of the same order, and on those of other orders that name the same voucher: such rows
are always in one part, so the result is that of the whole file, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.files.orders import OrderRow, order_json, orders
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import (
    CodeProblem,
    Order,
    OrderProblem,
    OrderStatus,
    code_keys,
    refusal_of,
)
from chalicelib.domain.people import RefereeClaim, SponsorClaim
from chalicelib.domain.redemptions import OrderUses
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, VoucherProblem
from chalicelib.services.isolation import Isolation, raised, read_apart
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.orders.record import OrderOutcome, record_order, refused
from chalicelib.services.ports import BATCH_LIMIT, ContentionError, Key, OnFailure, Ports
from chalicelib.services.row_groups import Parts, RowGroups, few_or_many
from chalicelib.services.row_work import RowWork, do_each

_AT_ONCE = 100  # rows, of some keys each
_READ_AT_ONCE = 1_000  # rows of a large file, few of which are looked up
_WITHOUT_TRACE = frozenset({"none", "not_a_referees"})


@dataclass(frozen=True)
class Matches:
    """What the rows that may have an effect are known by: pairs of campaign and referee's digest,
    pairs of campaign and order id (of stored and sponsors' orders), the campaign of each code.

    `unread` are order ids, digests and codes of which something is stored that cannot be read: such
    a row is looked at by itself. `leads`: see `record_order`.
    """

    buyers: set[tuple[str, str]] = field(default_factory=set)
    orders: set[tuple[str, str]] = field(default_factory=set)  # and those recorded since
    vouchers: dict[str, str] = field(default_factory=dict)
    unread: set[str | int] = field(default_factory=set)
    leads: dict[Key[Any], Key[Any]] = field(default_factory=dict)

    def include(self, campaign: Campaign, row: OrderRow) -> bool:
        """Whether the row may have an effect in the campaign."""
        return self.know(campaign.id, row) or not self.unread.isdisjoint(
            (row.order_id, row.email_digest, *code_keys(row))
        )

    def know(self, campaign: str, row: OrderRow) -> bool:
        """Whether the campaign has the order, its buyer or its voucher."""
        return (
            (campaign, row.order_id) in self.orders
            or (campaign, row.email_digest) in self.buyers
            or self.names_voucher(campaign, row)
        )

    def names_voucher(self, campaign: str, row: OrderRow) -> bool:
        """Whether the code of the row is a voucher of the campaign."""
        return any(self.vouchers.get(key) == campaign for key in code_keys(row))

    def record(self, ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
        """Record the row; the rows after it of the same order are looked at too."""
        self.orders.add((campaign.id, row.order_id))
        return record_order(ports, campaign, row, self.leads)


def find_matches(
    ports: Ports,
    campaigns: Sequence[Campaign],
    rows: Sequence[OrderRow],
    others: Collection[str] = (),
) -> Matches:
    """Find, in a few batch reads, the rows that may have an effect in one of the campaigns, or in
    one of the `others`, of which only the names are known.
    """
    names = [*(campaign.id for campaign in campaigns), *others]
    digests = [row.email_digest for row in rows if row.email_digest]
    stored, unread = _stored_at(
        ports,
        *(Key.of(OrderUses, order_id=row.order_id) for row in rows),
        *(Key.of(Order, campaign=name, order_id=row.order_id) for name in names for row in rows),
        *(Key.of(RefereeClaim, campaign=name, digest=one) for name in names for one in digests),
        *(Key.of(SponsorClaim, campaign=name, digest=one) for name in names for one in digests),
        *(Key.of(Voucher, code_key=key) for row in rows for key in code_keys(row)),
    )
    matches = Matches(unread={value for key in unread for _, value in key.parts} - {*names})
    noted: set[tuple[str, str]] = set()
    sponsors: set[tuple[str, str]] = set()
    for entity in stored:
        match entity:
            case OrderUses(order_id=order_id, uses=uses, of_sponsors=of_sponsors):
                matches.orders.update((use.campaign, order_id) for use in uses)
                noted.update((name, order_id) for name in of_sponsors)
            case Order():
                matches.orders.add((entity.campaign, entity.order_id))
            case RefereeClaim():
                matches.buyers.add((entity.campaign, entity.digest))
            case SponsorClaim():
                sponsors.add((entity.campaign, entity.digest))
            case Voucher():
                matches.vouchers[entity.code_key] = entity.campaign
    matches.leads.update(_leads_from(ports, stored))
    matches.orders.update(_of_sponsors(campaigns, rows, sponsors, ports.clock()) - noted)
    matches.buyers.update((name, digest) for name, digest in sponsors if name in others)
    return matches


def _leads_from(ports: Ports, stored: Iterable[Entity]) -> dict[Key[Any], Key[Any]]:
    """Where what is stored leads to; from an invitation too, which is read for that. One that
    cannot be read leads nowhere: its rows meet it themselves.
    """
    leads = dict(filter(None, map(_lead, stored)))
    invitations, _ = _stored_at(ports, *(to for to in leads.values() if to.kind is Invitation))
    return leads | dict(filter(None, map(_lead, invitations)))


def _lead(entity: Entity) -> tuple[Key[Any], Key[Any]] | None:
    match entity:
        case Order(campaign=campaign, order_id=order_id, referral_id=referral_id):
            return Key.of(Order, campaign=campaign, order_id=order_id), _referral(referral_id)
        case Voucher(code_key=code_key, referral_id=referral_id):
            return Key.of(Voucher, code_key=code_key), _referral(referral_id)
        case RefereeClaim(campaign=campaign, digest=digest):
            return Key.of(RefereeClaim, campaign=campaign, digest=digest), _invitation(entity)
        case Invitation(referral_id=str(referral_id)):
            return _invitation(entity), _referral(referral_id)
    return None


def _referral(referral_id: str) -> Key[Referral]:
    return Key.of(Referral, referral_id=referral_id)


def _invitation(entity: RefereeClaim | Invitation) -> Key[Invitation]:
    return Key.of(Invitation, sponsor_id=entity.sponsor_id, invitation_id=entity.invitation_id)


def _stored_at(ports: Ports, *keys: Key[Any]) -> tuple[list[Entity], list[Key[Any]]]:
    """What is stored at the keys, and those of what cannot be read."""
    distinct = list(dict.fromkeys(keys))
    stored: list[Entity] = []
    unread: list[Key[Any]] = []
    for start in range(0, len(distinct), BATCH_LIMIT):
        found, failed = read_apart(
            distinct[start : start + BATCH_LIMIT],
            lambda some: ports.repository.read(*some).entities.values(),
        )
        stored += found
        unread += failed
    return stored, unread


def _of_sponsors(
    campaigns: Sequence[Campaign],
    rows: Sequence[OrderRow],
    sponsors: Collection[tuple[str, str]],
    now: datetime,
) -> set[tuple[str, str]]:
    """The campaign and id of the sponsors' orders. One that is refused is like anybody's: a call
    says nothing of the campaign in which somebody is a sponsor.
    """
    return {
        (campaign.id, row.order_id)
        for campaign in campaigns
        for row in rows
        if (campaign.id, row.email_digest) in sponsors and not refusal_of(campaign, row, now)
    }


def ingest_orders(
    ports: Ports, campaign: Campaign, *, plain: Iterable[bytes], tally: Tally
) -> Parts | None:
    """Record the orders of a file; those of a large one are returned in parts. Problems of rows go
    into `tally`. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    few, many = few_or_many(orders(plain, tally, campaign.layout_of("orders")))
    if many:
        return _in_parts(ports, campaign, many)
    recorded = Tally()
    do_each(order_work(ports, campaign, few, recorded))
    tally.add(recorded)
    return None


def _in_parts(ports: Ports, campaign: Campaign, numbered: Iterator[tuple[int, OrderRow]]) -> Parts:
    groups = RowGroups()
    while some := list(islice(numbered, _READ_AT_ONCE)):
        groups.add((line, row.order_id, order_json(line, row)) for line, row in some)
        groups.name((key, row.order_id) for _, row in some for key in code_keys(row))
        groups.name(_given_back(ports, campaign, some))
    # A code of the shop's own may be in every order: only our vouchers keep orders together.
    names = groups.shared_names()
    ours: list[str] = []
    while shared := [{"code_key": key} for key in islice(names, BATCH_LIMIT)]:
        vouchers, unread = read_apart(shared, partial(ports.repository.get_many, Voucher))
        ours += [voucher.code_key for voucher in vouchers]
        ours += [one["code_key"] for one in unread]
    groups.unite(ours)
    return groups.parts()


def _given_back(
    ports: Ports, campaign: Campaign, numbered: Sequence[tuple[int, OrderRow]]
) -> Iterator[tuple[str, str]]:
    """The codes of vouchers that only an earlier report named, each with the order that may give it
    back: another order of the file may be the next to use it.
    """
    order_ids = {
        row.order_id for _, row in numbered if OrderStatus(row.status) in campaign.give_back_voucher
    }
    keys = [{"order_id": order_id} for order_id in sorted(order_ids)]
    # Of one that cannot be read, its row alone is left.
    found, _ = read_apart(keys, partial(ports.repository.get_many, OrderUses))
    for uses in found:
        yield from ((use.code_key, uses.order_id) for use in uses.uses)


def order_work(
    ports: Ports, campaign: Campaign, numbered: Sequence[tuple[int, OrderRow]], tally: Tally
) -> Iterator[RowWork]:
    """The recording of the orders of a campaign's file, in their order; what becomes of them goes
    into `tally`.
    """
    for start in range(0, len(numbered), _AT_ONCE):
        some = numbered[start : start + _AT_ONCE]
        matches = find_matches(ports, [campaign], [row for _, row in some])
        for line, row in some:
            record = partial(_record_row, ports, campaign, matches, line, row, tally)
            yield RowWork(line, row.order_id, record)


def _record_row(
    ports: Ports, campaign: Campaign, matches: Matches, line: int, row: OrderRow, tally: Tally
) -> None:
    if matches.include(campaign, row):
        outcome = matches.record(ports, campaign, row)
    else:
        problem = refusal_of(campaign, row, ports.clock())
        outcome = refused(problem) if problem else _of_a_stranger(row)
    if outcome.problem:
        tally.reject(line, outcome.problem)
        return
    tally.note(outcome.effect)
    if outcome.voucher:
        tally.note_voucher(line, outcome.voucher)


def record_reported_orders(
    ports: Ports,
    campaigns: Sequence[Campaign],
    rows: Sequence[OrderRow],
    *,
    unreadable: Collection[str] = (),
    on_failure: OnFailure = raised,
    until: datetime | None = None,
) -> Iterator[OrderOutcome | None]:
    """Record orders that name no campaign, in their order: in each campaign that knows the voucher,
    the buyer or the order. None for an order that could not be recorded now: send it again.

    So is one that a campaign knows which is `unreadable`, and each that is left at `until`. What
    keeps a single order from being recorded goes to `on_failure`; the others are recorded, however
    many fail, or those in front would keep back all behind them whenever they are sent again.
    """
    matches = find_matches(ports, campaigns, rows, unreadable)
    isolation = Isolation(on_failure, has_to_wait=(ContentionError, ListUnavailableError))
    for position, row in enumerate(rows, 1):
        outcome = None
        is_left = until and ports.clock() >= until
        if not is_left and not any(matches.know(name, row) for name in unreadable):
            with isolation.of("reported order", str(position)):
                outcome = _record_in_each(ports, campaigns, row, matches)
        yield outcome


def _record_in_each(
    ports: Ports, campaigns: Sequence[Campaign], row: OrderRow, matches: Matches
) -> OrderOutcome:
    # First the campaign of the voucher, if there is one: what it says of the code holds.
    known = sorted(
        (campaign for campaign in campaigns if matches.include(campaign, row)),
        key=lambda campaign: not matches.names_voucher(campaign.id, row),
    )
    outcomes = [matches.record(ports, campaign, row) for campaign in known]
    if not outcomes:
        return _of_a_stranger(row)
    # A problem in one campaign, such as its currency, does not undo what another has recorded.
    recorded = next((each for each in outcomes if each.effect not in _WITHOUT_TRACE), None)
    if recorded is None:
        return next((each for each in outcomes if each.problem), outcomes[0])
    first = outcomes[0]
    is_other_currency = row.voucher_code and first.problem == OrderProblem.OTHER_CURRENCY
    problem = VoucherProblem.WRONG_CURRENCY if is_other_currency else None
    return replace(recorded, voucher=first.voucher or problem)


def _of_a_stranger(row: OrderRow) -> OrderOutcome:
    return OrderOutcome("not_a_referees", voucher=CodeProblem.UNKNOWN if row.voucher_code else None)
