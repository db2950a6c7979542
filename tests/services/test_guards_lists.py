"""Dropped lists beside earlier ones of the same content: held, stored by an earlier version, or
with manifests of several files at one path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.lists.model import FileRecord, HeldList
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ingest import drop_at, ingest
from chalicelib.services.ports import Insert, Remove
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign
from tests.fakes.ports import MORNING
from tests.fakes.world import CUSTOMERS, World, new_world
from tests.services.test_list_drops import IN_FORCE, NEXT, PATH, current, list_of, manifest

BESIDE = PATH.replace(".csv", ".manifest.json")
WITHOUT_CANARY = {"customers": {"max_shrink_percent": 50}}


def put_keys(world: World, *key_ids: str) -> None:
    put_campaign(world.ports, campaign(digests={"key_ids": key_ids}, lists=WITHOUT_CANARY))
    world.clock.advance(minutes=1)


@pytest.mark.parametrize("key", [f"in/{CAMPAIGN}", f"in/{CAMPAIGN}/", "in/"])
def test_the_folder_of_a_campaign_is_no_drop(key: str) -> None:
    assert drop_at(key, MORNING) is None


def test_a_held_list_still_waits_for_ops_when_it_comes_again_after_a_newer_one(
    world: World,
) -> None:
    small = list_of(CANARY, CUSTOMERS[0])
    drop = world.put_file(PATH, small)
    ingest(world.ports, drop)
    world.clock.advance(minutes=1)
    world.drop("customers/full/newer.csv", NEXT)
    receipt = ingest(world.ports, drop)
    assert receipt
    assert receipt.reason == "older_than_the_list_in_force"
    [held] = world.memory.all(HeldList)
    assert (held.decision, held.rows) == (None, 2)


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
