"""A campaign whose key comes, changes, goes or ends while files are on their way (law 4, 5, 9)."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.pgp import SequoiaCipher, new_key
from chalicelib.domain.addresses import Address
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.exports import Export, ExportPart, ExportState, reopened
from chalicelib.domain.files.armour import fingerprint_of
from chalicelib.services.accounts import last_opening
from chalicelib.services.cipher_ports import UnusableKeyError
from chalicelib.services.encryption import envelope_of
from chalicelib.services.errors import RetryLaterError, UnknownError
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import ConflictError, Ports, Replace
from chalicelib.services.vouchers.export import _Exports, export_vouchers, is_left_unwritten
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.fuse import killed_everywhere
from tests.fakes.pgp import client_public, opened
from tests.fakes.world import World, new_world
from tests.services.test_encryption import (
    EXPORT,
    OUT,
    STATEMENT,
    give_key,
    manifest_of,
    waiting,
    write,
)

PLAIN, SEALED = f"{OUT}{EXPORT}.csv.gz", f"{OUT}{EXPORT}.csv.gz.pgp"
IMPORT = f"{OUT}{EXPORT}.import.csv.gz"
MANIFEST = f"{OUT}{EXPORT}.manifest.json"
IMPORTED: dict[str, Any] = {"exports": {"columns": {"Code": "code"}}}


def under(world: World) -> set[str]:
    return set(world.files.under(f"{OUT}{EXPORT}"))


def sealed_export(world: World) -> Export:
    """The export that a run has sealed before it was killed."""
    run = _Exports(world.ports, CAMPAIGN, 50_000, Isolation(raised))
    export = run._open()
    assert export
    while grown := run._add_part(export.number):
        export = grown
    run._seal(export.number)
    return stored_export(world)


def stored_export(world: World) -> Export:
    [export] = world.memory.all(Export)
    return export


def killed(before: str | None, after: str | None) -> Iterator[tuple[World, set[str]]]:
    """Worlds in which an export with a file for import was killed; what was there by then."""
    for world in killed_everywhere(
        lambda: waiting(EXPORT, key=before, **IMPORTED), write, lambda w: w.ports
    ):
        left = under(world)
        give_key(world, after, **IMPORTED)
        world.clock.advance(minutes=20)
        yield world, left


# --- the file for import --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("after", [None, "another", "expired"])
def test_law_4_a_table_gets_its_file_for_import_for_its_key_whatever_became_of_that(
    after: str | None,
) -> None:
    """The campaign lost the key, or has another, after the table was written."""
    met = False
    for world, left in killed("client", after):
        if SEALED not in left:
            continue
        met = met or f"{IMPORT}.pgp" not in left
        write(world)
        assert under(world) == {SEALED, f"{IMPORT}.pgp", MANIFEST}
        assert gzip.decompress(opened(world.files.content[f"{IMPORT}.pgp"])).startswith(b"Code\n")
        members = manifest_of(world, EXPORT)
        assert members["encrypted_to"] == fingerprint_of(client_public())
        stored = world.files.content[f"{IMPORT}.pgp"]
        assert members["import_sha256"] == hashlib.sha256(stored).hexdigest()
        export = stored_export(world)
        assert export.state is ExportState.WRITTEN
    assert met


def test_law_4_the_file_for_import_is_sealed_to_a_key_that_has_expired_since() -> None:
    """Nothing new: the table with the same codes is for that key."""
    world = waiting(EXPORT, **IMPORTED)
    write(world)
    export = stored_export(world)
    again = replace(export, state=ExportState.SEALED, sha256=None, written_at=None)
    world.repository.commit(Replace(again))
    for path in (f"{IMPORT}.pgp", MANIFEST):
        del world.files.content[path]
    ports = replace(world.ports, cipher=lambda: Unusable(world.ports.cipher()))
    write(world, ports)
    assert under(world) == {SEALED, f"{IMPORT}.pgp", MANIFEST}
    opened(world.files.content[f"{IMPORT}.pgp"])


class Unusable:
    """The cipher when the client's key can be used no more."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def encrypt(self, *_: object) -> bytes:
        raise UnusableKeyError("has expired")


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(None, "client"), ("client", "another")])
def test_table_and_file_for_import_are_always_for_the_same(
    before: str | None, after: str | None
) -> None:
    for world, left in killed(before, after):
        write(world)
        [table, imported] = sorted(under(world) - {MANIFEST})
        assert imported.removeprefix(IMPORT) == table.removeprefix(PLAIN)
        if PLAIN not in left and SEALED not in left:
            assert table == SEALED
        if table == SEALED:
            name = fingerprint_of(client_public(after or "client"))
            reader = after if manifest_of(world, EXPORT)["encrypted_to"] == name else before
            for path in (table, imported):
                opened(world.files.content[path], reader or "client")


def test_a_table_for_a_key_that_no_version_has_gets_its_import_for_the_key_in_force() -> None:
    """The versions were lost with the table."""
    world = waiting(EXPORT, **IMPORTED)
    envelope = envelope_of(world.ports, CAMPAIGN)
    stranger = replace(envelope, key=client_public("stranger")).seal(b"rows")
    assert envelope.beside(stranger) == envelope
    assert replace(envelope, key=None).beside(stranger).key is None
    with pytest.raises(UnusableKeyError, match="none any more"):
        replace(envelope, key=None).seal(b"rows")


# --- one name -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "client"])
def test_a_run_that_began_before_the_campaign_changed_writes_as_the_one_in_force(
    key: str | None,
) -> None:
    world = waiting(EXPORT, key=None if key else "client")
    stale = world.campaign
    give_key(world, key)
    assert sealed_export(world).is_encrypted is (key is not None)
    export_vouchers(world.ports, stale)
    assert under(world) == {SEALED if key else PLAIN, MANIFEST}


@pytest.mark.parametrize(("before", "after"), [(None, "client"), ("client", None)])
def test_what_was_sealed_before_the_key_changed_waits_until_no_other_run_can_be_at_it(
    before: str | None, after: str | None
) -> None:
    world = waiting(EXPORT, key=before)
    was = sealed_export(world)
    give_key(world, after)
    assert export_vouchers(world.ports, world.campaign) == []
    assert under(world) == set()
    assert stored_export(world) == was
    put_at = envelope_of(world.ports, CAMPAIGN).in_force.put_at
    world.clock.now = put_at + timedelta(minutes=20) - timedelta(microseconds=1)
    assert export_vouchers(world.ports, world.campaign) == []
    world.clock.now = put_at + timedelta(minutes=20)
    assert len(export_vouchers(world.ports, world.campaign)) == 1
    assert under(world) == {SEALED if after else PLAIN, MANIFEST}


@pytest.mark.parametrize("at", [PLAIN, MANIFEST])
def test_law_5_a_run_from_before_the_key_and_one_with_it_leave_one_file(at: str) -> None:
    """The one from before is held back where it writes its file, or the manifest."""
    world = waiting(EXPORT, key=None)
    first, met = sealed_export(world), list[str]()
    write_once = world.files.write_once

    def held_back(path: str, content: bytes, **more: Any) -> bool:
        if path == at and not met:
            met.append(path)
            give_key(world)
            world.clock.advance(minutes=14)
            assert (export_vouchers(world.ports, world.campaign) == []) is (at == PLAIN)
        return write_once(path, content, **more)

    files: Any = world.files
    files.write_once = held_back
    with suppress(IllegalMoveError, ConflictError):
        export_vouchers(world.ports, world.campaign)
    assert met
    assert not first.is_encrypted
    world.clock.advance(minutes=20)
    export_vouchers(world.ports, world.campaign)
    assert under(world) == {PLAIN, MANIFEST}
    export = stored_export(world)
    assert (export.state, export.is_encrypted) == (ExportState.WRITTEN, False)


def test_law_5_a_file_gets_no_other_name_for_a_campaign_that_changed_meanwhile() -> None:
    """The key goes again while a run gives the file its encrypted name."""
    world = waiting(EXPORT, key=None)
    sealed_export(world)
    give_key(world)
    world.clock.advance(minutes=20)
    paths, met = world.files.paths, list[str]()

    def first_changed(folder: str) -> list[str]:
        if not met:
            met.append(folder)
            give_key(world, None)
        return paths(folder)

    files: Any = world.files
    files.paths = first_changed
    export_vouchers(world.ports, world.campaign)
    assert met
    assert under(world) == {PLAIN, MANIFEST}


@pytest.mark.parametrize(
    ("first", "item", "then"), [("client", False, None), (None, True, "client")]
)
def test_a_file_that_is_there_decides_whatever_a_restored_item_says(
    first: str | None, item: bool, then: str | None
) -> None:
    world = waiting(EXPORT, key=first)
    write(world)
    left = world.files.under(f"{OUT}{EXPORT}")
    export = stored_export(world)
    sealed = replace(export, state=ExportState.SEALED, sha256=None, written_at=None)
    world.repository.commit(Replace(replace(sealed, is_encrypted=item)))
    give_key(world, then)
    write(world)
    assert world.files.under(f"{OUT}{EXPORT}") == left
    export = stored_export(world)
    assert (export.state, export.is_encrypted) == (ExportState.WRITTEN, not item)
    assert world.acknowledge(1).status == "accepted"


def test_a_statement_waits_until_no_run_with_an_earlier_version_can_be_at_it() -> None:
    world = waiting(STATEMENT, key=None)
    give_key(world)
    assert write_statements(world.ports, world.campaign) == []
    world.clock.advance(minutes=20)
    assert len(write_statements(world.ports, world.campaign)) == 1
    assert set(world.files.under(f"{OUT}{STATEMENT}")) == {
        f"{OUT}{STATEMENT}.csv.gz.pgp", f"{OUT}{STATEMENT}.manifest.json",
    }  # fmt: skip


def test_a_campaign_that_is_not_there_has_no_envelope() -> None:
    with pytest.raises(UnknownError, match="campaign"):
        envelope_of(new_world().ports, "another")


# --- a key that cannot be used --------------------------------------------------------------------

REFEREE = "jeanne@example.fr"


def with_reward(key: str) -> World:
    world = new_world()
    world.referral(REFEREE)
    give_key(world, key)
    world.clock.now = datetime.now(UTC) + timedelta(days=1)
    return world


def erase(world: World, ports: Ports | None = None) -> None:
    erase_person(ports or world.ports, [world.campaign], Address.parse(REFEREE))


def digests_in_parts(world: World) -> set[str]:
    at = next(iter(world.memory.all(ExportPart))).columns.index("holder_digest")
    return {row[at] for part in world.memory.all(ExportPart) for row in part.rows}


def test_law_9_nothing_is_sealed_for_a_key_that_cannot_be_used_so_persons_can_be_erased() -> None:
    world = with_reward("expired")
    with pytest.raises(UnusableKeyError, match="has expired on"):
        export_vouchers(world.ports, world.campaign)
    export = stored_export(world)
    assert (export.state, export.rows > 0) == (ExportState.OPEN, True)
    before = digests_in_parts(world)
    erase(world)
    assert digests_in_parts(world) != before
    give_key(world)
    write(world)
    assert under(world) == {SEALED, MANIFEST}


def test_law_9_an_export_sealed_before_its_key_expired_is_opened_again_for_an_erasure() -> None:
    world = with_reward("client")
    sealed_export(world)
    before = digests_in_parts(world)
    ports = replace(world.ports, cipher=lambda: Unusable(world.ports.cipher()))
    with pytest.raises(RetryLaterError):
        erase(world, ports)
    assert digests_in_parts(world) == before
    world.clock.advance(minutes=20)
    erase(world, ports)
    assert digests_in_parts(world) != before
    export = stored_export(world)
    assert (export.state, export.sealed_at) == (ExportState.OPEN, None)
    write(world)
    assert under(world) == {SEALED, MANIFEST}


def test_law_5_an_export_whose_file_is_there_is_never_opened_again() -> None:
    world = waiting(EXPORT)
    was = sealed_export(world)
    world.clock.advance(minutes=20)
    assert is_left_unwritten(world.ports, was)
    world.files.write(SEALED, b"there")
    assert not is_left_unwritten(world.ports, was)
    with pytest.raises(IllegalMoveError):
        reopened(replace(was, state=ExportState.WRITTEN))


def test_law_9_an_erasure_waits_where_a_sealed_export_has_to_wait_for_its_name() -> None:
    """A key came after it was sealed: nobody may write it for now, and it may not change."""
    world = new_world()
    world.referral(REFEREE)
    sealed_export(world)
    give_key(world)
    before = digests_in_parts(world)
    with pytest.raises(RetryLaterError):
        erase(world)
    assert digests_in_parts(world) == before
    world.clock.advance(minutes=20)
    erase(world)
    assert digests_in_parts(world) != before
    assert under(world) == {SEALED, MANIFEST}


def test_without_our_own_key_accounts_are_folded_from_the_beginning() -> None:
    world = waiting(STATEMENT)
    write(world)
    accounts = last_opening(world.ports, world.campaign).accounts
    assert accounts
    other = new_key("another")
    ports = replace(world.ports, cipher=lambda: SequoiaCipher(lambda: other, world.clock))
    assert last_opening(ports, world.campaign).accounts == accounts
