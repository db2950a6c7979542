"""The correspondence table: from the one before, and only what changed is read."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals import Referral, ReferralMark
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.report import report
from chalicelib.services.ports import Failure, Insert, Ports, Remove, Replace
from chalicelib.services.vouchers.export import export_vouchers
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import MORNING
from tests.fakes.repository import LaggingRepository, MemoryRepository, RecordingRepository
from tests.fakes.world import World, new_world

NEWCOMER = "jeanne@example.fr"


def referral(number: int, **changes: object) -> Referral:
    """One of many, each confirmed a second after the one before."""
    one = next(one for one in ENTITIES if isinstance(one, Referral))
    at = MORNING + timedelta(seconds=number)
    changed = {"referral_id": f"r{number:03}", "confirmed_at": at} | changes
    return replace(one, **changed)  # type: ignore[arg-type]


@pytest.fixture
def many(world: World) -> World:
    """Referrals, with a table of this hour."""
    for start in (0, 100, 200):
        changes = (Insert(referral(number)) for number in range(start, start + 100))
        world.repository.commit(*changes)
    assert report(world.ports, world.campaign) == 300
    world.clock.advance(hours=1)
    return world


def table(world: World) -> list[list[str]]:
    """The rows of the newest table, without the header."""
    files = world.files.under(f"out/{CAMPAIGN}/referrals/")
    lines = gzip.decompress(files[max(files)]).decode().splitlines()
    return [line.split(",") for line in lines[1:]]


def reads(world: World, ports: Ports | None = None) -> int:
    """How many reads of referrals a run makes."""
    recorded = RecordingRepository((ports or world.ports).repository)
    report(replace(world.ports, repository=recorded), world.campaign)
    return len([one for one in recorded.calls if "Cohort" not in one])


def change(world: World, number: int) -> None:
    [stored] = [one for one in world.memory.all(Referral) if one.referral_id == f"r{number:03}"]
    world.repository.commit(Replace(replace(stored, kept_orders=("A1", "A2", "A3"))))


def test_a_mark_is_read_as_it_was_written() -> None:
    for mark in (ReferralMark(12, ("k2", "k1", "tandem")), ReferralMark(3, ())):
        assert ReferralMark.parse(str(mark)) == mark


def test_nothing_is_read_when_nothing_has_changed(many: World) -> None:
    before = table(many)
    assert reads(many) == 0
    assert table(many) == before
    assert [row[0] for row in before] == [f"r{number:03}" for number in range(300)]


def test_only_what_changed_or_came_is_read(many: World) -> None:
    change(many, 7)
    many.repository.commit(Insert(referral(5, referral_id="new")))
    assert reads(many) == 1
    rows = {row[0]: row for row in table(many)}
    assert len(rows) == 301
    assert rows["r007"][4:6] == ["4", "2"]  # one more than it lists
    assert rows["r008"][4:6] == ["3", "1"]
    assert [row[0] for row in table(many)][4:8] == ["r004", "new", "r005", "r006"]
    assert reads(many) == 0


def test_the_table_of_another_day_is_gone_on_from_and_an_old_one_is_not(many: World) -> None:
    many.clock.advance(days=7)
    assert reads(many) == 0
    many.clock.advance(days=8)
    assert reads(many) == 3
    assert len(table(many)) == 300


def test_after_a_table_with_other_columns_every_referral_is_read(many: World) -> None:
    [path] = many.files.under(f"out/{CAMPAIGN}/referrals/")
    many.files.content[path] = gzip.compress(b"referral,sponsor_digest,orders\nr001,d,1\n")
    assert reads(many) == 3
    assert len(table(many)) == 300


def test_a_referral_that_was_removed_leaves_the_table(many: World) -> None:
    many.repository.commit(Remove(replace(referral(3), revision=1)))
    assert reads(many) == 1
    assert "r003" not in [row[0] for row in table(many)]
    assert reads(many) == 0


def test_a_row_stays_while_the_index_has_lost_its_referral(many: World) -> None:
    """A change of an entry is a removal and an addition; a reader may come between the two."""
    before = MemoryRepository()
    before._items = {
        key: one for key, one in many.memory._items.items() if key[0] != "REFERRAL#r009"
    }
    ports = replace(many.ports, repository=LaggingRepository(many.repository, before))
    assert reads(many, ports) == 1
    assert len(table(many)) == 300


def test_a_change_that_the_index_does_not_say_yet_comes_with_a_later_table(many: World) -> None:
    before = MemoryRepository()
    before._items = dict(many.memory._items)
    change(many, 7)
    ports = replace(many.ports, repository=LaggingRepository(many.repository, before))
    assert reads(many, ports) == 0
    assert reads(many) == 1
    assert {row[0]: row[5] for row in table(many)}["r007"] == "2"


def test_a_referral_that_cannot_be_read_is_named_and_the_others_have_their_rows(
    many: World,
) -> None:
    for number in (7, 8):
        change(many, number)
    many.memory.unreadable.add(("REFERRAL#r007", "REFERRAL"))
    failures: list[Failure] = []
    assert report(many.ports, many.campaign, failures.append) == 299
    assert [(failure.kind, failure.name) for failure in failures] == [("Referral", "r007")]
    assert {row[0]: row[5] for row in table(many)}["r008"] == "2"


@pytest.mark.parametrize("broken", ["item", "row"])
def test_a_voucher_that_cannot_be_exported_is_named_once_and_holds_up_no_other(
    broken: str,
) -> None:
    world = new_world()
    world.referral(NEWCOMER)
    world.referral("paul@example.fr")
    [one, other] = world.memory.all(Voucher)
    key = next(key for key, item in world.memory._items.items() if item == one)
    if broken == "item":
        world.memory.unreadable.add(key)
    else:
        # A row has a currency with minor units; none is made of this.
        world.memory._items[key] = replace(one, valid_from="never")  # type: ignore[arg-type]
    failures: list[Failure] = []
    [export] = export_vouchers(world.ports, world.campaign, failures.append)
    assert export.rows == 1
    assert [row["voucher"] for row in world.exported(1)] == [other.voucher_id]
    assert len(failures) == 1
    world.memory.unreadable.clear()
    world.memory._items[key] = one
    assert export_vouchers(world.ports, world.campaign)
    assert [row["voucher"] for row in world.exported(2)] == [one.voucher_id]
