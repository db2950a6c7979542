"""Runs that write numbered files end, whatever they find: what a run that was killed has left, a
file that is full, a part that another run has taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.exports import Export, ExportState, NumberedFile
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.till import Till
from tests.fakes.world import World, new_world

CALLS = 200  # far more than a run of some rows needs
Run: TypeAlias = Callable[[World, Ports], list[NumberedFile]]


def export(world: World, ports: Ports) -> list[NumberedFile]:
    return [*export_vouchers(ports, world.campaign, file_rows=2)]


def changes(world: World, ports: Ports) -> list[NumberedFile]:
    return [*write_changes(ports, world.campaign, file_rows=2)]


def waiting(rows: int) -> World:
    """A world in which so many vouchers wait for their export, and the use of others for a file."""
    till = Till(new_world())
    used = [till.issue() for _ in range(rows)]
    till.world.export()
    for number, key in enumerate(used):
        till.redeem(key, f"A{number}")
        till.issue()
    return till.world


def bounded(world: World) -> Ports:
    """The ports, for a run that ends."""
    return Fuse(CALLS, after_the_effect=True).on(world.ports)


BOTH = pytest.mark.parametrize(
    ("run", "kind"), [(export, Export), (changes, ChangesFile)], ids=["export", "changes"]
)


@BOTH
@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_a_run_ends_when_nothing_waits_any_more(
    run: Run, kind: type[NumberedFile], rows: int
) -> None:
    world = waiting(rows)
    written = run(world, bounded(world))
    assert {type(one) for one in written} == {kind}
    assert [one.rows for one in written] == [2] * (rows // 2) + [1] * (rows % 2)
    assert run(world, bounded(world)) == []


@BOTH
def test_a_run_ends_when_the_one_before_was_killed_with_its_file_in_any_state(
    run: Run, kind: type[NumberedFile]
) -> None:
    met = set[ExportState]()
    for at in range(1, CALLS):
        world = waiting(1)
        try:
            run(world, Fuse(at, after_the_effect=True).on(world.ports))
        except KilledError:
            met.update(one.state for one in world.memory.all(kind))
        else:
            break
        run(world, bounded(world))
        assert {one.state for one in world.memory.all(kind)} == {ExportState.WRITTEN}
    assert {ExportState.OPEN, ExportState.SEALED} <= met
