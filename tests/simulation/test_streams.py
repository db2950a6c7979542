"""Relay and projector behind a stream that behaves as Lambda's does: poisoned, duplicated, cut,
reordered. Exactly the poisoned facts end in the dead queue, and all others are done once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib import bootstrap, invocations
from chalicelib.adapters.dynamodb.codec import fact_item
from chalicelib.domain.effects import queues_of
from chalicelib.domain.facts import Fact, FactName
from tests import functions
from tests.fakes.event_source import Entry, EventSource, Mapping, Stream
from tests.fakes.ports import SettableClock
from tests.fakes.world import CUSTOMERS, World, new_world
from tests.services.test_project import recomputed

Item = dict[str, Any]
Poison = Callable[[Item], Item]

SEEDS = range(8)
MORE_SEEDS = range(8, 108)


def _unreadable(item: Item) -> Item:
    return item | {"at": {"S": "yesterday"}}


def _without_its_kind(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "kind"}


def _without_ids(item: Item) -> Item:
    """A fact about a voucher that names none: it cannot be relayed and not be counted."""
    return item | {"name": {"S": FactName.VOUCHER_ISSUED.value}, "ids": {"M": {}}}


POISONS: tuple[Poison, ...] = (_unreadable, _without_its_kind, _without_ids)


@contextmanager
def functions_of(world: World) -> Iterator[None]:
    """The functions of this process, on the ports of a world in memory, without metrics."""
    with (
        patch.object(bootstrap, "ports", lambda: world.ports),
        patch("chalicelib.fact_metrics.count"),
        patch.object(invocations, "count"),
        patch("chalicelib.fact_metrics.count_by_reason"),
        patch.object(invocations, "flushed", nullcontext),
    ):
        yield


def busy_world() -> World:
    """Some hundred facts of all kinds that follow from invitations and orders, none of them
    delivered.
    """
    world = new_world(quotas={"invitations_per_sponsor": 100, "referees_per_call": 20})
    session = world.sponsor()
    for start in range(0, 60, 20):
        world.invite(session, *(f"p{number}@example.fr" for number in range(start, start + 20)))
    world.invite(session, *CUSTOMERS)
    world.run()
    for number in range(12):
        world.confirm(f"p{number}@example.fr")
    world.run()
    rows = [world.order(f"A{number}", "kept", of=f"p{number}@example.fr") for number in range(12)]
    world.drop_orders(*rows)
    world.run()
    return world


@pytest.fixture(scope="module")
def story() -> list[Fact]:
    """What happened in a busy world, since it was like any other."""
    return busy_world().facts()[len(new_world().facts()) :]


def streamed(story: list[Fact], chance: Random, poisoned: int) -> tuple[World, Stream, set[str]]:
    """A world with the facts in its table, a stream of them that splits, and the ids of those that
    are poisoned in the stream.
    """
    world = new_world()
    world.queues.waiting.clear()
    stream = Stream(SettableClock())
    bad = {fact.fact_id for fact in chance.sample(story, poisoned)}
    splits = set(chance.sample(range(len(story)), 3))
    for position, fact in enumerate(story):
        world.repository.commit(facts=[fact])
        item = fact_item(fact)
        stream.put(chance.choice(POISONS)(item) if fact.fact_id in bad else item)
        if position in splits:
            stream.split(chance.choice([one for one in stream.shards if one.is_open]))
    return world, stream, bad


def mapping(chance: Random) -> Mapping:
    return Mapping(lanes=chance.choice((1, 1, 4)), batch_size=chance.choice((7, 98)))


def ids_of(entries: Iterator[Entry]) -> Counter[str]:
    return Counter(entry.record["dynamodb"]["NewImage"]["fact_id"]["S"] for entry in entries)


def given_up(source: EventSource) -> Counter[str]:
    return ids_of(entry for batch in source.given_up for entry in batch.entries)


def run_relay(story: list[Fact], seed: int) -> None:
    chance = Random(seed)
    world, stream, bad = streamed(story, chance, chance.choice((0, 1, 2, 9, 40)))
    faults = chance.choice((0, 0.2))
    with functions_of(world):
        source = EventSource(
            stream, functions.relay, stream._clock, chance, mapping(chance), faults=faults
        )
        source.run()
    assert given_up(source) == Counter(bad)
    for queue, waiting in world.queues.waiting.items():
        due = {one.fact_id for one in story if queue in queues_of(one)} - bad
        assert {fact.fact_id for fact in waiting} == due
    assert sum(len(waiting) for waiting in world.queues.waiting.values())


def run_project(story: list[Fact], seed: int) -> None:
    chance = Random(seed)
    world, stream, bad = streamed(story, chance, chance.choice((0, 1, 2, 9, 40)))
    before = {fact["fact_id"] for fact in world.journal()}
    faults = chance.choice((0, 0.2))
    with functions_of(world):
        source = EventSource(
            stream, functions.project, stream._clock, chance, mapping(chance), faults=faults
        )
        source.run()
    assert given_up(source) == Counter(bad)
    journal = Counter(fact["fact_id"] for fact in world.journal() if fact["fact_id"] not in before)
    assert journal == Counter({fact.fact_id for fact in story} - bad)
    assert world.repository.counts(world.campaign.id) == recomputed(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_poisoned_facts_of_the_relay_end_in_the_dead_queue(
    story: list[Fact], seed: int
) -> None:
    run_relay(story, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_poisoned_facts_of_the_projector_end_in_the_dead_queue(
    story: list[Fact], seed: int
) -> None:
    run_project(story, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_no_seed_loses_an_innocent_fact_or_counts_one_twice(story: list[Fact], seed: int) -> None:
    run_relay(story, seed)
    run_project(story, seed)
