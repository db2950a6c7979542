"""Digests added to a list and removed from it: sequences of drops, in any order of arrival.

What each single drop does to a stored list is in tests/domain/test_list_plan.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.files.digests import record
from chalicelib.domain.files.receipt import ListOutcome, Receipt
from chalicelib.domain.lists.model import CurrentList, ListDelta, ListVersion
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.list_ports import ListBuilder
from chalicelib.services.ports import Ports
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.fuse import killed_everywhere
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

FIRST = [*CUSTOMERS, *VIPS, CANARY]
Chronicle = list[tuple[str, list[str]]]


def list_of(addresses: Iterable[str]) -> bytes:
    return "\n".join(["digest", *map(digest, addresses), ""]).encode()


def current(world: World) -> CurrentList:
    found = world.repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert found
    return found


def on_list(world: World) -> frozenset[bytes]:
    return world.lists.segments[current(world).segment]


def records(addresses: Iterable[str]) -> frozenset[bytes]:
    return frozenset(record(digest(address)) for address in addresses)


def outcome(receipt: Receipt) -> ListOutcome:
    assert receipt.outcome, receipt
    return receipt.outcome


def test_digests_are_added_to_the_list_in_force(world: World) -> None:
    result = outcome(world.drop("customers/add/a.csv", list_of(["new@example.fr", CUSTOMERS[0]])))
    assert on_list(world) == records([*FIRST, "new@example.fr"])
    assert (result.mode, result.effect, result.version, result.base_version) == (
        "add",
        "merged",
        2,
        1,
    )
    assert (result.rows_before, result.rows) == (len(FIRST), len(FIRST) + 1)
    assert result.full_sha256 == current(world).full.sha256


def test_digests_are_removed_from_the_list_in_force(world: World) -> None:
    receipt = world.drop("customers/remove/r.csv", list_of([CUSTOMERS[0], "nobody@example.fr"]))
    assert receipt.version == 2
    assert on_list(world) == records(FIRST) - records([CUSTOMERS[0]])
    written = json.loads(
        world.files.content[f"out/{CAMPAIGN}/receipts/customers/remove/r.csv.json"]
    )
    assert written["list"] == {
        "mode": "remove", "effect": "merged", "version": 2, "rows": len(FIRST) - 1,
        "rows_before": len(FIRST), "base_version": 1, "later_deltas": 0,
        "full_sha256": current(world).full.sha256,
    }  # fmt: skip


def test_law_7_a_delta_delivered_twice_or_renamed_has_no_second_effect(world: World) -> None:
    added = list_of(["new@example.fr"])
    for path in ("customers/add/a.csv", "customers/add/a.csv", "customers/add/b.csv"):
        assert world.drop(path, added).version == 2
    world.drop("customers/remove/r.csv", added)
    assert world.drop("customers/add/c.csv", added).reason == "taken_in_before"
    assert on_list(world) == records(FIRST)
    assert current(world).version == 3


def test_the_same_digests_added_and_removed_are_two_files(world: World) -> None:
    both = list_of(["new@example.fr"])
    world.drop("customers/add/x.csv", both)
    assert outcome(world.drop("customers/remove/x.csv", both)).effect == "merged"
    assert on_list(world) == records(FIRST)


# --- any order of arrival ---------------------------------------------------------------

CHRONICLE: Chronicle = [
    ("full", [*FIRST, "a@example.fr", "b@example.fr"]),
    ("remove", ["a@example.fr"]),
    ("add", ["a@example.fr", "c@example.fr"]),
    ("remove", ["c@example.fr", "b@example.fr"]),
]


def settled(chronicle: Chronicle) -> frozenset[bytes]:
    """What a list is after all of this, in order."""
    held: frozenset[bytes] = records(FIRST)
    for mode, addresses in chronicle:
        named = records(addresses)
        held = {"full": named, "add": held | named, "remove": held - named}[mode]
    return held


def dropped(world: World, chronicle: Chronicle) -> list[Drop]:
    """Everything dropped, one after another, and no event delivered yet."""
    drops = []
    for number, (mode, addresses) in enumerate(chronicle):
        world.clock.advance(minutes=number % 2)  # some in the same instant
        drops.append(world.put_file(f"customers/{mode}/{number}.csv", list_of(addresses)))
    return drops


@pytest.mark.parametrize("order", list(permutations(range(len(CHRONICLE)))), ids=str)
def test_law_7_drops_settle_the_same_whatever_the_order_of_arrival(order: tuple[int, ...]) -> None:
    world = new_world()
    drops = dropped(world, CHRONICLE)
    for number in order:
        ingest(world.ports, drops[number])
    assert on_list(world) == settled(CHRONICLE)


@pytest.mark.parametrize("seed", range(60))
def test_law_7_long_chronicles_settle_the_same_with_repeats(seed: int) -> None:
    chance = Random(seed)
    people = [f"p{number}@example.fr" for number in range(6)]
    chronicle: Chronicle = []
    for _ in range(8):
        mode = chance.choice(["full", "add", "remove", "add", "remove"])
        some = chance.sample(people, chance.randint(1, 5))
        chronicle.append((mode, [*FIRST, *some] if mode == "full" else some))
    contents = [(mode, frozenset(some)) for mode, some in chronicle]
    chronicle = [one for at, one in enumerate(chronicle) if contents.index(contents[at]) == at]
    world = new_world(lists={"customers": {"max_shrink_percent": 100}})
    drops = dropped(world, chronicle)
    arrivals = drops + chance.sample(drops, len(drops) // 2)
    chance.shuffle(arrivals)
    for drop in arrivals:
        ingest(world.ports, drop)
    assert on_list(world) == settled(chronicle)


def test_a_file_that_replaces_another_before_its_event_arrives_loses_neither(world: World) -> None:
    path = "customers/add/delta.csv"
    first = world.put_file(path, list_of(["a@example.fr"]))
    second = world.put_file(path, list_of(["b@example.fr"]))
    for drop in (second, first):
        ingest(world.ports, drop)
    assert on_list(world) == records([*FIRST, "a@example.fr", "b@example.fr"])


def test_the_receipt_says_that_a_delta_was_applied_in_its_place(world: World) -> None:
    early = world.put_file("customers/remove/early.csv", list_of(["new@example.fr"]))
    world.drop("customers/add/later.csv", list_of(["new@example.fr"]))
    receipt = ingest(world.ports, early)
    assert receipt
    assert outcome(receipt).effect == "merged_in_its_place"
    assert on_list(world) == records([*FIRST, "new@example.fr"])


def test_the_receipt_of_a_full_list_that_comes_late_counts_the_deltas_applied_to_it(
    world: World,
) -> None:
    full = world.put_file("customers/full/late.csv", list_of([*FIRST, "other@example.fr"]))
    world.drop("customers/add/later.csv", list_of(["new@example.fr"]))
    receipt = ingest(world.ports, full)
    assert receipt
    assert (outcome(receipt).effect, outcome(receipt).later_deltas) == ("in_force", 1)
    assert current(world).full.rows == len(FIRST) + 1
    assert on_list(world) == records([*FIRST, "other@example.fr", "new@example.fr"])


def test_law_7_content_repeated_counts_from_its_first_drop_in_any_order_of_arrival() -> None:
    chronicle: Chronicle = [
        ("full", [*FIRST, "a@example.fr"]),
        ("add", ["x@example.fr"]),
        ("remove", ["x@example.fr"]),
        ("add", ["x@example.fr"]),
    ]
    ends = set()
    for order in permutations(range(len(chronicle))):
        world = new_world()
        drops = dropped(world, chronicle)
        for number in order:
            ingest(world.ports, drops[number])
        ends.add(on_list(world))
    assert ends == {records([*FIRST, "a@example.fr"])}


class Meanwhile:
    """A builder that, while it builds a full list, lets something else happen once."""

    def __init__(self, inner: ListBuilder, happens: Callable[[], object]) -> None:
        self._inner = inner
        self._happens: Callable[[], object] | None = happens

    def gather(self, *args: Any) -> Any:
        return self._inner.gather(*args)

    def build(self, *args: Any, **kwargs: Any) -> Any:
        if self._happens:
            happens, self._happens = self._happens, None
            happens()
        return self._inner.build(*args, **kwargs)


def test_law_7_a_delta_that_came_to_wait_while_its_full_list_was_built_is_applied_to_it() -> None:
    world = World()
    put_campaign(world.ports, campaign())
    full = world.put_file("customers/full/first.csv", list_of(FIRST))
    delta = world.put_file("customers/add/a.csv", list_of(["new@example.fr"]))
    builder = Meanwhile(world.ports.list_builder(), lambda: ingest(world.ports, delta))
    ingest(replace(world.ports, list_builder=lambda: builder), full)
    assert on_list(world) == records([*FIRST, "new@example.fr"])


# --- a base that is named ------------------------------------------------------------------------


def named(world: World, path: str, content: bytes, base: str) -> None:
    members = {
        "rows": len(content.splitlines()) - 1, "sha256": hashlib.sha256(content).hexdigest(),
        "key_id": "k1", "generated_at": world.clock().isoformat(), "base": base,
    }  # fmt: skip
    world.put_file(path.replace(".csv", ".manifest.json"), json.dumps(members).encode())


def test_a_delta_waits_for_the_full_list_it_names(world: World) -> None:
    full = list_of([*FIRST, "other@example.fr"])
    coming = world.put_file("customers/full/next.csv", full)
    added = list_of(["new@example.fr"])
    named(world, "customers/add/a.csv", added, hashlib.sha256(full).hexdigest())
    result = outcome(world.drop("customers/add/a.csv", added))
    assert (result.effect, result.version) == ("waits_for_its_full_list", 1)
    assert on_list(world) == records(FIRST)
    assert [fact.details["mode"] for fact in world.facts(FactName.LIST_WAITS)] == ["add"]
    ingest(world.ports, coming)
    assert on_list(world) == records([*FIRST, "other@example.fr", "new@example.fr"])


def test_a_delta_that_names_its_full_list_is_applied_to_it_though_dropped_before(
    world: World,
) -> None:
    full = list_of([*FIRST, "other@example.fr"])
    added = list_of(["new@example.fr"])
    named(world, "customers/add/a.csv", added, hashlib.sha256(full).hexdigest())
    world.drop("customers/add/a.csv", added)
    world.clock.advance(minutes=1)
    result = outcome(world.drop("customers/full/next.csv", full))
    assert (result.effect, result.later_deltas) == ("in_force", 1)
    assert on_list(world) == records([*FIRST, "other@example.fr", "new@example.fr"])


def test_law_3_a_delta_made_with_another_key_is_not_applied_to_the_list() -> None:
    world = new_world()
    put_campaign(world.ports, campaign(digests={"key_ids": ["k2", "k1"]}))
    world.clock.advance(minutes=1)
    added = list_of(["new@example.fr"])
    members = {
        "rows": 1, "sha256": hashlib.sha256(added).hexdigest(), "key_id": "k2",
        "generated_at": world.clock().isoformat(),
    }  # fmt: skip
    world.put_file("customers/add/a.manifest.json", json.dumps(members).encode())
    assert outcome(world.drop("customers/add/a.csv", added)).effect == "waits_for_its_full_list"
    assert on_list(world) == records(FIRST)


def test_what_the_list_in_force_was_made_of_stays_when_the_same_content_comes_to_wait(
    world: World,
) -> None:
    added = list_of(["new@example.fr"])
    named(world, "customers/add/early.csv", added, "0" * 64)
    early = world.put_file("customers/add/early.csv", added)
    world.clock.advance(minutes=1)
    world.drop("customers/add/later.csv", added)
    ingest(world.ports, early)
    between = world.put_file("customers/remove/other.csv", list_of([CUSTOMERS[0]]))
    world.drop("customers/add/last.csv", list_of(["last@example.fr"]))
    ingest(world.ports, between)
    assert on_list(world) == records([*FIRST[1:], "new@example.fr", "last@example.fr"])


def test_a_waiting_delta_is_not_skipped_by_a_later_one(world: World) -> None:
    world.clock.advance(days=31)
    waits = world.drop("customers/add/late.csv", list_of(["late@example.fr"]))
    assert outcome(waits).effect == "waits_for_its_full_list"
    content = list_of(["dated@example.fr"])
    members = {
        "rows": 1, "sha256": hashlib.sha256(content).hexdigest(), "key_id": "k1",
        "generated_at": (world.clock() - timedelta(days=20)).isoformat(),
    }  # fmt: skip
    world.put_file("customers/add/dated.manifest.json", json.dumps(members).encode())
    world.drop("customers/add/dated.csv", content)
    assert on_list(world) == records([*FIRST, "late@example.fr", "dated@example.fr"])


# --- the guards hold for deltas too --------------------------------------------------------------


def test_a_removal_of_a_canary_is_refused(world: World) -> None:
    assert world.drop("customers/remove/r.csv", list_of([CANARY])).reason == "canaries_missing"
    assert on_list(world) == records(FIRST)
    assert not world.memory.all(ListDelta)


def test_a_removal_beyond_the_limit_is_held(world: World) -> None:
    receipt = world.drop("customers/remove/r.csv", list_of([*CUSTOMERS, *VIPS]))
    assert (receipt.reason, receipt.held) == ("shrink_beyond_limit", True)
    assert on_list(world) == records(FIRST)


def test_a_removal_of_everybody_leaves_no_empty_list(world: World) -> None:
    assert world.drop("vips/remove/r.csv", list_of(VIPS)).reason == "empty_list"


# --- killed --------------------------------------------------------------------------------------


def test_law_7_killed_at_every_step_and_delivered_again_a_delta_has_one_effect() -> None:
    late: list[Drop] = []

    def begun() -> World:
        world = new_world()
        late[:] = [world.put_file("customers/remove/late.csv", list_of(["a@example.fr"]))]
        world.drop("customers/add/a.csv", list_of(["a@example.fr", "b@example.fr"]))
        return world

    def run(_: World, ports: Ports) -> None:
        ingest(ports, late[0])

    for world in killed_everywhere(begun, run, lambda world: world.ports):
        ingest(world.ports, late[0])
        assert on_list(world) == records([*FIRST, "a@example.fr", "b@example.fr"])
        assert len([one for one in world.memory.all(ListVersion) if one.name == "customers"]) == 3
        assert len(world.memory.all(ListDelta)) == 2
