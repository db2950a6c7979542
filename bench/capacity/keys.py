"""The keys of the next piece of work like one that was recorded.

Of the partitions that a recorded work touched

* some are *spread*: the schema has so many of them (shards of an agenda, of the facts of an hour,
  of counts), and another subject is in any of them;
* some are *shared*: other works of the sample touched them too;
* the others are its own, like all of one person: another work has others, and is in nobody's way.

So a sample of a few works stands for any number: spread partitions are drawn from all that the
schema has, shared ones stay, and its own are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from bench.capacity.limits import Kind
from bench.capacity.simulation import Place, Request, Resource, Work
from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.changes import SHARDS as CHANGE_SHARDS
from chalicelib.domain.journal import PART_SHARDS
from chalicelib.domain.vouchers import SHARDS as CODE_SHARDS
from chalicelib.services.ports import FACT_SHARDS, Agenda
from chalicelib.services.spare_codes import CODES_TO_CHOOSE_FROM

_RANDOM_ID = re.compile(r"#[0-9a-f]{32}")
# As many as the most spread partitions have shards; all others have a divisor of it.
MOST_SHARDS = FACT_SHARDS
_SHARD = re.compile(r"(.+#)([0-9a-f]{1,3})")


class Spread(NamedTuple):
    """A partition as one of `shards`: the text before its number, the number, how it is written."""

    before: str
    number: int
    shards: int
    form: str

    def moved(self, by: int) -> str:
        """The key of the partition so many further, round and round."""
        return self.before + format((self.number + by) % self.shards, self.form)


def spread(store: str, key: str) -> Spread | None:
    """Which of how many alike a partition is; None if it is the only one."""
    found = _SHARD.fullmatch(key)
    if found is None:
        return None
    before, shard = found.groups()
    if store == schema.DUE_INDEX:
        count = schema.SHARDS[Agenda(key.partition("#")[0])]
        return Spread(before, int(shard), count, "02")
    match key.partition("#")[0], len(shard):
        case "FACT", 3:
            return Spread(before, int(shard), FACT_SHARDS, "03")
        case "COUNT", 2:
            return Spread(before, int(shard), schema.COUNT_PARTITIONS, "02")
        case "JOURNAL_PARTS", 2:
            return Spread(before, int(shard), PART_SHARDS, "02")
        case "CODES", 1:
            return Spread(before, int(shard, 16), len(CODE_SHARDS), "x")
        case "CHANGES", 1:
            return Spread(before, int(shard), len(CHANGE_SHARDS), "d")
    return None


class Sample:
    """Recorded works of one kind, from which more are drawn."""

    def __init__(self, works: Sequence[Work]) -> None:
        if not works:
            raise ValueError("a sample of no work")
        shared = _shared(works)
        self.works = works
        self._kept = [_kept(work, shared) for work in works]
        self._moved: dict[tuple[int, int], Work] = {}
        self._has_codes = any(
            _is_code(item) for work in works for one in work.requests for item in one.items
        )

    def only(self, *kinds: Kind) -> Sample:
        """The sample with these kinds of resources alone, and no items that are held."""
        kept = Sample(self.works)
        kept._kept = [
            replace(work, requests=tuple(_only(one, kinds) for one in work.requests))
            for work in kept._kept
        ]
        return kept

    def draw(self, chance: Random) -> Work:
        """One more work like those of the sample."""
        place, by = chance.randrange(len(self._kept)), chance.randrange(MOST_SHARDS)
        moved = self._moved.get((place, by))
        if moved is None:
            moved = self._moved[place, by] = _moved(self._kept[place], by)
        if not self._has_codes:
            return moved
        return replace(moved, requests=tuple(_chosen(one, chance) for one in moved.requests))


def _only(request: Request, kinds: Sequence[Kind]) -> Request:
    takes = {one: units for one, units in request.takes.items() if one.kind in kinds}
    return replace(request, takes=takes, items=frozenset())


def _shared(works: Sequence[Work]) -> frozenset[Resource | Place]:
    """The partitions and items that several works touch."""
    touched: Counter[Resource | Place] = Counter()
    for work in works:
        own: set[Resource | Place] = set()
        for request in work.requests:
            own.update(request.takes)
            own.update(request.items)
        touched.update(own)
    return frozenset(one for one, times in touched.items() if times > 1 and not _is_a_persons(one))


def _is_a_persons(one: Resource | Place) -> bool:
    """Whether its key has a random id: of a sponsor a sample has few, and a load has many."""
    return bool(_RANDOM_ID.search(one.key if isinstance(one, Resource) else one[0]))


def _kept(work: Work, shared: frozenset[Resource | Place]) -> Work:
    """The work without what is its own. Its requests still take their time, those that meet nobody
    together.
    """
    requests: list[Request] = []
    for one in (_kept_of(request, shared) for request in work.requests):
        if requests and not (_meets_others(one) or _meets_others(requests[-1])):
            requests[-1] = replace(one, seconds=requests[-1].seconds + one.seconds)
        else:
            requests.append(one)
    return replace(work, requests=tuple(requests))


def _meets_others(request: Request) -> bool:
    return bool(request.takes or request.items)


def _kept_of(request: Request, shared: frozenset[Resource | Place]) -> Request:
    return replace(
        request,
        takes={
            resource: units
            for resource, units in request.takes.items()
            if resource in shared or spread(resource.store, resource.key)
        },
        items=frozenset(_met(request.items, shared)),
    )


def _met(items: Iterable[Place], shared: frozenset[Resource | Place]) -> Iterable[Place]:
    """The items that another work may write at the same time."""
    # Of the items in a spread partition, counts and spare codes are for everybody.
    return (one for one in items if one in shared or one[0].startswith(("COUNT#", "CODES#")))


def _moved(work: Work, by: int) -> Work:
    """The work with all spread partitions so many further: what was in one stays in one."""
    return replace(work, requests=tuple(_moved_request(one, by) for one in work.requests))


def _moved_request(request: Request, by: int) -> Request:
    takes: dict[Resource, float] = {}
    for resource, units in request.takes.items():
        found = spread(resource.store, resource.key)
        moved = resource._replace(key=found.moved(by)) if found else resource
        takes[moved] = takes.get(moved, 0) + units
    items = frozenset(_moved_item(place, by) for place in request.items)
    return replace(request, takes=takes, items=items)


def _moved_item(place: Place, by: int) -> Place:
    partition, sk = place
    found = spread("table", partition)
    if found is None:
        return place
    if partition.startswith("COUNT#"):
        day, _, item = sk.partition("#")
        return found.moved(by), f"{day}#{(int(item) + by) % schema.COUNT_SPREADS:02}"
    return found.moved(by), sk


def _is_code(item: Place) -> bool:
    return item[0].startswith("CODES#")


def _chosen(request: Request, chance: Random) -> Request:
    """The request with another spare code: each grant takes one of the first of its shard."""
    if not any(map(_is_code, request.items)):
        return request
    items = frozenset(
        (item[0], str(chance.randrange(CODES_TO_CHOOSE_FROM))) if _is_code(item) else item
        for item in request.items
    )
    return replace(request, items=items)
