"""Files of changes: each change in exactly one, in the order of its voucher, whatever is killed."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from chalicelib.domain.changes import ChangeKind, VoucherChange, shard_of
from chalicelib.domain.changes_files import CHANGE_COLUMNS, ChangesFile, ChangesPart
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.facts import Fact, FactName
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.numbered_files import FILE_ROWS
from chalicelib.services.ports import Change, OnFailure, Ports, Repository
from chalicelib.services.vouchers.changes import _Changes, write_changes
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import _Wrapped
from tests.fakes.till import Till
from tests.fakes.world import World, new_world, wrapped

FOLDER = "out/demo-vip/changes/"
E = TypeVar("E", bound=Entity)


@pytest.fixture
def till() -> Till:
    return Till(new_world())


def write(till: Till) -> list[ChangesFile]:
    return write_changes(till.ports, till.world.campaign)


def changes_in(world: World) -> dict[str, list[dict[str, str]]]:
    """The rows of every file of changes in the bucket, by its name."""
    return {
        path.removeprefix(FOLDER).removesuffix(".csv.gz"): list(
            csv.DictReader(gzip.decompress(content).decode().splitlines())
        )
        for path, content in sorted(world.files.under(FOLDER).items())
        if path.endswith(".csv.gz")
    }


def manifest_of(world: World, number: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(world.files.content[f"{FOLDER}{number}.manifest.json"])
    return content


def test_nothing_happened_makes_no_file(till: Till) -> None:
    till.issue()
    till.world.export()
    assert write(till) == []
    assert till.world.files.under(FOLDER) == {}


def test_a_file_of_changes_has_a_number_rows_and_a_manifest_that_agrees(till: Till) -> None:
    first, second = till.issue(), till.issue("thank-you")
    till.world.export()
    till.world.clock.advance(hours=1)
    till.redeem(first, "A1")
    till.world.clock.advance(hours=1)
    till.revoke(second)
    [file] = write(till)
    assert (file.number, file.rows, file.state) == (1, 2, ExportState.WRITTEN)
    [rows] = changes_in(till.world).values()
    assert tuple(rows[0]) == CHANGE_COLUMNS
    assert rows == [
        {
            "code": till.voucher(first).code, "voucher": "voucher1", "change": "redeemed",
            "at": "2026-03-02T10:00:00+00:00", "order_id": "A1", "reason": "",
        },
        {
            "code": till.voucher(second).code, "voucher": "voucher2", "change": "revoked",
            "at": "2026-03-02T11:00:00+00:00", "order_id": "", "reason": "order_returned",
        },
    ]  # fmt: skip
    content = till.world.files.content[f"{FOLDER}00000001.csv.gz"]
    assert manifest_of(till.world, "00000001") == {
        "number": "00000001",
        "rows": 2,
        "sha256": hashlib.sha256(content).hexdigest(),
        "generated_at": till.world.clock().isoformat(),
        "changes": {
            "revoked": 1, "redeemed": 1, "rolled_back": 0, "expired": 0, "replaced": 0, "refused": 0
        },
        "first_at": "2026-03-02T10:00:00+00:00",
        "last_at": "2026-03-02T11:00:00+00:00",
    }  # fmt: skip
    [fact] = till.world.facts(FactName.CHANGES_WRITTEN)
    assert fact.details == {"number": 1, "count": 2}


def test_an_order_id_is_written_as_the_client_reported_it(till: Till) -> None:
    key = till.issue()
    till.world.export()
    till.redeem(key, 'n° 4,"x"; #é')
    write(till)
    [[row]] = changes_in(till.world).values()
    assert row["order_id"] == 'n° 4,"x"; #é'


def test_law_5_running_it_again_changes_nothing(till: Till) -> None:
    key = till.issue()
    till.world.export()
    till.redeem(key, "A1")
    write(till)
    before = dict(till.world.files.content)
    assert write(till) == []
    assert till.world.files.content == before
    assert till.world.memory.all(VoucherChange) == []


def test_a_change_waits_for_the_export_of_its_voucher_and_holds_up_no_other(till: Till) -> None:
    unknown = till.issue()
    till.redeem(unknown, "A1")
    assert write(till) == []
    till.world.export()
    known = [till.issue() for _ in range(2)]
    till.world.export()
    later = till.issue()
    till.redeem(later, "A2")
    till.redeem(known[0], "A3")
    till.roll_back(later)
    till.revoke(known[1])
    write(till)
    [rows] = changes_in(till.world).values()
    assert [row["order_id"] or row["change"] for row in rows] == ["A1", "A3", "revoked"]
    till.world.export()
    write(till)
    assert [row["change"] for row in changes_in(till.world)["00000002"]] == [
        "redeemed",
        "rolled_back",
    ]


def test_a_change_waits_while_the_export_of_its_voucher_is_not_written_yet(till: Till) -> None:
    """Sealed is not enough: the client cannot see its file."""
    till.redeem(till.issue(), "A1")
    for world in killed_everywhere(
        lambda: till_with_a_redemption().world,
        lambda world, ports: _export(world, ports),
        lambda world: world.ports,
    ):
        written = [export.state is ExportState.WRITTEN for export in world.memory.all(Export)] == [
            True
        ]
        assert bool(write_changes(world.ports, world.campaign)) is written


class _CountedReads(_Wrapped):
    """Counts the changes that are read, and the vouchers that are read for them."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.changes = self.vouchers = 0
        self.within = self._within

    def _within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        for one in self._inner.within(kind, on_failure, **key):
            self.changes += kind is VoucherChange
            yield one

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        self.vouchers += len(keys)
        return super().get_many(kind, keys)


def test_what_waits_for_its_export_is_read_twice_however_many_parts_are_written(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Changes, "part_rows", 2)
    known = [till.issue() for _ in range(10)]
    till.world.export()
    for number, key in enumerate([till.issue() for _ in range(20)] + known):
        till.world.clock.advance(seconds=1)
        till.redeem(key, f"A{number}")
    counted = _CountedReads(till.world.repository)
    [file] = write_changes(replace(till.ports, repository=counted), till.world.campaign)
    assert (file.parts, file.rows) == (5, 10)
    assert (counted.changes, counted.vouchers) == (2 * 30, 30)


class _MeetsAnotherRun(_Wrapped):
    """Another run commits just before the second part of this one."""

    def __init__(self, inner: Repository, other_run: Callable[[], object]) -> None:
        super().__init__(inner)
        self._other_run = other_run
        self._parts = 0

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        self._parts += any(isinstance(one.entity, ChangesPart) for one in changes)
        if self._parts == 2:
            self._parts += 1
            self._other_run()
        super().commit(*changes, facts=facts)


@pytest.mark.parametrize("rows_of_the_other", [1, 2, 3])
def test_two_runs_at_once_write_each_change_once_in_its_order(
    till: Till, monkeypatch: pytest.MonkeyPatch, rows_of_the_other: int
) -> None:
    monkeypatch.setattr(_Changes, "part_rows", 2)
    keys = [till.issue() for _ in range(4)]
    till.world.export()
    for number, key in enumerate(keys):
        till.world.clock.advance(seconds=1)
        till.redeem(key, f"A{number}")
    till.roll_back(keys[-1])

    def a_part_of_another_run() -> None:
        other = _Changes(till.ports, till.world.campaign.id, FILE_ROWS, Isolation(raised))
        monkeypatch.setattr(other, "part_rows", rows_of_the_other, raising=False)
        other._add_part(1)

    ports = wrapped(till.world, lambda inner: _MeetsAnotherRun(inner, a_part_of_another_run))
    write_changes(ports, till.world.campaign)
    [rows] = changes_in(till.world).values()
    assert [row["order_id"] for row in rows] == ["A0", "A1", "A2", "A3", "A3"]
    assert rows[-1]["change"] == "rolled_back"


def till_with_a_redemption() -> Till:
    till = Till(new_world())
    till.redeem(till.issue(), "A1")
    return till


def _export(world: World, ports: Ports) -> None:
    from chalicelib.services.vouchers.export import export_vouchers

    export_vouchers(ports, world.campaign)


def test_more_changes_than_fit_a_transaction_make_parts_of_one_file(till: Till) -> None:
    keys = [till.issue() for _ in range(95)]
    till.world.export()
    for number, key in enumerate(keys):
        till.redeem(key, f"A{number}")
    [file] = write(till)
    assert (file.parts, file.rows) == (2, 95)


def test_a_file_that_is_long_enough_is_closed_and_the_next_one_goes_on(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Changes, "part_rows", 2)
    keys = [till.issue() for _ in range(5)]
    till.world.export()
    for number, key in enumerate(keys):
        till.redeem(key, f"A{number}")
    written = write_changes(till.ports, till.world.campaign, file_rows=3)
    assert [(file.number, file.rows) for file in written] == [(1, 3), (2, 2)]
    assert write(till) == []


class _UsedMeanwhile(_Wrapped):
    """With each file that is written, another voucher has been used."""

    def __init__(self, inner: Repository, till: Till, keys: Iterable[str]) -> None:
        super().__init__(inner)
        self._till = till
        self._keys = list(keys)

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        if self._keys and any(fact.name == FactName.CHANGES_WRITTEN for fact in facts):
            self._till.redeem(self._keys.pop(), "A1")


def test_what_happens_while_files_are_written_waits_for_the_next_run(till: Till) -> None:
    """Else a busy evening would make a small file of every few changes."""
    first, *others = [till.issue() for _ in range(4)]
    till.world.export()
    till.redeem(first, "A0")
    ports = wrapped(till.world, lambda inner: _UsedMeanwhile(inner, till, others))
    for number in range(1, 4):
        [file] = write_changes(ports, till.world.campaign)
        assert (file.number, file.rows) == (number, 1)


class _StoredBehind(_Wrapped):
    """While the waiting changes are read for the n-th time, two more are stored: the first of them
    behind what was read already, the second after it.
    """

    def __init__(self, inner: Repository, till: Till, key: str, at: int) -> None:
        super().__init__(inner)
        self._till = till
        self._key = key
        self._left = at
        self.within = self._within

    def _within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        found = list(self._inner.within(kind, on_failure, **key))
        is_read = kind is VoucherChange and key["shard"] == shard_of(self._key)
        self._left -= is_read
        if is_read and self._left == 0:
            yield from found
            self._till.world.clock.advance(hours=-1)
            self._till.redeem(self._key, "A1")
            self._till.world.clock.advance(hours=2)
            self._till.roll_back(self._key)
            added = [one for one in self._inner.within(kind, on_failure, **key) if one not in found]
            yield added[-1]
            return
        yield from found


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_change_never_overtakes_an_earlier_one_of_its_voucher(till: Till, at: int) -> None:
    """Stored by a function whose clock is behind, the first one is not seen: it is looked for."""
    key, other = till.issue(), till.issue()
    till.world.export()
    till.world.clock.advance(hours=3)
    till.redeem(other, "B1")
    ports = wrapped(till.world, lambda inner: _StoredBehind(inner, till, key, at))
    for _ in range(4):
        write_changes(ports, till.world.campaign)
    rows = [row for rows in changes_in(till.world).values() for row in rows]
    own = [row["change"] for row in rows if row["voucher"] == till.voucher(key).voucher_id]
    assert own == ["redeemed", "rolled_back"]
    assert len(rows) == 3


@pytest.mark.slow
def test_law_5_killed_at_every_step_and_run_again_each_change_is_in_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Changes, "part_rows", 2)

    def begin() -> World:
        till = Till(new_world())
        keys = [till.issue() for _ in range(3)]
        till.world.export()
        for number, key in enumerate(keys):
            till.redeem(key, f"A{number}")
            till.roll_back(key)
        return till.world

    undisturbed = begin()
    write_changes(undisturbed.ports, undisturbed.campaign)
    file = f"{FOLDER}00000001.csv.gz"
    worlds = killed_everywhere(
        begin, lambda world, ports: write_changes(ports, world.campaign), lambda world: world.ports
    )
    assert len(worlds) > 20
    for world in worlds:
        left_behind = dict(world.files.under(FOLDER))
        world.clock.advance(minutes=5)
        write_changes(world.ports, world.campaign)
        assert write_changes(world.ports, world.campaign) == []
        assert left_behind.items() <= world.files.under(FOLDER).items()
        assert world.files.content[file] == undisturbed.files.content[file]
        assert all_changes_once(world)
        [stored] = world.memory.all(ChangesFile)
        assert stored.sha256 == hashlib.sha256(world.files.content[file]).hexdigest()
        assert len(world.facts(FactName.CHANGES_WRITTEN)) == 1


def all_changes_once(world: World) -> bool:
    """Whether each voucher was redeemed and rolled back, once and in this order."""
    by_voucher: dict[str, list[str]] = defaultdict(list)
    for rows in changes_in(world).values():
        for row in rows:
            by_voucher[row["voucher"]].append(row["change"])
    return Counter(map(tuple, by_voucher.values())) == {("redeemed", "rolled_back"): 3}


def test_every_kind_of_change_is_a_word_of_the_file(till: Till) -> None:
    key, refused, ended = till.issue(), till.issue(), till.issue(days=1)
    till.world.export()
    till.redeem(key, "A1")
    till.roll_back(key)
    till.revoke(key)
    till.refuse(refused)
    till.expire(ended)
    write(till)
    [rows] = changes_in(till.world).values()
    assert {row["change"] for row in rows} == set(ChangeKind)
