"""Lists on a running stack: deltas, a list held and released, one that is refused.

The ingest function runs with its layer and under its own role; ops act by the command line.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.demo.lists import CAMPAIGN_FILE, digest_of, with_pictures
from local.narration import Narrator
from local.running import Stack
from local.surfaces import Surfaces
from tests.e2e.test_second_campaign import run

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

CAMPAIGN = "lists"
SIZE = 3000
PEOPLE = [f"person{number}@lists.test" for number in range(SIZE)]


def digests(*addresses: str) -> bytes:
    return "\n".join(["digest", *map(digest_of, addresses), ""]).encode()


@pytest.fixture(scope="module")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    file = tmp_path_factory.mktemp("campaign") / "lists.yaml"
    text = CAMPAIGN_FILE.read_text(encoding="utf-8")
    text = text.replace("campaign: demo-vip", f"campaign: {CAMPAIGN}")
    file.write_text(re.sub(r"    canaries:.*\n.*\n.*\n", "", text))
    with_pictures(file)
    put = run(stack, "tandem", "campaign", "put", str(file))
    assert put.returncode == 0, put.stderr
    surfaces = Surfaces(stack, CAMPAIGN)
    yield surfaces
    surfaces.close()


def receipt_when(
    world: Surfaces, path: str, holds: Callable[[dict[str, Any]], object] = bool
) -> dict[str, Any]:
    """The receipt of a file, once it is there and `holds`."""
    narrator = Narrator(world.stack)
    narrator.wait(path, lambda: int(bool(holds(world.receipt(path) or {}))), 1)
    receipt = world.receipt(path)
    assert narrator.failures == [], receipt
    assert receipt
    return receipt


def dropped(world: Surfaces, path: str, content: bytes) -> dict[str, Any]:
    world.drop(path, content)
    return receipt_when(world, path)


def test_a_list_is_changed_held_released_and_rolled_back(stack: Stack, world: Surfaces) -> None:
    members = gzip.compress(digests(*PEOPLE[:1500])) + gzip.compress(
        digests(*PEOPLE[1500:]).removeprefix(b"digest\n")
    )
    full = dropped(world, "customers/full/all.csv.gz", members)
    assert (full["status"], full["rows"], full["list"]["rows"]) == ("accepted", SIZE, SIZE)

    added = dropped(world, "customers/add/more.csv", digests("new@lists.test", PEOPLE[0]))
    assert (added["list"]["effect"], added["list"]["rows"]) == ("merged", SIZE + 1)
    removed = dropped(world, "customers/remove/less.csv", digests(*PEOPLE[:9]))
    assert (removed["version"], removed["list"]["rows"]) == (3, SIZE - 8)

    small = "customers/full/small.csv"
    held = dropped(world, small, digests(*PEOPLE[:100]))
    assert (held["status"], held["reason"], held["held"]) == (
        "refused",
        "shrink_beyond_limit",
        True,
    )
    reported = run(stack, "tandem", "list", "status", CAMPAIGN).stdout
    assert f"customers: version 3, {SIZE - 8:,} digests" in reported
    assert "shrink_beyond_limit" in reported
    released = run(stack, "tandem", "list", "release", CAMPAIGN, "customers")
    assert released.returncode == 0, released.stderr
    receipt = receipt_when(world, small, lambda one: one.get("status") == "accepted")
    assert (receipt["version"], receipt["list"]["rows"]) == (4, 100)

    back = run(stack, "tandem", "list", "rollback", CAMPAIGN, "customers", "--to", "3")
    assert back.stdout.startswith("customers: version 5 is in force"), back.stderr
    lists = world.dashboard()["lists"]
    assert (lists["customers"]["version"], lists["customers"]["rows"]) == (5, SIZE - 8)


def test_a_file_with_an_address_is_gone_from_the_clients_folder(
    stack: Stack, world: Surfaces
) -> None:
    path = "vips/full/plain.csv"
    receipt = dropped(world, path, digests(*PEOPLE[:50]) + b"jeanne@lists.test\n")
    assert (receipt["reason"], receipt["errors"][0]["line"]) == ("plain_address", 52)
    key = f"in/{CAMPAIGN}/{path}"
    narrator = Narrator(world.stack)
    narrator.wait("moved away", lambda: len(versions_of(stack, key)), 0)
    assert narrator.failures == []
    assert len(versions_of(stack, f"quarantine/{CAMPAIGN}/{path}")) == 1


def versions_of(stack: Stack, key: str) -> list[Any]:
    """Every version of an object that is still there, whatever was put over it."""
    listed = stack.s3.list_object_versions(Bucket=stack.bucket, Prefix=key)
    return list(listed.get("Versions", []))


def bomb() -> bytes:
    return gzip.compress(f"{digest_of(PEOPLE[0])}\n".encode() * 1_000_000, 9)


def cut() -> bytes:
    return gzip.compress(digests(*PEOPLE[:50]))[:-20]


def wide() -> bytes:
    return digests(*PEOPLE[:50]).decode().encode("utf-16")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bomb.csv.gz", bomb, "unpacks_too_far"),
        ("cut.csv.gz", cut, "truncated_gzip"),
        ("wide.csv", wide, "utf16"),
    ],
)
def test_a_bad_list_is_refused_and_the_one_in_force_stays(
    world: Surfaces, name: str, content: Callable[[], bytes], reason: str
) -> None:
    before = world.dashboard()["lists"]
    receipt = dropped(world, f"customers/full/{name}", content())
    assert (receipt["status"], receipt["reason"]) == ("refused", reason)
    assert world.dashboard()["lists"] == before
