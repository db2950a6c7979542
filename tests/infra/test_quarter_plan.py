"""The quarter of the demo, played in memory: what it has for each chart, and that it is the same
each time. That the emulator's stack shows it is in tests/e2e/test_quarter.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.effects import deltas, totals
from chalicelib.domain.facts import Fact
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Ports
from local.demo import lists
from local.quarter.aside import Inbox
from local.quarter.history import cohort_file
from local.quarter.plan import DAYS, Answer, Draw
from local.quarter.play import Player, campaign_file
from tests.fakes.indexed import IndexedRepository
from tests.fakes.ports import MemoryKeys
from tests.fakes.world import World

pytestmark = pytest.mark.xdist_group("quarter-plan")

UNTIL = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
FIRST_DAY = date(2026, 11, 27) - timedelta(days=DAYS)


class DemoKeys(MemoryKeys):
    """The key of the demo."""

    def in_force(self, keys: DigestKeys) -> list[DigestKey]:
        return [lists.demo_key() for _ in keys.key_ids]


class InMemory:
    """Where the quarter is played, without an emulator."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        mailer: Any = self.inbox
        self.world = World(store=IndexedRepository(), mailer=mailer, projects=False)
        self.world.clock.now = UNTIL - timedelta(days=DAYS + 1)
        self.files = self.world.files
        self.ports: Ports = replace(self.world.ports, keys=DemoKeys())
        self.world.ports = self.ports

    @property
    def now(self) -> datetime:
        return self.world.clock.now

    @property
    def facts(self) -> list[Fact]:
        return self.world.facts()

    def set_clock(self, now: datetime) -> None:
        self.world.clock.now = max(self.now, now.astimezone(UTC))

    def work(self) -> None:
        self.world.run()


def played() -> InMemory:
    aside = InMemory()
    made: Any = aside
    Player(made, campaign_file(FIRST_DAY), UNTIL).play()
    return aside


def counted(aside: InMemory) -> dict[date, dict[str, int]]:
    return deltas(campaign_file(FIRST_DAY), aside.facts)


@cache
def days() -> dict[date, dict[str, int]]:
    return counted(played())


def summed(name: str) -> int:
    """All counts whose names begin so."""
    of_all = totals(days())
    return sum(by for full, by in of_all.items() if f"{full}.".startswith(f"{name}."))


@pytest.mark.slow
def test_the_same_day_has_the_same_quarter() -> None:
    assert counted(played()) == days()


@pytest.mark.slow
def test_whoever_is_brought_its_facts_again_finds_all_of_it_done() -> None:
    """As the stream of the stack does when the quarter is carried into its table."""
    aside = played()
    before, mails = len(aside.facts), aside.inbox.sent
    relay(aside.ports, aside.facts)
    aside.work()
    assert [fact.name for fact in aside.facts[before:]] == []
    assert aside.inbox.sent == mails


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    {
        "sponsors.signed_in": 25, "sponsors.active": 25,
        "channel.email.invited": 150, "channel.link.invited": 10,
        "channel.email.confirmed": 60, "channel.link.confirmed": 5,
        "hour": 150, "release.2": 1, "release.3": 1, "rule.granted": 100, "rule.redeemed": 20,
        "rule.expired": 5, "rule.revoked": 2, "rule.refused": 2, "rule.replaced": 1,
        "within": 80, "consents": 10, "oppositions": 1,
        "refused.customer": 3, "refused.already_invited": 1, "refused.role_address": 1,
        "refused.sponsor_in_disguise": 1,
        "bounced": 2, "declined": 5, "expired": 20, "complaints": 1,
        "kept.1": 50, "kept.2": 25, "kept.3": 10, "lost": 1,
        "buyer.referee": 100, "buyer.sponsor": 1, "buyer.other": 1,
        "money.issued": 1000, "money.redeemed": 1000, "money.expired": 1000, "money.revoked": 500,
        "till.exhausted": 2, "till.unknown": 2, "revenue": 500_000,
        "held.rewards": 1, "vouchers_replaced": 1, "rewards_taken_back": 1,
    }.items(),
)  # fmt: skip
def test_there_is_something_for_each_chart(name: str, least: int) -> None:
    assert summed(name) >= least


@pytest.mark.slow
def test_vouchers_end_in_several_months_to_come() -> None:
    due = {name: by for name, by in totals(days()).items() if name.startswith("due.")}
    assert min(due.values()) >= 0
    assert sum(by > 0 for by in due.values()) >= 3


@pytest.mark.slow
def test_no_week_is_without_invitations_and_the_mailing_is_the_busiest() -> None:
    weeks = [0] * (DAYS // 7 + 1)
    for day, counts in days().items():
        weeks[(day - FIRST_DAY).days // 7] += counts.get("invited", 0)
    assert min(weeks[:-1]) > 0
    assert max(weeks) in weeks[6:8]


def answers(first_weekday: int) -> Iterator[Answer]:
    for visit in Draw(first_weekday).visits():
        yield from (one.answer for one in visit.invited)


@pytest.mark.parametrize("first_weekday", range(7))
def test_whatever_day_it_is_everybody_is_another_and_every_answer_is_given(
    first_weekday: int,
) -> None:
    visits = Draw(first_weekday).visits()
    assert visits == Draw(first_weekday).visits()
    assert set(answers(first_weekday)) == set(Answer)
    assert all(0 <= visit.day < DAYS for visit in visits)
    assert all(len(visit.invited) <= 20 for visit in visits)  # what one call takes
    sponsors = {visit.sponsor for visit in visits}
    assert all(lists.vip_address(int(one[3:].partition("@")[0])) == one for one in sponsors)


def test_the_clients_other_newcomers_are_in_the_past() -> None:
    today = date(2026, 11, 27)
    header, *rows = cohort_file(today).decode().splitlines()
    assert header == "source,joined_on,last_order_on"
    for row in rows:
        _, joined, last = row.split(",")
        assert joined <= last <= today.isoformat()
