"""The client's own codes in shards: what a grant reads, who gets which code, and the last ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import pytest

from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.vouchers import SHARDS, SpareCode, Voucher, spare_code
from chalicelib.services.ports import Change, Insert, Remove, Repository
from chalicelib.services.spare_codes import choose_spare_code, count_spare_codes
from chalicelib.services.vouchers.reward import reward
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.indexed import IndexedRepository
from tests.fakes.ports import CountingCodes
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_orders import CLIENT_TEMPLATES, NEWCOMER

E = TypeVar("E", bound=Entity)
TEMPLATE = "welcome"
# DynamoDB's limit for a partition, and what removing an item costs in a transaction.
UNITS, UNITS_A_GRANT = 1000, 2


class RandomCodes(CountingCodes):
    """Identifiers as they are on AWS, the same in every run."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = Random(9)

    def identifier(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


class CountedRepository(RecordingRepository):
    """Also counts the spare codes that each call reads."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.read_codes: list[int] = []

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        found = super().first_within(kind, count, **key)
        self.read_codes.append(len(found))
        return found


class RivalRepository(RecordingRepository):
    """Another grant issues the code that the first grant here has chosen, just before it."""

    spent: SpareCode | None = None

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        for change in changes:
            if isinstance(change.entity, SpareCode) and self.spent is None:
                self.spent = change.entity
                super().commit(change)
        super().commit(*changes, facts=facts)


def world_with(codes: int, store: Repository | None = None, **changes: Any) -> World:
    """A world with so many codes of the client's for welcome vouchers."""
    world = new_world(store, templates=CLIENT_TEMPLATES)
    world.ports = replace(world.ports, codes=RandomCodes())
    for number in range(codes):
        spare = spare_code(CAMPAIGN, TEMPLATE, f"OWN-{1000 + number}")
        world.repository.commit(Insert(replace(spare, **changes)))
    return world


def chosen(world: World) -> SpareCode | None:
    return choose_spare_code(world.ports, CAMPAIGN, TEMPLATE)


def issue(world: World, spare: SpareCode) -> None:
    """What a grant does with its code, without the rest of it."""
    world.repository.commit(Remove(spare))


def test_a_grant_makes_two_calls_for_its_code_and_reads_25_codes() -> None:
    world = world_with(5000, IndexedRepository())
    counted = CountedRepository(world.repository)
    ports = wrapped(world, lambda _: counted)
    for _ in range(200):
        assert choose_spare_code(ports, CAMPAIGN, TEMPLATE)
    # One in seventeen looks first at where earlier versions kept codes, and finds nothing.
    read = Counter(counted.read_codes)
    assert read == {25: 200, 0: 16}
    assert Counter(counted.calls) == {"first_within SpareCode": 216, "get Voucher": 200}


def test_at_500_grants_a_second_no_partition_is_near_its_limit() -> None:
    world = world_with(5000, IndexedRepository())
    shards = Counter[str]()
    for _ in range(500):
        spare = chosen(world)
        assert spare
        shards[spare.shard] += UNITS_A_GRANT
        issue(world, spare)
    assert set(shards) == set(SHARDS)
    assert max(shards.values()) < UNITS / 5


def test_concurrent_grants_rarely_choose_the_same_code() -> None:
    world = world_with(5000, IndexedRepository())
    # All at one instant: none has issued its code when the others choose.
    picks = Counter(spare.code_key for spare in (chosen(world) for _ in range(50)) if spare)
    assert sum(picks.values()) == 50
    assert len(picks) > 40


def test_every_code_is_found_down_to_the_last_one_and_none_twice() -> None:
    world = world_with(300)
    codes = set[str]()
    for left in range(300, 0, -1):
        assert count_spare_codes(world.ports, CAMPAIGN, TEMPLATE, 1000) == left
        spare = chosen(world)
        assert spare
        assert spare.code_key not in codes
        codes.add(spare.code_key)
        issue(world, spare)
    assert chosen(world) is None
    assert count_spare_codes(world.ports, CAMPAIGN, TEMPLATE, 1000) == 0


def test_they_are_counted_no_further_than_asked() -> None:
    assert count_spare_codes(world_with(30).ports, CAMPAIGN, TEMPLATE, 7) == 7


def test_of_two_grants_that_choose_one_code_the_other_takes_another() -> None:
    world = world_with(2)
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    world.confirm(NEWCOMER)
    [confirmed] = world.facts(FactName.REFERRAL_CONFIRMED)
    rival = RivalRepository(world.repository)
    assert reward(wrapped(world, lambda _: rival), confirmed) == ["granted"]
    [voucher], left = world.memory.all(Voucher), world.memory.all(SpareCode)
    assert rival.spent
    assert voucher.code_key != rival.spent.code_key
    assert left == []


def test_codes_of_earlier_versions_are_issued_counted_and_not_stored_again() -> None:
    world = world_with(3, shard="")
    assert count_spare_codes(world.ports, CAMPAIGN, TEMPLATE, 10) == 3
    receipt = world.drop("codes/welcome/a.csv", b"OWN-1000\nOWN-1001\nOWN-2000\n")
    assert receipt.effects == {"known_already": 2, "stored": 1}
    for _ in range(4):
        spare = chosen(world)
        assert spare
        issue(world, spare)
    assert chosen(world) is None


@pytest.mark.parametrize("codes", [1, 60])
def test_codes_that_another_template_has_issued_are_passed_once(codes: int) -> None:
    world = world_with(codes)
    shard = world.memory.all(SpareCode)[0].shard
    for spare in world.memory.all(SpareCode):
        # All in one shard, more than a grant looks at together.
        issue(world, spare)
        world.repository.commit(Insert(replace(spare, shard=shard, revision=0)))
    example = next(entity for entity in ENTITIES if isinstance(entity, Voucher))
    for spare in world.memory.all(SpareCode):
        world.repository.commit(Insert(replace(example, code_key=spare.code_key, revision=0)))
    assert chosen(world) is None
    assert world.memory.all(SpareCode) == []
    world.repository.commit(Insert(spare_code(CAMPAIGN, TEMPLATE, "OWN-9000")))
    assert chosen(world)
