"""Voucher files: every voucher in exactly one, none ever changed, whenever the run is killed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from weakref import WeakSet

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.ports import Agenda, Change, OnFailure, Repository
from chalicelib.services.vouchers.export import _Exports, export_vouchers
from tests.fakes.campaign import digest
from tests.fakes.due import reconcile
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import ContestedRepository, LaggingRepository, _Wrapped
from tests.fakes.till import Till
from tests.fakes.world import VIPS, World, new_world, wrapped

E = TypeVar("E", bound=Entity)

NEWCOMERS = [f"new{number}@example.fr" for number in range(4)]
FOLDER = "out/demo-vip/vouchers/"


def issued(count: int = 3) -> World:
    """A world with some vouchers that wait for their export."""
    world = new_world()
    world.invite(world.sponsor(), *NEWCOMERS[:count])
    world.run()
    for address in NEWCOMERS[:count]:
        world.confirm(address)
    world.run()
    return world


def exported_codes(world: World) -> Counter[str]:
    """How often each code is in a file, from the bucket."""
    numbers = range(1, len(world.files.under(FOLDER)) // 2 + 1)
    return Counter(row["code"] for number in numbers for row in world.exported(number))


def all_once(world: World) -> Counter[str]:
    return Counter(voucher.code for voucher in world.memory.all(Voucher))


def test_nothing_waiting_makes_no_file(world: World) -> None:
    assert world.export() is None
    assert world.files.under(FOLDER) == {}


def test_an_export_has_a_number_a_file_and_a_manifest_that_agrees() -> None:
    world = issued()
    export = world.export()
    assert export
    assert (export.number, export.rows, export.state) == (1, 3, ExportState.WRITTEN)
    content = world.files.content[f"{FOLDER}00000001.csv.gz"]
    manifest = json.loads(world.files.content[f"{FOLDER}00000001.manifest.json"])
    assert manifest["rows"] == 3
    assert manifest["sha256"] == export.sha256 == hashlib.sha256(content).hexdigest()
    rows = world.exported(1)
    assert {row["holder_digest"] for row in rows} == set(map(digest, NEWCOMERS[:3]))
    assert {(row["value"], row["minimum_basket"], row["currency"]) for row in rows} == {
        ("10.00", "40.00", "EUR")
    }
    assert {row["valid_until"] for row in rows} == {"2026-05-01T21:59:59+00:00"}
    assert {voucher.state for voucher in world.memory.all(Voucher)} == {VoucherState.EXPORTED}


def test_law_5_running_it_again_changes_nothing() -> None:
    world = issued()
    world.export()
    before = dict(world.files.content)
    assert world.export() is None
    assert world.files.content == before
    assert len(world.facts(FactName.EXPORT_WRITTEN)) == 1


def test_the_next_export_takes_what_was_issued_since() -> None:
    world = issued(2)
    world.export()
    first = dict(world.files.under(FOLDER))
    world.referral("late@example.fr", VIPS[1])
    second = world.export()
    assert second
    assert (second.number, second.rows) == (2, 1)
    assert first.items() <= world.files.under(FOLDER).items()
    assert exported_codes(world) == all_once(world)


def test_more_vouchers_than_fit_a_transaction_make_parts_of_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 2)
    world = issued(3)
    export = world.export()
    assert export
    assert (export.parts, export.rows) == (2, 3)
    assert exported_codes(world) == all_once(world)
    world.run()
    assert world.funnel()["vouchers_exported"] == 3


def test_the_biggest_part_fits_in_one_transaction() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 100, "referees_per_call": 20})
    people = [f"p{number}@example.fr" for number in range(95)]
    session = world.sponsor()
    for start in range(0, 95, 19):
        world.invite(session, *people[start : start + 19])
    world.run()
    for address in people:
        world.confirm(address)
    world.run()
    export = world.export()
    assert export
    assert (export.parts, export.rows) == (2, 95)


def waiting(count: int) -> Till:
    """A world in which so many vouchers wait, one a second."""
    till = Till(new_world())
    for _ in range(count):
        till.world.clock.advance(seconds=1)
        till.issue()
    return till


def sizes(exports: Sequence[Export]) -> list[tuple[int, int]]:
    return [(export.number, export.rows) for export in exports]


def test_more_vouchers_than_a_file_may_have_make_several_by_one_run() -> None:
    world = waiting(5).world
    assert sizes(export_vouchers(world.ports, world.campaign, file_rows=2)) == [
        (1, 2), (2, 2), (3, 1),
    ]  # fmt: skip
    assert exported_codes(world) == all_once(world)
    assert export_vouchers(world.ports, world.campaign, file_rows=2) == []


def test_an_open_export_that_has_too_many_rows_already_is_sealed_as_it_is() -> None:
    """An earlier version knew no size: it may have left one."""
    till = waiting(5)
    ports = wrapped(till.world, lambda inner: _StopsBefore(inner, ExportState.SEALED))
    with pytest.raises(_StoppedError):
        export_vouchers(ports, till.world.campaign)
    till.issue()
    assert sizes(export_vouchers(till.ports, till.world.campaign, file_rows=3)) == [(1, 5), (2, 1)]
    assert exported_codes(till.world) == all_once(till.world)


class _StoppedError(Exception):
    pass


class _StopsBefore(_Wrapped):
    """A run that ends just before an export gets into a state."""

    def __init__(self, inner: Repository, state: ExportState) -> None:
        super().__init__(inner)
        self._state = state

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        for change in changes:
            if isinstance(change.entity, Export) and change.entity.state is self._state:
                raise _StoppedError
        super().commit(*changes, facts=facts)


class _Inflow(_Wrapped):
    """With each part, another voucher is issued, and the index lists it before it was read to its
    end; twenty in all.
    """

    def __init__(self, inner: Repository, till: Till) -> None:
        super().__init__(inner)
        self._till = till
        self.agenda = self._growing_agenda

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        is_part = any(isinstance(change.entity, ExportPart) for change in changes)
        if is_part and self._till.issued < 20:
            self._till.world.clock.advance(seconds=1)
            self._till.issue()

    def _growing_agenda(
        self, kind: type[E], name: Agenda, scope: str = "", **bounds: Any
    ) -> Iterator[E]:
        given: set[Any] = set()
        while new := [
            one
            for one in self._inner.agenda(kind, name, scope, **bounds)
            if vars(one)["code_key"] not in given
        ]:
            given.add(vars(new[0])["code_key"])
            yield new[0]


def test_what_is_issued_during_a_run_waits_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that no inflow keeps an export open."""
    monkeypatch.setattr(_Exports, "part_rows", 1)
    till = waiting(3)
    ports = wrapped(till.world, lambda inner: _Inflow(inner, till))
    assert sizes(export_vouchers(ports, till.world.campaign)) == [(1, 3)]
    assert till.issued == 6
    assert sizes(export_vouchers(till.ports, till.world.campaign)) == [(2, 3)]
    assert exported_codes(till.world) == all_once(till.world)


class _Slow(_Wrapped):
    """Each commit takes ten seconds."""

    def __init__(self, inner: Repository, world: World) -> None:
        super().__init__(inner)
        self._world = world

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        self._world.clock.advance(seconds=10)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, [(1, 1)]),  # so that every run gets further
        (25, [(1, 2)]),
        (31, [(1, 3)]),
        (61, [(1, 3), (2, 1)]),
        (300, [(1, 3), (2, 2)]),
    ],
)
def test_when_its_time_is_over_a_run_seals_and_writes_what_it_has(
    monkeypatch: pytest.MonkeyPatch, seconds: int, expected: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 1)
    world = waiting(5).world
    until = world.clock() + timedelta(seconds=seconds)
    ports = wrapped(world, lambda inner: _Slow(inner, world))
    exports = export_vouchers(ports, world.campaign, until=until, file_rows=3)
    assert sizes(exports) == expected
    assert {export.state for export in exports} == {ExportState.WRITTEN}
    export_vouchers(world.ports, world.campaign)
    assert exported_codes(world) == all_once(world)


class _Agendas(_Wrapped):
    """Counts how often the agenda is read, and how many vouchers are read again by their keys."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.readings = self.again = 0
        self.agenda = self._counted_agenda

    def _counted_agenda(
        self, kind: type[E], name: Agenda, scope: str = "", **bounds: Any
    ) -> Iterator[E]:
        self.readings += 1
        return self._inner.agenda(kind, name, scope, **bounds)

    def get_many(self, kind: type[E], keys: Sequence[Any]) -> list[E]:
        self.again += len(keys)
        return super().get_many(kind, keys)


def test_a_run_reads_the_agenda_once_however_many_files_and_parts_it_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 2)
    world = waiting(9).world
    counted = _Agendas(world.repository)
    ports = replace(world.ports, repository=counted)
    assert sizes(export_vouchers(ports, world.campaign, file_rows=4)) == [(1, 4), (2, 4), (3, 1)]
    assert (counted.readings, counted.again) == (1, 0)


def whole_run(world: World) -> object:
    return export_vouchers(world.ports, world.campaign, file_rows=3)


def one_part(world: World) -> object:
    other = _Exports(world.ports, world.campaign.id, 3, Isolation(raised))
    file = other._open()
    return file and other._add_part(file.number)


def early_seal(world: World) -> object:
    """By a run that is out of time."""
    other = _Exports(world.ports, world.campaign.id, 3, Isolation(raised))
    file = other._open()
    return file and other._seal(file.number)


def use_of_a_voucher(world: World) -> object:
    """Which is read already, and in no part yet."""
    till = Till(world)
    unexported = [one for one in world.memory.all(Voucher) if one.export is None]
    if unexported:
        till.redeem(unexported[-1].code_key, "A1")
    return None


@pytest.mark.parametrize("meanwhile", [whole_run, one_part, early_seal, use_of_a_voucher])
@pytest.mark.parametrize("at", range(1, 15))
def test_law_5_whatever_happens_at_any_commit_each_voucher_is_in_one_file(
    monkeypatch: pytest.MonkeyPatch, at: int, meanwhile: Callable[[World], object]
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 2)
    world = waiting(7).world
    contested = ContestedRepository(world.repository, lambda: meanwhile(world), at)
    counted = _Agendas(contested)
    export_vouchers(replace(world.ports, repository=counted), world.campaign, file_rows=3)
    assert contested._left <= 0, "nothing happened meanwhile"
    assert exported_codes(world) == all_once(world)
    assert counted.readings == 1
    exports = sorted(world.memory.all(Export), key=lambda export: export.number)
    assert [export.number for export in exports] == list(range(1, len(exports) + 1))
    # A run that read what another one has exported meanwhile may leave one open, and empty.
    written = [export.rows for export in exports if export.state is not ExportState.OPEN]
    assert sum(written) == 7
    assert all(0 < rows <= 3 for rows in written)
    assert written == [3, 3, 1] or meanwhile is early_seal
    assert len(world.files.under(FOLDER)) == 2 * len(written)
    assert export_vouchers(world.ports, world.campaign) == []


class _Alive(_Wrapped):
    """Counts the parts that are in memory at once."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.most = 0
        self.parts = 0
        self._alive: WeakSet[Any] = WeakSet()
        self.within = self._copied

    def _copied(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        for one in self._inner.within(kind, on_failure, **key):
            copied = replace(one)
            if kind is ExportPart:
                self._alive.add(copied)
                self.parts += 1
                self.most = max(self.most, len(self._alive))
            yield copied


def test_a_file_is_made_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that its memory does not grow with it."""
    monkeypatch.setattr(_Exports, "part_rows", 1)
    world = waiting(12).world
    counted = _Alive(world.repository)
    export_vouchers(replace(world.ports, repository=counted), world.campaign)
    assert len(world.exported(1)) == 12
    assert counted.parts == 1 + 12  # its columns are those of the first; its rows and its manifest
    assert counted.most <= 3


@pytest.mark.slow
def test_law_5_several_files_killed_at_every_step_and_completed_by_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 2)
    worlds = killed_everywhere(
        lambda: waiting(5).world,
        lambda world, ports: export_vouchers(ports, world.campaign, file_rows=3),
        lambda world: world.ports,
    )
    assert len(worlds) > 50
    for world in worlds:
        left_behind = dict(world.files.under(FOLDER))
        world.clock.advance(minutes=5)
        export_vouchers(world.ports, world.campaign, file_rows=3)
        assert exported_codes(world) == all_once(world)
        assert left_behind.items() <= world.files.under(FOLDER).items()
        assert sorted(sizes(world.memory.all(Export))) == [(1, 3), (2, 2)]
        assert len(world.facts(FactName.EXPORT_WRITTEN)) == 2
        assert export_vouchers(world.ports, world.campaign) == []


@pytest.mark.slow
def test_law_5_killed_at_every_step_and_run_again_each_voucher_is_in_one_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Exports, "part_rows", 2)
    undisturbed = issued(3)
    undisturbed.export()
    worlds = killed_everywhere(
        lambda: issued(3),
        lambda world, ports: export_vouchers(ports, world.campaign),
        lambda world: world.ports,
    )
    assert len(worlds) > 20
    for world in worlds:
        left_behind = dict(world.files.under(FOLDER))
        world.clock.advance(minutes=5)
        world.export()
        assert world.export() is None
        assert exported_codes(world) == all_once(world)
        assert left_behind.items() <= world.files.under(FOLDER).items()
        file = f"{FOLDER}00000001.csv.gz"
        assert world.files.content[file] == undisturbed.files.content[file]
        [export] = world.memory.all(Export)
        assert export.sha256 == hashlib.sha256(world.files.content[file]).hexdigest()
        world.run()
        assert world.funnel()["vouchers_exported"] == 3


def test_law_5_agendas_that_lag_put_no_voucher_in_two_files() -> None:
    world = issued(2)
    before = deepcopy(world.memory)
    world.export()
    ports = replace(world.ports, repository=LaggingRepository(world.repository, before))
    assert export_vouchers(ports, world.campaign) == []
    world.referral("late@example.fr", VIPS[1])
    assert export_vouchers(ports, world.campaign) == []
    world.export()
    assert exported_codes(world) == all_once(world)


def test_a_voucher_revoked_before_its_export_is_in_it_and_ended_already(world: World) -> None:
    world.referral(NEWCOMERS[0])
    world.clock.advance(days=1)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMERS[0]))
    world.run()
    world.clock.advance(hours=1)
    world.drop_orders(world.order("A1", "returned", of=NEWCOMERS[0]), file="returned")
    world.run()
    world.export()
    revoked = [row for row in world.exported(1) if row["template"] != "welcome"]
    assert len(revoked) == 2
    assert {row["valid_until"] for row in revoked} == {world.clock().isoformat()}
    assert exported_codes(world) == all_once(world)


def test_vouchers_that_wait_too_long_are_found_by_the_watch() -> None:
    world = issued()
    assert reconcile(world.ports)["unexported"] == 0
    world.clock.advance(hours=1, seconds=1)
    assert reconcile(world.ports)["unexported"] == 3
