"""A file that is there already: ours, however it was packed, or another one that must not pass."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable

import pytest

from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.statements import Statement, end_of
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.file_ports import OtherContentError
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.till import Till
from tests.fakes.world import World, new_world

OUT = "out/demo-vip/"
EXPORT, CHANGES, STATEMENT = "vouchers/00000001", "changes/00000001", "statements/2026-03"


def waiting(file: str) -> World:
    """A world in which that file is the next one to be written, with two rows."""
    till = Till(new_world())
    keys = [till.issue() for _ in range(2)]
    if file != EXPORT:
        export_vouchers(till.ports, till.world.campaign)
        for key in keys:
            till.redeem(key, "A1")
    if file == STATEMENT:
        write_changes(till.ports, till.world.campaign)
        till.world.clock.now = end_of(till.world.campaign, "2026-03")
        till.world.clock.advance(minutes=20)
    return till.world


def write(world: World, ports: Ports | None = None) -> None:
    """What the schedules do."""
    for use_case in (export_vouchers, write_changes, write_statements):
        use_case(ports or world.ports, world.campaign)


def sha256_noted(world: World, file: str) -> str | None:
    """What the table says of the file."""
    kinds: dict[str, type[Export | ChangesFile | Statement]] = {
        EXPORT: Export,
        CHANGES: ChangesFile,
        STATEMENT: Statement,
    }
    noted = [one.sha256 for one in world.memory.all(kinds[file])]
    return noted[0] if noted else None


def as_written(file: str) -> bytes:
    """The file as it is written when nothing is in its place."""
    world = waiting(file)
    write(world)
    return world.files.content[f"{OUT}{file}.csv.gz"]


def packed_otherwise(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content), compresslevel=1)


def with_fewer_columns(content: bytes) -> bytes:
    lines = gzip.decompress(content).decode().splitlines()
    return gzip.compress("".join(line.rpartition(",")[0] + "\n" for line in lines).encode())


@pytest.mark.parametrize("file", [EXPORT, CHANGES, STATEMENT])
@pytest.mark.parametrize("left_as", [packed_otherwise, with_fewer_columns])
def test_a_file_of_the_same_rows_that_an_interrupted_run_left_is_the_one(
    file: str, left_as: Callable[[bytes], bytes]
) -> None:
    """By another zlib, or by a version that had fewer columns."""
    left = left_as(as_written(file))
    world = waiting(file)
    world.files.write(f"{OUT}{file}.csv.gz", left)
    write(world)
    assert world.files.content[f"{OUT}{file}.csv.gz"] == left != as_written(file)
    manifest = json.loads(world.files.content[f"{OUT}{file}.manifest.json"])
    assert manifest["sha256"] == sha256_noted(world, file) == hashlib.sha256(left).hexdigest()


def a_row_less(content: bytes) -> bytes:
    return gzip.compress(b"".join(gzip.decompress(content).splitlines(keepends=True)[:-1]))


def a_row_more(content: bytes) -> bytes:
    rows = gzip.decompress(content)
    return gzip.compress(rows + rows.splitlines(keepends=True)[-1])


def another_row(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b"voucher2", b"voucher9"))


def another_header(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b"voucher,", b"id,", 1))


def cut_off(content: bytes) -> bytes:
    return content[:-10]


def no_table(_: bytes) -> bytes:
    return b"something else"


def nothing(_: bytes) -> bytes:
    return b""


OTHERS = [a_row_less, a_row_more, another_row, another_header, cut_off, no_table, nothing]


@pytest.mark.parametrize("file", [EXPORT, CHANGES, STATEMENT])
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: str(getattr(other, "__name__", "")))
def test_law_5_a_number_used_before_with_other_rows_is_never_marked_written(
    file: str, other: Callable[[bytes], bytes]
) -> None:
    """As after the table was restored to an earlier moment."""
    before = other(as_written(file))
    world = waiting(file)
    world.files.write(f"{OUT}{file}.csv.gz", before)
    for _ in range(2):
        with pytest.raises(OtherContentError) as raised:
            write(world)
        assert raised.value.path == f"{OUT}{file}.csv.gz"
    assert sha256_noted(world, file) is None
    assert world.files.under(f"{OUT}{file}") == {f"{OUT}{file}.csv.gz": before}


@pytest.mark.parametrize("manifest", [b'{"sha256": "0"}', b"[]", b"no JSON"])
def test_a_manifest_of_another_file_is_never_left_beside_it(manifest: bytes) -> None:
    world = waiting(EXPORT)
    world.files.write(f"{OUT}{EXPORT}.manifest.json", manifest)
    with pytest.raises(OtherContentError):
        write(world)
    assert sha256_noted(world, EXPORT) is None


def test_a_manifest_with_fewer_members_is_one_of_the_same_file() -> None:
    world = waiting(EXPORT)
    sha256 = hashlib.sha256(as_written(EXPORT)).hexdigest()
    manifest = json.dumps({"sha256": sha256}).encode()
    world.files.write(f"{OUT}{EXPORT}.manifest.json", manifest)
    write(world)
    assert sha256_noted(world, EXPORT) == sha256
    assert world.files.content[f"{OUT}{EXPORT}.manifest.json"] == manifest


def test_a_number_used_before_acknowledges_no_voucher_that_is_not_in_its_file() -> None:
    world = waiting(EXPORT)
    world.files.write(f"{OUT}{EXPORT}.csv.gz", another_row(as_written(EXPORT)))
    with pytest.raises(OtherContentError):
        write(world)
    assert [one.state for one in world.memory.all(Export)] == [ExportState.SEALED]
    assert world.acknowledge(1).reason == "unknown_export"
    assert not any(one.acknowledged_at for one in world.memory.all(Voucher))
    del world.files.content[f"{OUT}{EXPORT}.csv.gz"]
    write(world)
    assert len(world.exported(1)) == 2
    assert len(world.facts(FactName.EXPORT_WRITTEN)) == 1


def test_a_table_of_something_else_in_its_place_acknowledges_no_voucher() -> None:
    world = waiting(EXPORT)
    world.files.write(f"{OUT}{EXPORT}.csv.gz", gzip.compress(b"article,price\n1,2\n3,4\n"))
    with pytest.raises(OtherContentError):
        write(world)
    assert world.acknowledge(1).reason == "unknown_export"
