"""Dropped lists beside earlier ones of the same content: held, stored by an earlier version, or
with manifests of several files at one path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.lists.model import APPROVED, FileRecord, HeldList
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ingest import drop_at, ingest
from chalicelib.services.lists.manifests import FORMER_MANIFESTS
from chalicelib.services.ports import Insert, Remove, Replace
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.ports import MORNING
from tests.fakes.world import CUSTOMERS, World, new_world
from tests.services.test_list_drops import IN_FORCE, NEXT, PATH, current, list_of, manifest

BESIDE = PATH.replace(".csv", ".manifest.json")
SMALL = list_of(CANARY, CUSTOMERS[0])
WITHOUT_CANARY = {"customers": {"max_shrink_percent": 50}}


def put_keys(world: World, *key_ids: str) -> None:
    put_campaign(world.ports, campaign(digests={"key_ids": key_ids}, lists=WITHOUT_CANARY))
    world.clock.advance(minutes=1)


@pytest.mark.parametrize(
    "key", [f"in/{CAMPAIGN}", f"in/{CAMPAIGN}/", "in/", f"out/{CAMPAIGN}/orders/a.csv"]
)
def test_the_folder_of_a_campaign_and_what_is_elsewhere_is_no_drop(key: str) -> None:
    assert drop_at(key, MORNING) is None


def test_a_held_list_still_waits_for_ops_when_it_comes_again_after_a_newer_one(
    world: World,
) -> None:
    drop = world.put_file(PATH, SMALL)
    ingest(world.ports, drop)
    world.clock.advance(minutes=1)
    world.drop("customers/full/newer.csv", NEXT)
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "older_than_the_list_in_force"
    [held] = world.memory.all(HeldList)
    assert (held.decision, held.rows) == (None, 2)


def approved(world: World) -> None:
    """A list that exceeds a limit, which ops have approved; it was not dropped again yet."""
    world.drop(PATH, SMALL)
    [held] = world.memory.all(HeldList)
    world.repository.commit(Replace(replace(held, decision=APPROVED)))
    world.clock.advance(minutes=1)


def test_an_approval_stays_when_the_file_may_not_be_the_one_that_was_approved(
    world: World,
) -> None:
    approved(world)
    world.put_file(BESIDE, manifest(SMALL, rows=7))
    assert world.drop(PATH, SMALL).reason == "manifest_rows_mismatch"
    assert [one.decision for one in world.memory.all(HeldList)] == [APPROVED]
    world.put_file(BESIDE, manifest(SMALL))
    assert world.drop(PATH, SMALL).version == 2


def test_an_approval_is_used_up_by_a_drop_that_is_refused_for_what_nobody_may_approve(
    world: World,
) -> None:
    approved(world)
    canaries = [digest(CANARY), digest("another@demo.test")]
    put_campaign(world.ports, campaign(lists={"customers": {"canaries": canaries}}))
    world.clock.advance(minutes=1)
    assert world.drop(PATH, SMALL).reason == "canaries_missing"
    assert world.memory.all(HeldList) == []


def test_the_canaries_of_a_manifest_are_those_of_a_full_list(world: World) -> None:
    """What is added or removed need not be in the list, nor stay in it."""
    added = list_of("new@example.fr")
    beside_it = manifest(added, canaries=[digest("somebody@example.fr")])
    world.put_file("customers/add/a.manifest.json", beside_it)
    assert world.drop("customers/add/a.csv", added).version == 2


def test_a_full_list_is_built_once_where_nothing_was_added_to_it(world: World) -> None:
    before = len(world.lists.segments)
    assert world.drop(PATH, NEXT).version == 2
    assert len(world.lists.segments) == before + 1


def recorded_by_0_1_0(world: World) -> None:
    """The record of the list in force as 0.1.0 stored it: by the name of the list alone."""
    [record] = [one for one in world.memory.all(FileRecord) if one.file == PATH]
    world.repository.commit(Remove(record), Insert(replace(record, area="customers", revision=0)))


@pytest.mark.parametrize(("key_id", "version"), [("k1", 2), ("k2", 3)])
def test_law_3_content_recorded_by_0_1_0_is_known_under_the_key_of_its_version_alone(
    key_id: str, version: int
) -> None:
    """Under another key the same digests mean other people."""
    world = new_world(lists=WITHOUT_CANARY)
    put_keys(world, "k2", "k1")
    world.put_file(BESIDE, manifest(NEXT))
    world.drop(PATH, NEXT)
    recorded_by_0_1_0(world)
    world.clock.advance(minutes=1)
    world.put_file(BESIDE, manifest(NEXT, key_id=key_id))
    assert world.drop(PATH, NEXT).version == version
    assert current(world).key_id == key_id


def test_content_that_0_1_0_recorded_as_a_full_list_can_be_added_or_removed(world: World) -> None:
    world.drop(PATH, NEXT)
    recorded_by_0_1_0(world)
    world.clock.advance(minutes=1)
    receipt = world.drop("customers/add/same.csv", NEXT)
    assert (receipt.status, receipt.version) == ("accepted", 3)


def test_a_manifest_that_names_a_key_that_is_not_in_force_says_so_whatever_keys_are() -> None:
    world = new_world(lists=WITHOUT_CANARY)
    put_keys(world, "k2", "k1")
    world.put_file(BESIDE, manifest(NEXT, key_id="k9"))
    assert world.drop(PATH, NEXT).reason == "manifest_key_id_mismatch"


def test_of_many_manifests_at_a_path_each_list_finds_its_own(world: World) -> None:
    contents = [list_of(*IN_FORCE, f"new{number}@example.fr") for number in range(3)]
    drops = []
    for content in contents:
        world.put_file(BESIDE, manifest(content))
        drops.append(world.put_file(PATH, content))
    for drop in drops:
        receipt = ingest(world.ports, drop)
        assert receipt
        assert (receipt.status, receipt.reason) == ("accepted", None)


def test_a_former_manifest_that_is_damaged_hides_none_before_it(world: World) -> None:
    world.put_file(BESIDE, manifest(NEXT))
    drop = world.put_file(PATH, NEXT)
    world.put_file(BESIDE, b"{")
    world.put_file(BESIDE, manifest(list_of(*IN_FORCE, "other@example.fr")))
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.status == "accepted"


def test_of_many_former_manifests_the_last_ones_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FORMER_MANIFESTS + 10):
        world.put_file(BESIDE, manifest(list_of(f"n{number}@example.fr")))
    drop = world.put_file(PATH, NEXT)
    read: list[str] = []
    reading = world.files.read

    def noted(path: str, version: str | None = None) -> Iterator[bytes]:
        read.append(path)
        return reading(path, version)

    monkeypatch.setattr(world.files, "read", noted)
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "manifest_sha256_mismatch"
    assert read.count(f"in/{CAMPAIGN}/{BESIDE}") == 1 + FORMER_MANIFESTS


def test_an_acknowledgement_is_refused_for_its_wrong_line_and_not_searched_for_addresses(
    world: World,
) -> None:
    """Its reasons are free text."""
    world.referral("jeanne@example.fr")
    world.export()
    receipt = world.drop("acks/00000001.ack", b"WE-22222-22222-22222,ask paul@example.fr\n")
    assert (receipt.reason, receipt.errors[0].line) == ("reason_invalid", 1)
    assert not receipt.quarantined


def test_a_file_that_is_taken_away_while_it_is_refused_has_its_receipt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = world.put_file(PATH, b"sha1\n" + NEXT)
    read = world.files.read

    def read_and_gone(path: str, version: str | None = None) -> Iterator[bytes]:
        found = read(path, version)
        if path == drop.key:
            world.files.move(path, "elsewhere", version)
        return found

    monkeypatch.setattr(world.files, "read", read_and_gone)
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "unknown_column"
