"""What the client drops encrypted to us is read as if it were not, or refused whole."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pysequoia
import pytest

from chalicelib.adapters.pgp import SequoiaCipher
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.lists.model import CurrentList, FileRecord
from chalicelib.services import row_groups
from chalicelib.services.cipher_ports import Cipher, NoKeyOfOursError
from chalicelib.services.ingest import ingest
from chalicelib.services.restoring.outside import outside_of
from tests.fakes.campaign import CAMPAIGN, CANARY, digest
from tests.fakes.parts import work_off_parts
from tests.fakes.pgp import as_gnupg_writes, client_secret, own_key
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_layouts import rows_of, standard, with_referee


def for_us(content: bytes) -> bytes:
    ours = pysequoia.Tsk.from_bytes(own_key().encode()).extract_certificate()
    return pysequoia.encrypt(content, recipients=[ours], armor=False)


def same_but_for_the_file(receipt: Receipt) -> Receipt:
    return replace(receipt, file="", sha256="")


def list_of(addresses: list[str]) -> bytes:
    return "\n".join(["digest", *map(digest, addresses)]).encode()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("part_rows", [5000, 7])
def test_orders_are_read_as_if_they_were_not_encrypted(
    monkeypatch: pytest.MonkeyPatch, packed: bool, part_rows: int
) -> None:
    """In one go, or in parts."""
    monkeypatch.setattr(row_groups, "PART_ROWS", part_rows)
    receipts = []
    for seals in (False, True):
        world = with_referee()
        content, path = standard(rows_of(world)), "orders/a.csv"
        if packed:
            content, path = gzip.compress(content), f"{path}.gz"
        if seals:
            content, path = for_us(content), f"{path}.pgp"
        receipt = world.drop(path, content)
        assert receipt.file == path
        assert receipt.sha256 == hashlib.sha256(content).hexdigest()
        assert f"out/{CAMPAIGN}/receipts/{path}.json" in world.files.content
        receipts.append(same_but_for_the_file(receipt))
    assert receipts[0] == receipts[1]
    assert receipts[0].accepted > 20


def test_an_acknowledgement_codes_consents_and_cohorts_may_be_encrypted() -> None:
    world = with_referee()
    consents = f"email_digest,state,at\n{digest('a@demo.test')},given,{world.clock().isoformat()}\n"
    drops = {
        "codes/welcome/new.csv.pgp": b"code\nABC123\n",
        "consents/c.csv.pgp": consents.encode(),
        "cohorts/c.csv.pgp": b"source,joined_on,last_order_on,active\nads,2026-01-01,,yes\n",
        "acks/00000009.ack.pgp": b"",
    }
    for path, content in drops.items():
        encrypted = world.drop(path, for_us(content))
        plain = world.drop(path.removesuffix(".pgp"), content)
        assert (encrypted.rows, encrypted.reason) == (plain.rows, plain.reason)
        assert encrypted.reason not in {"unknown_path", "not_decryptable", "not_encrypted"}


def test_a_list_is_the_same_list_whether_it_was_encrypted_or_not() -> None:
    """Its manifest is about what was encrypted, and what was loaded once is known again."""
    world = new_world()
    addresses = [*CUSTOMERS, CANARY, *(f"new{number}@demo.test" for number in range(20))]
    full = gzip.compress(list_of(addresses))
    manifest = {
        "rows": len(addresses),
        "sha256": hashlib.sha256(full).hexdigest(),
        "key_id": "k1",
        "generated_at": world.clock().isoformat(),
    }
    world.drop("customers/full/day.manifest.json", json.dumps(manifest).encode())
    first = world.drop("customers/full/day.csv.gz.pgp", for_us(full))
    assert first.status == "accepted", first
    [record] = [one for one in world.memory.all(FileRecord) if one.sha256 == manifest["sha256"]]
    assert record.sha256 == manifest["sha256"]
    [current] = [one for one in world.memory.all(CurrentList) if one.name == "customers"]
    assert current.rows == len(addresses)
    again = world.drop("customers/full/again.csv.gz.pgp", for_us(full))
    assert again.version == first.version


def signed() -> bytes:
    return pysequoia.sign(client_secret().signer(), b"order_id\n", armor=False)


def for_another() -> bytes:
    certificate = client_secret().extract_certificate()
    return pysequoia.encrypt(b"order_id\n", recipients=[certificate], armor=False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (for_another, "not_decryptable"),
        (lambda: for_us(b"order_id\n" * 999)[:-20], "not_decryptable"),
        (signed, "not_encrypted"),
        (lambda: b"order_id\n", "not_encrypted"),
        (lambda: b"", "not_encrypted"),
        (lambda: for_us(b"order_id\n"), "gzip"),
    ],
)
@pytest.mark.parametrize("area", ["orders", "customers/full"])
def test_what_cannot_be_decrypted_is_refused_whole_and_changes_nothing(
    area: str, content: Callable[[], bytes], reason: str
) -> None:
    world = new_world()
    before = {kind: list(world.memory.all(kind)) for kind in (CurrentList, FileRecord)}
    receipt = world.drop(f"{area}/a.csv.gz.pgp", content())
    expected = "not_gzip" if reason == "gzip" else reason
    assert (receipt.status, receipt.reason, receipt.quarantined) == ("refused", expected, False)
    assert {kind: list(world.memory.all(kind)) for kind in before} == before


def test_a_bomb_is_refused_by_the_rules_for_gzip() -> None:
    world = new_world()
    bomb = for_us(gzip.compress((b"0" * 64 + b"\n") * 500_000))
    assert world.drop("customers/full/a.csv.gz.pgp", bomb).reason == "unpacks_too_far"


def test_plain_addresses_are_found_in_what_was_encrypted() -> None:
    world = new_world()
    receipt = world.drop("vips/full/a.csv.pgp", for_us("\n".join(VIPS).encode()))
    assert (receipt.reason, receipt.quarantined) == ("plain_address", True)
    assert f"in/{CAMPAIGN}/vips/full/a.csv.pgp" not in world.files.content


def test_a_name_that_is_withheld_keeps_its_ending() -> None:
    world = new_world()
    receipt = world.drop("orders/jeanne@gmail.com.csv.gz.pgp", for_us(gzip.compress(b"order_id\n")))
    assert receipt.file == f"orders/unnamed-{receipt.sha256[:8]}.csv.gz.pgp"


def no_key() -> str:
    raise NoKeyOfOursError


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("orders/a.csv.pgp", "no_key_of_ours"),
        ("vips/full/a.csv.pgp", "no_key_of_ours"),
        ("consents/a.csv.pgp", "no_key_of_ours"),
        ("notes.txt.pgp", "unknown_path"),
        ("vips/full/a.manifest.json.pgp", "unknown_path"),
    ],
)
def test_a_stage_without_a_key_of_ours_answers_with_a_receipt(path: str, reason: str) -> None:
    world = new_world()
    world.ports = replace(world.ports, cipher=lambda: SequoiaCipher(no_key, world.clock))
    receipt = world.drop(path, for_us("\n".join(VIPS).encode()))
    assert (receipt.status, receipt.reason, receipt.quarantined) == ("refused", reason, False)
    assert f"out/{CAMPAIGN}/receipts/{path}.json" in world.files.content


def test_what_is_encrypted_at_a_path_that_is_not_known_is_not_opened() -> None:
    world = new_world()

    def opens() -> Cipher:
        raise AssertionError("opened")

    world.ports = replace(world.ports, cipher=opens)
    receipt = world.drop("notes.txt.pgp", for_us("\n".join(VIPS).encode()))
    assert (receipt.reason, receipt.quarantined) == ("unknown_path", False)


@pytest.mark.parametrize("seals", [False, True])
def test_what_else_is_refused_is_searched_for_addresses(seals: bool) -> None:
    """A known path where it is encrypted, any where it is not."""
    world = new_world()
    text = "\n".join(["remark", *VIPS]).encode()
    path, content = ("orders/a.csv.pgp", for_us(text)) if seals else ("notes.txt", text)
    receipt = world.drop(path, content)
    assert (receipt.reason, receipt.quarantined) == ("plain_address", True)


def test_where_our_key_cannot_be_read_the_file_is_tried_again_and_has_no_receipt() -> None:
    world: World = with_referee()
    content = for_us(standard(rows_of(world)))

    def without() -> object:
        raise LookupError("AccessDeniedException")

    broken = replace(world.ports, cipher=without)  # type: ignore[arg-type]
    drop = world.put_file("orders/a.csv.pgp", content)
    with pytest.raises(LookupError):
        ingest(broken, drop)
    assert not [path for path in world.files.content if "/receipts/orders" in path]
    assert (ingest(world.ports, drop) or work_off_parts(world.ports)) is not None


def test_dates_of_encrypted_orders_are_read_again_after_a_restore() -> None:
    world = with_referee()
    world.drop("orders/a.csv.pgp", for_us(standard(rows_of(world))))
    found = outside_of(world.ports, CAMPAIGN, world.clock() - timedelta(days=1), []).ordered_at
    assert {"A0", "A29"} <= set(found)


def test_a_message_that_was_cut_anywhere_has_a_receipt_and_stops_no_restore() -> None:
    world = with_referee()
    whole = as_gnupg_writes(b"order_id\nA1\n")
    for cut in range(1, len(whole)):
        receipt = world.drop(f"orders/{cut}.csv.pgp", whole[:cut])
        assert (receipt.status, receipt.reason) == ("refused", "not_decryptable")
        assert f"out/{CAMPAIGN}/receipts/orders/{cut}.csv.pgp.json" in world.files.content
    world.drop("orders/whole.csv.pgp", for_us(standard(rows_of(world))))
    found = outside_of(world.ports, CAMPAIGN, world.clock() - timedelta(days=1), []).ordered_at
    assert "A0" in found
