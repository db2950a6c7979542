"""The client's lists: accepted, refused with what is wrong, delivered again.

What each drop does to a stored list is in tests/domain/test_list_plan.py.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.files.receipt import Receipt, own_path
from chalicelib.domain.lists.model import CurrentList, FileRecord, ListVersion
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import InvalidError
from chalicelib.services.ingest import Drop, drop_at, ingest
from chalicelib.services.operations.dashboard import view_dashboard
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.fuse import killed_everywhere
from tests.fakes.ports import MORNING
from tests.fakes.repository import MemoryRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

IN_FORCE = [*CUSTOMERS, *VIPS, CANARY]
PATH = "customers/full/next.csv"


def list_of(*addresses: str) -> bytes:
    return "\n".join(["digest", *map(digest, addresses), ""]).encode()


NEXT = list_of(*IN_FORCE, "new@example.fr")


def current(world: World) -> CurrentList:
    found = world.repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert found
    return found


def receipt_of(world: World, path: str) -> dict[str, object]:
    written = world.files.content[f"out/{CAMPAIGN}/receipts/{path}.json"]
    result: dict[str, object] = json.loads(written)
    return result


def manifest(content: bytes, **changes: object) -> bytes:
    members = {
        "rows": len(content.splitlines()) - 1,
        "sha256": hashlib.sha256(content).hexdigest(),
        "key_id": "k1",
        "generated_at": MORNING.isoformat(),
    }
    return json.dumps(members | changes).encode()


def test_a_list_comes_in_force_and_its_receipt_names_the_version(world: World) -> None:
    receipt = world.drop(PATH, NEXT)
    assert (receipt.status, receipt.version, receipt.rows) == ("accepted", 2, 10)
    assert receipt_of(world, PATH)["sha256"] == hashlib.sha256(NEXT).hexdigest()
    assert (current(world).version, current(world).rows) == (2, 10)
    assert [one.version for one in world.memory.all(ListVersion) if one.name == "customers"] == [
        1, 2,
    ]  # fmt: skip


def test_a_gzipped_list_in_upper_case_without_a_header_is_the_same_list(world: World) -> None:
    content = gzip.compress("\r\n".join(digest(one).upper() for one in IN_FORCE).encode())
    assert world.drop("customers/full/next.csv.gz", content).version == 2
    assert current(world).rows == 9


def test_law_7_a_list_delivered_twice_or_renamed_is_one_version(world: World) -> None:
    for path in (PATH, PATH, "customers/full/renamed.csv"):
        assert world.drop(path, NEXT).version == 2
    assert current(world).version == 2
    assert len(world.facts(FactName.LIST_ACCEPTED)) == 3  # two of the world's own
    assert world.drop("customers/full/old.csv", list_of(*IN_FORCE)[:-1]).reason == (
        "replaced_by_a_later_list"
    )
    assert current(world).version == 2


class Forgetful(MemoryRepository):
    """Finds no file record: without the guard of law 7."""

    def get(self, kind, /, **key):  # type: ignore[no-untyped-def]
        return None if kind is FileRecord else super().get(kind, **key)


def test_law_7_breaks_when_files_are_not_recorded() -> None:
    world = new_world(Forgetful(guards=False))
    for version, path in ((2, PATH), (3, "customers/full/renamed.csv")):
        assert world.drop(path, NEXT).version == version


def test_a_list_dropped_again_is_as_young_as_the_drop(world: World) -> None:
    world.drop(PATH, NEXT)
    world.clock.advance(days=20)
    world.drop(PATH, NEXT)
    assert current(world).accepted_at == world.clock()
    assert current(world).version == 2


def test_a_list_dropped_again_for_months_is_stored_again(world: World) -> None:
    world.drop(PATH, NEXT)
    segment = current(world).segment
    for version in (2, 2, 2, 2, 3, 3):
        world.clock.advance(days=20)
        assert world.drop(PATH, NEXT).version == version
    assert current(world).segment != segment


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"", "empty_file", 0),
        (b"digest\n", "empty_file", 0),
        (NEXT + b"jeanne@example.fr\n", "plain_address", 12),
        (NEXT + b"ab" * 20 + b"\n", "mixed_lengths", 12),
        (NEXT + b"abc\n", "too_many_bad_lines", 12),
        (NEXT + b"xyz\n", "too_many_bad_lines", 12),
        (NEXT.decode().encode("utf-16"), "utf16", 1),
        (NEXT + b"\xff\n", "not_utf8", 12),
        (gzip.compress(NEXT, mtime=0), "gzip_not_named_gz", 0),
        (b"\n".join(NEXT.splitlines()[:3]), "canaries_missing", 0),
        (b"sha1\n" + b"\n".join(NEXT.splitlines()[1:]), "unknown_column", 1),
    ],
)
def test_law_7_a_bad_list_changes_nothing_and_its_receipt_gives_the_reason(
    world: World, content: bytes, reason: str, line: int
) -> None:
    before = current(world)
    receipt = world.drop(PATH, content)
    assert (receipt.status, receipt.reason) == ("refused", reason)
    assert (receipt.errors[0].line, receipt.errors[0].reason) == (line, reason)
    assert current(world) == before
    assert "jeanne" not in str(receipt_of(world, PATH))
    [refused] = world.facts(FactName.LIST_REFUSED)
    assert refused.details["reason"] == reason


def test_a_list_with_its_manifest_is_as_old_as_the_manifest_says(world: World) -> None:
    beside = PATH.replace(".csv", ".manifest.json")
    generated = MORNING - timedelta(days=3)
    beside_it = manifest(NEXT, generated_at=generated.isoformat())
    assert world.drop(beside, beside_it).status == "accepted"
    assert world.drop(PATH, NEXT).status == "accepted"
    assert current(world).accepted_at == generated


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 9}, "manifest_rows_mismatch"),
        ({"sha256": "0" * 64}, "manifest_sha256_mismatch"),
        ({"key_id": "k9"}, "manifest_key_id_mismatch"),
        ({"rows": "many"}, "manifest_rows"),
    ],
)
def test_a_list_that_does_not_match_its_manifest_is_refused(
    world: World, change: dict[str, object], reason: str
) -> None:
    key = f"in/{CAMPAIGN}/{PATH}".replace(".csv", ".manifest.json")
    world.files.content[key] = manifest(NEXT, **change)
    assert world.drop(PATH, NEXT).reason == reason
    assert current(world).version == 1


@pytest.mark.parametrize(
    "path", ["readme.txt", "customers/full/list.txt", "customers/full/a/b.csv", "orders/x.json"]
)
def test_a_file_at_an_unknown_path_is_refused(world: World, path: str) -> None:
    assert world.drop(path, b"x").reason == "unknown_path"


def test_a_file_of_an_unknown_campaign_is_refused(world: World) -> None:
    drop = Drop("other", PATH, MORNING)
    world.files.content[drop.key] = NEXT
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "unknown_campaign"
    assert f"out/other/receipts/{PATH}.json" in world.files.content


def test_an_object_that_is_not_a_drop_or_is_gone_has_no_receipt(world: World) -> None:
    assert drop_at(f"in/{CAMPAIGN}/customers/full/", MORNING) is None
    assert drop_at("out/x/y.csv", MORNING) is None
    assert drop_at("in/Bad Name/orders/x.csv", MORNING) is None
    drop = drop_at(f"in/{CAMPAIGN}/orders/x.csv", MORNING)
    assert drop == Drop(CAMPAIGN, "orders/x.csv", MORNING)
    before = dict(world.files.content)
    assert ingest(world.ports, drop) is None
    assert world.files.content == before


def test_killed_at_every_step_and_delivered_again_a_list_is_one_version() -> None:
    def begin() -> World:
        world = new_world()
        world.files.content[f"in/{CAMPAIGN}/{PATH}"] = NEXT
        return world

    drop = Drop(CAMPAIGN, PATH, MORNING, sequencer="f")
    worlds = killed_everywhere(
        begin, lambda _, ports: ingest(ports, drop), lambda world: world.ports
    )
    assert len(worlds) > 10
    for world in worlds:
        receipt = ingest(world.ports, drop)
        assert isinstance(receipt, Receipt)
        assert (receipt.status, receipt.version) == ("accepted", 2)
        assert current(world).version == 2
        assert len(world.facts(FactName.LIST_ACCEPTED)) == 3


def test_the_dashboard_shows_the_lists(world: World) -> None:
    lists = view_dashboard(world.ports, CAMPAIGN).lists
    assert (lists["customers"].version, lists["customers"].rows) == (1, 9)
    assert lists["customers"].in_force
    world.clock.advance(days=31)
    assert not view_dashboard(world.ports, CAMPAIGN).lists["customers"].in_force


def test_a_list_that_was_replaced_is_restored_by_a_manifest_that_is_newer(world: World) -> None:
    world.drop(PATH, NEXT)
    world.clock.advance(hours=1)
    restored = list_of(*IN_FORCE)[:-1]
    beside_it = manifest(restored, rows=len(IN_FORCE), generated_at=world.clock().isoformat())
    world.drop("customers/full/again.manifest.json", beside_it)
    assert world.drop("customers/full/again.csv", restored).version == 3
    assert (current(world).version, current(world).rows) == (3, len(IN_FORCE))


def test_law_3_a_list_without_a_manifest_is_not_guessed_to_be_of_a_key(world: World) -> None:
    world = new_world(digests={"key_ids": ["k2", "k1"]})
    receipt = world.drop(PATH, NEXT)
    assert receipt.reason == "key_id_unknown_without_manifest"


def test_a_full_list_must_hold_the_canaries_of_its_own_manifest(world: World) -> None:
    key = PATH.replace(".csv", ".manifest.json")
    world.put_file(key, manifest(NEXT, canaries=[digest("new@example.fr"), digest("x@demo.test")]))
    receipt = world.drop(PATH, NEXT)
    assert (receipt.reason, receipt.errors[0].detail) == ("canaries_missing", "1 missing")
    world.put_file(key, manifest(NEXT, canaries=[digest("new@example.fr")]))
    assert world.drop(PATH, NEXT).version == 2


def test_a_file_with_plain_addresses_is_moved_out_of_the_clients_folder(world: World) -> None:
    content = NEXT + b"jeanne@example.fr\n"
    drop = world.put_file(PATH, content)
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "plain_address"
    assert world.files.under(f"quarantine/{CAMPAIGN}/") == {
        drop.quarantine_key(receipt.sha256): content
    }
    assert drop.key not in world.files.content
    assert ingest(world.ports, drop) is None  # its event delivered twice
    assert receipt_of(world, PATH)["reason"] == "plain_address"


def test_a_file_of_orders_with_plain_addresses_is_moved_once_its_lines_count(world: World) -> None:
    order = world.order("A1", of="stranger@example.fr") | {"email_digest": "jeanne@example.fr"}
    receipt = world.drop_orders(world.order("A0", of="stranger@example.fr"), order)
    assert (receipt.status, receipt.accepted) == ("partial", 1)
    assert world.files.under("quarantine/")
    assert f"in/{CAMPAIGN}/orders/orders.csv" not in world.files.content


def test_a_list_that_is_right_all_through_is_left_where_it_is(world: World) -> None:
    world.drop(PATH, NEXT)
    assert not world.files.under("quarantine/")


def test_a_few_bad_lines_are_reported_and_the_list_is_put_in_force(
    world: World,
) -> None:
    many = list_of(*IN_FORCE, *(f"p{number}@example.fr" for number in range(1200)))
    receipt = world.drop(PATH, many + b"1209 rows selected.\n")
    assert (receipt.status, receipt.version, receipt.rejected) == ("partial", 2, 1)
    assert receipt.errors[0].reason == "not_hex"


@pytest.mark.parametrize(("held_by", "reason"), [("k1", None), ("k2", "canaries_missing")])
def test_while_two_keys_are_in_force_a_list_holds_the_canaries_of_its_own(
    held_by: str, reason: str | None
) -> None:
    world = new_world(lists={"customers": {"canaries_by_key": {"k1": [digest(CANARY)]}}})
    by_key = {held_by: [digest(CANARY)], "k1" if held_by == "k2" else "k2": ["0" * 64]}
    put_campaign(
        world.ports,
        campaign(
            digests={"key_ids": ["k2", "k1"]}, lists={"customers": {"canaries_by_key": by_key}}
        ),
    )
    world.clock.advance(minutes=1)
    world.put_file(PATH.replace(".csv", ".manifest.json"), manifest(NEXT))
    assert world.drop(PATH, NEXT).reason == reason


def test_law_3_a_list_declared_under_the_wrong_key_can_be_dropped_under_the_right_one() -> None:
    world = new_world(lists={"customers": {}})
    put_campaign(world.ports, campaign(digests={"key_ids": ["k2", "k1"]}, lists={"customers": {}}))
    world.clock.advance(minutes=1)
    beside = PATH.replace(".csv", ".manifest.json")
    for version, key_id in ((2, "k1"), (3, "k2")):
        world.clock.advance(minutes=1)
        beside_it = manifest(NEXT, key_id=key_id)
        world.put_file(beside, beside_it)
        assert world.drop(PATH, NEXT).version == version
        assert current(world).key_id == key_id


def test_the_manifest_of_a_list_is_found_after_another_replaced_it(world: World) -> None:
    key = PATH.replace(".csv", ".manifest.json")
    other = list_of(*IN_FORCE, "other@example.fr")
    world.put_file(key, manifest(NEXT))
    first = world.put_file(PATH, NEXT)
    world.put_file(key, manifest(other))
    second = world.put_file(PATH, other)
    for drop in (first, second):
        receipt = ingest(world.ports, drop)
        assert receipt
        assert receipt.status == "accepted"


def email_table(encoding: str = "utf-8", end: str = "\n") -> bytes:
    return end.join(["email", "jeanne@example.fr", "zoé@example.fr", ""]).encode(encoding)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (PATH, email_table()),
        (PATH, email_table("utf-16")),
        (PATH, email_table("latin-1")),
        (PATH, email_table(end="\r") * 200),
        (PATH, b"name,email\nJeanne,jeanne@example.fr\n"),
        (PATH, gzip.compress(email_table(), mtime=0)),
        (f"{PATH}.gz", gzip.compress(email_table(), mtime=0)),
        (f"{PATH}.gz", email_table()),
        ("customers/full/list.txt", email_table()),
        (PATH.replace(".csv", ".manifest.json"), email_table()),
        ("orders/today.csv", email_table()),
    ],
    ids=range(11),
)
def test_law_9_a_file_of_addresses_is_moved_away_whatever_else_is_wrong_with_it(
    world: World, path: str, content: bytes
) -> None:
    receipt = world.drop(path, content)
    assert (receipt.reason, receipt.quarantined) == ("plain_address", True)
    assert receipt_of(world, path)["quarantined"] is True
    assert "jeanne" not in json.dumps(receipt_of(world, path))
    assert f"in/{CAMPAIGN}/{path}" not in world.files.content
    assert world.files.under("quarantine/")


def test_a_refused_file_without_addresses_stays_where_it_is(world: World) -> None:
    receipt = world.drop(PATH, b"digest\n@@ jeanne @\n")
    assert receipt.reason == "plain_address"
    receipt = world.drop("customers/full/b.csv", b"sha1\n" + NEXT)
    assert (receipt.reason, receipt.quarantined) == ("unknown_column", False)
    assert f"in/{CAMPAIGN}/customers/full/b.csv" in world.files.content


def test_a_campaign_cannot_change_the_kind_of_its_digests_under_one_key_id(world: World) -> None:
    plain = campaign(digests={"key_ids": ["k1"], "algorithm": "sha256"})
    with pytest.raises(InvalidError):
        put_campaign(world.ports, plain)
    put_campaign(world.ports, campaign(digests={"key_ids": ["k9"], "algorithm": "sha256"}))


def test_the_receipt_of_a_file_is_not_replaced_by_that_of_an_earlier_one(
    world: World,
) -> None:
    first = world.put_file(PATH, list_of("too@small.fr"))
    world.clock.advance(minutes=1)
    world.drop(PATH, NEXT)
    late = ingest(world.ports, first)
    assert late
    assert late.status == "refused"
    assert receipt_of(world, PATH)["status"] == "accepted"
    own = own_path(PATH, first.dropped_at, late.sha256).removesuffix(".json")
    assert receipt_of(world, own)["status"] == "refused"
