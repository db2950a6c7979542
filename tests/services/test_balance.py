"""The balance of a day: nothing to report when all is well, and each law's break is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from random import Random
from threading import Barrier
from typing import TypeVar

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.balance import BalanceFinding, Imbalance, balance_path
from chalicelib.domain.mails import Mail, MailState, voucher_mail
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations import balance
from chalicelib.services.operations.balance import balances, write_balances
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Failure, Insert, OnFailure, Remove, Replace, Repository
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.repository import _fact_key, _pair, _Wrapped
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped

NEWCOMER = "jeanne@example.fr"
DAY = date(2026, 3, 2)

Break = Callable[[World], object]
E = TypeVar("E", bound=Entity)


def a_day(chance: Random | None = None, loses: FactName | None = None) -> World:
    """A day with a bit of everything, in any order of delivery; then the next noon."""
    world = new_world()
    check_facts(world.ports)
    world.loses = lambda to, fact: to == "project" and fact.name == loses
    world.invite(world.sponsor(), NEWCOMER, CUSTOMERS[0])
    world.run(chance)
    world.confirm(NEWCOMER)
    world.run(chance)
    world.export()
    world.run(chance)
    world.acknowledge(1)
    world.run(chance)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run(chance)
    world.clock.advance(hours=27)
    return world


def found(world: World, day: date = DAY) -> list[BalanceFinding]:
    [(_, _, findings)] = balances(world.ports, [(world.campaign, day)])
    return findings


@pytest.mark.parametrize("seed", range(5))
def test_a_day_agrees_in_whatever_order_things_are_delivered(seed: int) -> None:
    world = a_day(Random(seed))
    assert found(world) == []
    seal(world.ports)
    assert found(world) == []
    assert found(world, date(2026, 3, 3)) == []


def test_a_fact_that_was_not_counted_is_found_and_agrees_once_it_is() -> None:
    world = a_day(loses=FactName.REFERRAL_CONFIRMED)
    assert found(world) == [BalanceFinding(Imbalance.COUNTER_AND_FACTS, "confirmed", "1", "0")]
    for _ in range(3):
        check_facts(world.ports)
    assert found(world) == []


def counts_wrongly(world: World) -> None:
    [counts] = [one for one in world.memory._counts.values() if "confirmed" in one]
    counts["confirmed"] += 1


def mails_without_a_fact(world: World) -> None:
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id.startswith("invitation")]
    other = replace(mail, mail_id="voucher-none", ids={"voucher": "none"}, revision=0)
    [sent] = world.facts(FactName.MAIL_SENT)[:1]
    fact = replace(sent, fact_id="x", subject="none", ids={"mail": "voucher-none"})
    world.repository.commit(Insert(replace(other, state=MailState.SENT)), facts=[fact])
    check_facts(world.ports)


def mails_before_the_acknowledgement(world: World) -> None:
    voucher = next(one for one in world.memory.all(Voucher) if one.export is None)
    mail_id = voucher_mail(voucher.voucher_id)
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id.startswith("invitation")]
    [sent] = world.facts(FactName.MAIL_SENT)[:1]
    too_early = replace(mail, mail_id=mail_id, ids={"voucher": voucher.voucher_id}, revision=0)
    fact = replace(sent, fact_id="x", subject=voucher.voucher_id, ids={"mail": mail_id})
    world.repository.commit(Insert(replace(too_early, state=MailState.SENT)), facts=[fact])
    check_facts(world.ports)


def loses_a_voucher(world: World) -> None:
    world.repository.commit(Remove(world.memory.all(Voucher)[0]))


def exports_another_number(world: World) -> None:
    [export] = [one for one in world.memory.all(Export) if one.number == 1]
    world.repository.commit(Replace(replace(export, rows=export.rows + 1)))


def exports_more_than_it_has(world: World) -> None:
    [fact] = world.facts(FactName.VOUCHERS_EXPORTED)
    world.repository.commit(facts=[replace(fact, fact_id="again")])
    check_facts(world.ports)


def leaves_a_voucher_out_of_its_export(world: World) -> None:
    [part, *_] = world.memory.all(ExportPart)
    shorter = replace(part, codes=part.codes[1:], rows=part.rows[1:])
    world.repository.commit(Replace(shorter))


def puts_a_voucher_into_two_exports(world: World) -> None:
    [export, *_] = world.memory.all(Export)
    [part, *_] = world.memory.all(ExportPart)
    second = replace(export, number=2, rows=1, acknowledged_at=None, revision=0)
    world.repository.commit(Insert(second), Insert(replace(part, number=2, revision=0)))


def puts_a_voucher_into_an_export_twice(world: World) -> None:
    [part, *_] = world.memory.all(ExportPart)
    world.repository.commit(Insert(replace(part, part=2, revision=0)))


def names_another_export(world: World) -> None:
    [voucher, *_] = [one for one in world.memory.all(Voucher) if one.export == 1]
    world.repository.commit(Replace(replace(voucher, export=2)))


def forgets_its_export(world: World) -> None:
    [voucher, *_] = [one for one in world.memory.all(Voucher) if one.export == 1]
    world.repository.commit(Replace(replace(voucher, export=None)))


LAW_5 = {Imbalance.ISSUED_AND_EXPORTED, Imbalance.VOUCHER_AND_EXPORTS}


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (counts_wrongly, {Imbalance.COUNTER_AND_FACTS, Imbalance.COUNTER_AND_JOURNAL}),
        (mails_without_a_fact, {Imbalance.MAIL_WITHOUT_FACT}),
        (loses_a_voucher, {Imbalance.VOUCHER_MISSING}),
        (exports_another_number, {Imbalance.EXPORT_AND_FACTS}),
        (leaves_a_voucher_out_of_its_export, LAW_5),
        (puts_a_voucher_into_two_exports, LAW_5),
        (puts_a_voucher_into_an_export_twice, LAW_5),
        (names_another_export, {Imbalance.VOUCHER_AND_EXPORTS}),
        (forgets_its_export, LAW_5),
        (exports_more_than_it_has, {Imbalance.EXPORT_AND_FACTS}),
        (mails_before_the_acknowledgement, {Imbalance.MAIL_WITHOUT_FACT}),
    ],
)
def test_what_does_not_agree_is_named(breaks: Break, expected: set[Imbalance]) -> None:
    world = a_day()
    breaks(world)
    assert {one.what for one in found(world)} == expected


def test_law_5_a_voucher_in_two_exports_is_named_and_the_sum_is_wrong() -> None:
    world = a_day()
    issued = len(world.facts(FactName.VOUCHER_ISSUED))
    [voucher, *_] = [one for one in world.memory.all(Voucher) if one.export == 1]
    puts_a_voucher_into_two_exports(world)
    assert found(world) == [
        BalanceFinding(
            Imbalance.ISSUED_AND_EXPORTED,
            "issued",
            str(issued),
            f"2 exported, {issued - 1} pending",
        ),
        BalanceFinding(Imbalance.VOUCHER_AND_EXPORTS, voucher.voucher_id, "1", "1, 2"),
    ]


def test_law_5_a_voucher_in_no_export_that_it_names_is_lost() -> None:
    world = a_day()
    leaves_a_voucher_out_of_its_export(world)
    [one] = [one for one in found(world) if one.what is Imbalance.VOUCHER_AND_EXPORTS]
    assert (one.expected, one.found) == ("1", "none")


class _ExportsMeanwhile(_Wrapped):
    """Vouchers that waited are exported while a balance reads."""

    def __init__(self, inner: Repository, world: World) -> None:
        super().__init__(inner)
        self.within = self._after_an_export
        self._world = world

    def _after_an_export(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        if kind is Export:
            assert self._world.export()
        return self._inner.within(kind, on_failure, **key)


def test_a_voucher_that_is_exported_while_the_balance_is_made_is_no_finding() -> None:
    world = a_day()
    assert [one for one in world.memory.all(Voucher) if one.export is None]
    ports = wrapped(world, lambda inner: _ExportsMeanwhile(inner, world))
    [(_, _, findings)] = balances(ports, [(world.campaign, DAY)])
    assert findings == []


class _PartsRead(_Wrapped):
    """Keeps the numbers of the exports whose parts are read."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.within = self._noted
        self.numbers: list[str | int] = []

    def _noted(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        if kind is ExportPart:
            self.numbers.append(key["number"])
        return self._inner.within(kind, on_failure, **key)


def test_exports_that_were_written_before_the_day_are_not_read() -> None:
    world = a_day()
    world.referral("paul@example.fr", VIPS[1])
    assert world.export()
    world.run()
    world.clock.advance(hours=24)
    read = _PartsRead(world.repository)
    ports = replace(world.ports, repository=read)
    [(_, _, findings)] = balances(ports, [(world.campaign, date(2026, 3, 3))])
    assert findings == []
    assert read.numbers == [2]


def test_a_holders_vouchers_of_other_days_are_not_of_this_one() -> None:
    world = a_day()
    world.export()
    world.run()
    world.clock.advance(hours=24)
    world.referral("paul@example.fr")
    world.drop_orders(world.order("A2", "kept", of="paul@example.fr"), file="A2")
    world.run()
    world.clock.advance(hours=24)
    today = date(2026, 3, 4)
    issued = [one for one in world.memory.all(Voucher) if one.issued_at.date() == today]
    holders = {one.holder_id for one in issued}
    assert [one for one in world.memory.all(Voucher) if one.holder_id in holders] != issued
    assert found(world, today) == []


def test_a_mail_sent_days_after_its_fact_has_one() -> None:
    world = new_world()
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    [accepted] = world.facts(FactName.INVITATION_ACCEPTED)
    [sent] = world.facts(FactName.INVITATION_SENT)
    later = replace(sent, fact_id="later", at=accepted.at.replace(day=4))
    world.repository.commit(facts=[later])
    assert Imbalance.MAIL_WITHOUT_FACT not in {one.what for one in found(world, date(2026, 3, 4))}


def test_an_altered_journal_is_a_finding() -> None:
    world = a_day()
    seal(world.ports)
    [path, *_] = sorted(world.files.under(f"out/{CAMPAIGN}/journal/"))
    world.files.content[path] = world.files.content[path].replace(b"2026", b"2025", 1)
    assert Imbalance.JOURNAL_UNREADABLE in {one.what for one in found(world)}


def test_the_report_is_written_once_when_the_day_is_settled() -> None:
    world = a_day(loses=FactName.REFERRAL_CONFIRMED)
    path = balance_path(CAMPAIGN, DAY)
    world.clock.advance(hours=-11)
    assert list(write_balances(world.ports, [world.campaign])) == []
    world.clock.advance(hours=11)
    for _ in range(2):
        [(_, findings)] = write_balances(world.ports, [world.campaign])
        assert findings == 1
    assert world.files.content[path].decode().splitlines() == [
        "what,about,expected,found",
        "counter_and_facts,confirmed,1,0",
    ]


def test_of_two_reports_of_a_day_at_once_the_first_one_stays() -> None:
    world = a_day()
    path = balance_path(CAMPAIGN, DAY)

    def meanwhile(
        hour: datetime, shard: int, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        if path not in world.files.content:
            list(write_balances(world.ports, [world.campaign]))
            counts_wrongly(world)
        return world.memory.facts_in(hour, shard, on_failure)

    busy = _Wrapped(world.repository)
    busy.facts_in = meanwhile
    list(write_balances(replace(world.ports, repository=busy), [world.campaign]))
    assert world.files.content[path].decode().splitlines() == ["what,about,expected,found"]


def test_a_fact_of_another_campaign_is_not_of_this_one() -> None:
    world = a_day()
    [first, *_] = world.facts()
    other: Fact = replace(first, fact_id="other", campaign="other")
    world.repository.commit(facts=[other])
    assert found(world) == []


def test_a_fact_of_a_later_version_is_no_finding() -> None:
    world = a_day()
    [first, *_] = world.facts()
    world.repository.commit(facts=[replace(first, fact_id="later", name="order_praised")])
    assert found(world) == []


# --- what cannot be handled ----------------------------------------------------------------------


def store_fact(world: World, fact: Fact) -> None:
    """As a version with a fault stored it: no relay or projector has done anything with it."""
    world.memory._facts[_fact_key(fact)] = fact


def says_too_little(world: World) -> str:
    [issued, *_] = world.facts(FactName.VOUCHER_ISSUED)
    store_fact(world, replace(issued, fact_id="poison", ids={}, details={}, counted=False))
    return "poison"


def unreadable_fact(world: World) -> str:
    [issued, *_] = world.facts(FactName.VOUCHER_ISSUED)
    store_fact(world, replace(issued, fact_id="unreadable"))
    world.memory.unreadable.add(_fact_key(replace(issued, fact_id="unreadable")))
    return "unreadable"


def unreadable_voucher(world: World) -> str:
    [voucher, *_] = world.memory.all(Voucher)
    world.memory.unreadable.add(_pair(schema.key_of(voucher)))
    return voucher.voucher_id


@pytest.mark.parametrize("spoils", [says_too_little, unreadable_fact, unreadable_voucher])
def test_what_cannot_be_handled_is_named_and_all_else_is_balanced(
    spoils: Callable[[World], str],
) -> None:
    world = a_day()
    name = spoils(world)
    counts_wrongly(world)
    failures: list[Failure] = []
    due = [(world.campaign, DAY), (campaign(campaign="other"), DAY)]
    found = {
        one.id: {each.what for each in findings}
        for one, _, findings in balances(world.ports, due, on_failure=failures.append)
    }
    wrong = {Imbalance.COUNTER_AND_FACTS, Imbalance.COUNTER_AND_JOURNAL}
    assert found == {CAMPAIGN: wrong, "other": set()}
    assert [one.name for one in failures] == [name]
    with pytest.raises((ValueError, TypeError, KeyError)):
        list(balances(world.ports, due))


def test_a_mail_whose_facts_cannot_be_read_hides_no_other() -> None:
    world = a_day()
    mails_without_a_fact(world)
    [sent, *_] = [one for one in world.facts(FactName.MAIL_SENT) if one.subject == "none"]
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id == "voucher-none"]
    for number in (1, 2):
        other = replace(
            mail, mail_id=f"voucher-{number}", ids={"voucher": f"v{number}"}, revision=0
        )
        fact = replace(sent, fact_id=f"s{number}", ids={"mail": other.mail_id})
        world.repository.commit(Insert(other), facts=[fact])
    issued = world.facts(FactName.VOUCHER_ISSUED)[0]
    at = mail.caused_at or mail.leased_at
    store_fact(world, replace(issued, fact_id="poison", subject="v1", at=at, ids={}))
    failures: list[Failure] = []
    [(_, _, findings)] = balances(world.ports, [(world.campaign, DAY)], on_failure=failures.append)
    named = {one.about for one in findings if one.what is Imbalance.MAIL_WITHOUT_FACT}
    assert named == {"voucher-none", "voucher-2"}
    assert {one.name for one in failures} == {"poison", "voucher-1"}


class _ReadTogether(_Wrapped):
    """Vouchers of holders, that are only given when those of another one are asked for too."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self._both = Barrier(2, timeout=10)
        self.held_by = self._once_both_are_asked_for

    def _once_both_are_asked_for(
        self, holder_id: str, on_failure: OnFailure | None = None
    ) -> list[Voucher]:
        self._both.wait()
        return self._inner.held_by(holder_id, on_failure)


def test_vouchers_of_several_holders_are_read_side_by_side() -> None:
    world = a_day()
    holders = {one.holder_id for one in world.memory.all(Voucher)}
    assert len(holders) == 2
    ports = wrapped(world, _ReadTogether)
    [(_, _, findings)] = balances(ports, [(world.campaign, DAY)], readers=2)
    assert findings == []


def test_no_voucher_is_left_out_where_holders_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "HOLDERS_AT_ONCE", 1)
    world = a_day()
    assert found(world) == []
    loses_a_voucher(world)
    assert {one.what for one in found(world)} == {Imbalance.VOUCHER_MISSING}


def test_a_fact_of_the_same_hour_and_of_another_local_day_is_not_of_this_one() -> None:
    """Where midnight is at half past an hour of UTC: what is missing is named on its day alone."""
    world = new_world(time_zone="Asia/Kolkata")
    for minute, address in ((20, NEWCOMER), (40, "paul@example.fr")):
        world.clock.now = world.clock.now.replace(hour=18, minute=minute)
        world.referral(address)
    last = world.memory.all(Voucher)[-1]
    world.repository.commit(Remove(last))
    world.clock.advance(hours=30)
    missing = BalanceFinding(Imbalance.VOUCHER_MISSING, last.voucher_id)
    assert [found(world, day) for day in (DAY, date(2026, 3, 3))] == [[], [missing]]


def test_what_an_earlier_version_did_not_count_is_no_difference() -> None:
    world = a_day()
    for counts in world.memory._counts.values():
        for name in [name for name in counts if name.startswith("issued.")]:
            del counts[name]
    assert found(world) == []


def test_an_export_that_is_not_written_yet_has_its_vouchers() -> None:
    world = a_day()
    [export] = world.memory.all(Export)
    world.repository.commit(
        Replace(replace(export, state=ExportState.SEALED, written_at=None, acknowledged_at=None))
    )
    assert found(world) == []


def test_a_day_on_which_nothing_was_counted_has_no_report() -> None:
    world = a_day()
    world.clock.advance(days=1)
    assert list(write_balances(world.ports, [world.campaign])) == []
