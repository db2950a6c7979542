"""The balance of a day: nothing to report when all is well, and each law's break is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

import pytest

from chalicelib.domain.exports import Export
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.balance import BalanceFinding, Imbalance, balance_path
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.balance import balances, write_balances
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Insert, Remove, Replace
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import CUSTOMERS, World, new_world

NEWCOMER = "jeanne@example.fr"
DAY = date(2026, 3, 2)

Break = Callable[[World], object]


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


def loses_a_voucher(world: World) -> None:
    world.repository.commit(Remove(world.memory.all(Voucher)[0]))


def exports_another_number(world: World) -> None:
    [export] = [one for one in world.memory.all(Export) if one.number == 1]
    world.repository.commit(Replace(replace(export, rows=export.rows + 1)))


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (counts_wrongly, {Imbalance.COUNTER_AND_FACTS, Imbalance.COUNTER_AND_JOURNAL}),
        (mails_without_a_fact, {Imbalance.MAIL_WITHOUT_FACT}),
        (loses_a_voucher, {Imbalance.VOUCHER_MISSING}),
        (exports_another_number, {Imbalance.EXPORT_AND_FACTS}),
    ],
)
def test_what_does_not_agree_is_named(breaks: Break, expected: set[Imbalance]) -> None:
    world = a_day()
    breaks(world)
    assert {one.what for one in found(world)} == expected


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


def test_a_fact_of_another_campaign_is_not_of_this_one() -> None:
    world = a_day()
    [first, *_] = world.facts()
    other: Fact = replace(first, fact_id="other", campaign="other")
    world.repository.commit(facts=[other])
    assert found(world) == []


def test_a_day_on_which_nothing_was_counted_has_no_report() -> None:
    world = a_day()
    world.clock.advance(days=1)
    assert list(write_balances(world.ports, [world.campaign])) == []
