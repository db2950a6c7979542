"""Exports, changes and statements of a campaign with a key: for the client, and for us."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.changes_files import ChangesFile
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.files.armour import fingerprint_of
from chalicelib.domain.statements import Statement, end_of
from chalicelib.services.accounts import last_opening
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.cipher_ports import NotDecryptableError, UnusableKeyError
from chalicelib.services.encryption import envelope_of
from chalicelib.services.file_ports import FileMissingError, OtherContentError
from chalicelib.services.operations.end_files import end_files
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.restoring.outside import outside_of
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import killed_everywhere
from tests.fakes.pgp import client_public, opened
from tests.fakes.till import Till
from tests.fakes.world import World, new_world

OUT = f"out/{CAMPAIGN}/"
EXPORT, CHANGES, STATEMENT = "vouchers/00000001", "changes/00000001", "statements/2026-03"
FILES = [EXPORT, CHANGES, STATEMENT]


def give_key(world: World, name: str | None = "client", **files: Any) -> None:
    """Put the campaign in force with that key, or with none."""
    key = {"encrypt_to": client_public(name)} if name else {}
    put_campaign(world.ports, campaign(files=(files | key) or None))
    world.clock.advance(seconds=10)


def waiting(file: str, *, key: str | None = "client", **files: Any) -> World:
    """A world in which that file is the next one to be written, with two rows."""
    till = Till(new_world())
    give_key(till.world, key, **files)
    keys = [till.issue() for _ in range(2)]
    if file != EXPORT:
        export_vouchers(till.ports, till.world.campaign)
        for one in keys:
            till.redeem(one, "A1")
    if file == STATEMENT:
        write_changes(till.ports, till.world.campaign)
        till.world.clock.now = end_of(till.world.campaign, "2026-03")
        till.world.clock.advance(minutes=20)
    return till.world


def write(world: World, ports: Ports | None = None) -> None:
    for use_case in (export_vouchers, write_changes, write_statements):
        use_case(ports or world.ports, world.campaign)


def noted(world: World, file: str) -> list[Any]:
    kinds: dict[str, Any] = {EXPORT: Export, CHANGES: ChangesFile, STATEMENT: Statement}
    return list(world.memory.all(kinds[file]))


def manifest_of(world: World, file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.files.content[f"{OUT}{file}.manifest.json"])
    return found


def require_whole(world: World, file: str, name: str = "client") -> None:
    """One file and one manifest, which match; the client can read it, and so can we."""
    encrypted, manifest = f"{OUT}{file}.csv.gz.pgp", f"{OUT}{file}.manifest.json"
    assert set(world.files.under(f"{OUT}{file}")) == {encrypted, manifest}
    stored = world.files.content[encrypted]
    members = manifest_of(world, file)
    plain = opened(stored, name)
    assert members["sha256"] == hashlib.sha256(stored).hexdigest()
    assert members["plain_sha256"] == hashlib.sha256(plain).hexdigest()
    assert members["encrypted_to"] == fingerprint_of(client_public(name))
    assert world.ports.cipher().decrypt(stored) == plain
    assert len(gzip.decompress(plain).splitlines()) == 1 + members["rows"] == 3
    [one] = noted(world, file)
    assert (one.sha256, one.is_encrypted) == (members["sha256"], True)


def as_plain(file: str) -> bytes:
    world = waiting(file, key=None)
    write(world)
    return world.files.content[f"{OUT}{file}.csv.gz"]


@pytest.mark.parametrize("file", FILES)
def test_what_is_written_for_the_client_is_encrypted_to_its_key_and_to_ours(file: str) -> None:
    world = waiting(file)
    write(world)
    require_whole(world, file)
    content = opened(world.files.content[f"{OUT}{file}.csv.gz.pgp"])
    assert gzip.decompress(content).splitlines()[0].startswith((b"code,", b"voucher,", b"at,"))
    with pytest.raises(RuntimeError, match="No key"):
        opened(world.files.content[f"{OUT}{file}.csv.gz.pgp"], "somebody else")


def test_without_a_key_nothing_of_a_campaign_is_encrypted() -> None:
    world = waiting(STATEMENT, key=None)
    write(world)
    assert not [path for path in world.files.content if path.endswith(".pgp")]
    for file in FILES:
        assert not manifest_of(world, file).keys() & {"plain_sha256", "encrypted_to"}


@pytest.mark.parametrize("file", [EXPORT, CHANGES])
def test_without_a_key_no_file_is_read_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    world, asked = waiting(file, key=None), list[str]()

    def read(path: str, *_: object) -> Iterator[bytes]:
        asked.append(path)
        raise FileMissingError

    monkeypatch.setattr(world.files, "read", read)
    for use_case in (export_vouchers, write_changes):
        use_case(world.ports, world.campaign)
    assert asked == []
    [one] = noted(world, file)
    assert one.state is ExportState.WRITTEN


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_law_5_killed_at_every_step_and_repeated_there_is_one_file_and_its_manifest(
    file: str,
) -> None:
    worlds = killed_everywhere(lambda: waiting(file), write, lambda w: w.ports)
    for world in worlds:
        before = dict(world.files.under(f"{OUT}{file}"))
        write(world)
        require_whole(world, file)
        after = world.files.under(f"{OUT}{file}")
        assert {path: after[path] for path in before} == before
        write(world)
        assert world.files.under(f"{OUT}{file}") == after


def changed(
    before: str | None, after: str | None, file: str
) -> Iterator[tuple[World, dict[str, bytes]]]:
    """Worlds in which a run was killed somewhere, then the campaign had another key, or none; and
    what that run had left.
    """
    worlds = killed_everywhere(lambda: waiting(file, key=before), write, lambda w: w.ports)
    for world in worlds:
        give_key(world, after)
        world.clock.advance(minutes=20)
        left = dict(world.files.under(f"{OUT}{file}"))
        write(world)
        now = world.files.under(f"{OUT}{file}")
        assert {path: now[path] for path in left} == left
        assert len(now) == 2
        write(world)
        assert world.files.under(f"{OUT}{file}") == now
        yield world, left


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_law_5_a_new_key_between_two_attempts_leaves_one_file_for_one_of_the_two(file: str) -> None:
    read_by = set()
    for world, _ in changed("client", "another", file):
        fingerprint = manifest_of(world, file)["encrypted_to"]
        names = {fingerprint_of(client_public(one)): one for one in ("client", "another")}
        require_whole(world, file, names[fingerprint])
        read_by.add(names[fingerprint])
    assert read_by == {"client", "another"}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("before", "after"), [(None, "client"), ("client", None)])
def test_law_5_a_key_that_comes_or_goes_between_two_attempts_leaves_one_file(
    file: str, before: str | None, after: str | None
) -> None:
    """Whichever name it has then, the table knows it."""
    suffixes = set()
    for world, left in changed(before, after, file):
        [path] = [path for path in world.files.under(f"{OUT}{file}") if "manifest" not in path]
        [one] = noted(world, file)
        assert one.is_encrypted is path.endswith(".pgp")
        assert one.sha256 == hashlib.sha256(world.files.content[path]).hexdigest()
        suffixes.add(path.rpartition(".")[2])
        if not left:
            assert path.endswith(".pgp") is (after is not None)
        if one.is_encrypted:
            require_whole(world, file)
    assert suffixes == {"gz", "pgp"}


@pytest.mark.parametrize("file", FILES)
def test_law_5_of_two_attempts_at_once_the_first_file_counts(file: str) -> None:
    """The other one has written while this one encrypted."""
    world = waiting(file)

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.ports.cipher(), name)

        def encrypt(self, content: bytes, armoured: str) -> bytes:
            write(world)
            return world.ports.cipher().encrypt(content, armoured)

    ports = replace(world.ports, cipher=lambda: Slow())
    if file == STATEMENT:
        write(world, ports)
    else:
        with suppress(IllegalMoveError):  # the other has noted it too
            write(world, ports)
    require_whole(world, file)


@pytest.mark.parametrize("file", FILES)
def test_law_5_an_encrypted_file_of_other_rows_is_never_marked_written(file: str) -> None:
    other = waiting(file)
    rows = gzip.decompress(as_plain(file)) + b"one,more\n"
    sealed = envelope_of(other.ports, CAMPAIGN).seal(gzip.compress(rows))
    path = f"{OUT}{file}.csv.gz.pgp"
    other.files.write(path, sealed)
    with pytest.raises(OtherContentError):
        write(other)
    assert other.files.under(f"{OUT}{file}") == {path: sealed}
    assert not any(one.sha256 for one in noted(other, file))


def test_what_is_no_file_for_us_in_its_place_stops_the_export_and_acknowledges_nothing() -> None:
    world = waiting(EXPORT)
    world.files.write(f"{OUT}{EXPORT}.csv.gz.pgp", b"something else")
    with pytest.raises(NotDecryptableError):
        write(world)
    assert world.acknowledge(1).reason == "unknown_export"


def without_layer() -> Any:
    raise ImportError("no module named pysequoia")


def without_parameter() -> Any:
    class Broken:
        def encrypt(self, *_: object) -> bytes:
            raise LookupError("ParameterNotFound")

    return Broken()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("cipher", [without_layer, without_parameter])
def test_where_nothing_can_be_encrypted_nothing_leaves(file: str, cipher: Any) -> None:
    world = waiting(file)
    with pytest.raises((ImportError, LookupError)):
        write(world, replace(world.ports, cipher=cipher))
    assert world.files.under(f"{OUT}{file}") == {}
    write(world)
    require_whole(world, file)


def test_a_file_for_import_is_encrypted_too_and_ends_with_its_export() -> None:
    world = waiting(EXPORT, exports={"columns": {"Code": "code"}})
    write(world)
    imported = f"{OUT}{EXPORT}.import.csv.gz.pgp"
    assert set(world.files.under(f"{OUT}vouchers/")) == {
        imported, f"{OUT}{EXPORT}.csv.gz.pgp", f"{OUT}{EXPORT}.manifest.json",
    }  # fmt: skip
    assert gzip.decompress(opened(world.files.content[imported])).startswith(b"Code\n")
    sha256 = hashlib.sha256(world.files.content[imported]).hexdigest()
    assert manifest_of(world, EXPORT)["import_sha256"] == sha256
    world.acknowledge(1)
    locked = world.files.locked
    assert locked[imported] == locked[f"{OUT}{EXPORT}.csv.gz.pgp"]
    world.clock.advance(days=36)
    assert end_files(world.ports, CAMPAIGN) == 3
    assert world.files.under(f"{OUT}vouchers/") == {}


def test_an_export_is_acknowledged_before_it_is_noted_as_written() -> None:
    world = waiting(EXPORT)
    write(world)
    [export] = noted(world, EXPORT)
    sealed = replace(export, state=ExportState.SEALED, sha256=None, written_at=None)
    world.repository.commit(Replace(sealed))
    assert world.acknowledge(1).status == "accepted"


def test_the_next_statement_goes_on_from_an_encrypted_one() -> None:
    world = waiting(STATEMENT)
    write(world)
    opening = last_opening(world.ports, world.campaign)
    assert len(opening.accounts) == 2


def test_what_is_outside_is_read_as_it_was_written() -> None:
    world = waiting(CHANGES)
    write(world)
    found = outside_of(world.ports, CAMPAIGN, world.clock(), [])
    assert [len(rows) for rows in (found.exports[1], found.changes[1])] == [2, 2]


def test_a_key_that_cannot_be_used_any_more_stops_what_is_new_and_nothing_else() -> None:
    world = waiting(EXPORT)
    world.clock.now = datetime.now(UTC) + timedelta(days=1)
    give_key(world, "expired")
    with pytest.raises(UnusableKeyError, match="has expired on"):
        write(world)
    assert world.files.under(f"{OUT}{EXPORT}") == {}
    give_key(world)
    write(world)
    require_whole(world, EXPORT)
