"""A table that was taken back, with files in `out/` that are encrypted: they are read, and stay."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.exports import Export, ExportState, export_name
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.vouchers.changes import write_changes
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.ports import TickingClock
from tests.fakes.world import World, new_world
from tests.services.test_encryption import give_key
from tests.services.test_restoring import (
    Taken,
    after,
    assert_agrees_but_for_files,
    before,
    bring_forward,
    restore,
    take,
)


def played(key_before: str | None, key_after: str | None) -> tuple[World, Taken]:
    """With that key at the moment of the copy, and that one in the hour that is lost."""
    world = new_world(clock=TickingClock())
    give_key(world, key_before)
    before(world)
    taken = take(world)
    if key_after != key_before:
        give_key(world, key_after)
    after(world)
    return world, taken


def files_of(world: World) -> dict[str, bytes]:
    folders = ("vouchers", "changes")
    return {
        path: content
        for folder in folders
        for path, content in world.files.under(f"out/{CAMPAIGN}/{folder}/").items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key_before", "key_after"), [("client", "client"), (None, "client"), ("client", None)]
)
def test_law_5_what_is_in_out_is_noted_as_it_is_there_and_written_no_second_time(
    key_before: str | None, key_after: str | None
) -> None:
    world, taken = played(key_before, key_after)
    there = files_of(world)
    assert any(path.endswith(".pgp") for path in there)
    restore(world, taken)
    if key_after != key_before:
        give_key(world, key_after)  # as the runbook says: a campaign that was put since, first
    bring_forward(world, taken)
    assert_agrees_but_for_files(world)
    world.export()
    write_changes(world.ports, world.campaign)
    now = files_of(world)
    assert {path: now[path] for path in there} == there
    for kind, folder in ((Export, "vouchers"), (ChangesFile, "changes")):
        for one in world.memory.all(kind):
            assert one.state is ExportState.WRITTEN
            stem = f"out/{CAMPAIGN}/{folder}/{export_name(one.number)}"
            [path] = [path for path in now if path.startswith(stem) and "manifest" not in path]
            assert one.is_encrypted is path.endswith(".pgp")
            assert one.sha256 == hashlib.sha256(now[path]).hexdigest()
    numbers = sorted(one.number for one in world.memory.all(Export))
    rows = Counter(row["voucher"] for number in numbers for row in world.exported(number))
    assert rows == Counter(one.voucher_id for one in world.memory.all(Voucher))
