"""Reading agendas: by the index `due`, and what is not in it yet by the index `agenda`.

`due` has keys alone, spread over partitions (`schema.SHARDS`), soonest first in each of them. Both
indexes lag behind the table, so nothing is decided on what they say: `read_again` reads the items
by their keys, and gives those that are on the agenda by their own state.

The index `agenda` has the items that a version without `due` stored and that have not been written
since. `tandem migrate` writes them all again; a later version then reads `due` alone and the
template loses the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import Item
from chalicelib.domain.entity import Entity
from chalicelib.services.ports import BATCH_LIMIT, Agenda, OnFailure, Stretch

E = TypeVar("E", bound=Entity)

# Partitions are read side by side, one page of each at a time.
PAGE = 1000


class Line(NamedTuple):
    """A line of an index: what it is sorted by, and the primary key of its item."""

    position: str
    pk: str
    sk: str


@dataclass(frozen=True)
class AgendaIndexes:
    """The two indexes. `query` gives the items of a query, `read` those with some keys; `entities`
    are those in items, without what is past its end; those that cannot be read go to a function.
    """

    query: Callable[..., Iterator[Item]]
    read: Callable[[Sequence[dict[str, str]]], Iterator[Item]]
    entities: Callable[[Any, Iterable[Item], OnFailure | None], Iterator[Any]]

    def stretches(self, name: Agenda, scope: str, until: datetime | None) -> Iterator[Stretch]:
        """The partitions in which anything stands up to `until`."""
        last = schema.due_until(until)
        for partition in _partitions(name, scope):
            whole = Stretch(name, scope, partition, "", last)
            first = next(self.lines(whole, page=1), None)
            if first:
                yield Stretch(name, scope, partition, first.position, last)

    def lines(self, stretch: Stretch, page: int = PAGE) -> Iterator[Line]:
        """The lines of a stretch, in order."""
        former = schema.former_agenda_key(stretch.agenda, stretch.scope)
        index = schema.FORMER_AGENDA_INDEX if stretch.partition == former else schema.DUE_INDEX
        values = {":pk": stretch.partition, ":last": stretch.last}
        condition = f"{index}_pk = :pk AND {index}_sk <= :last"
        if stretch.first:
            values[":first"] = stretch.first
            condition = f"{index}_pk = :pk AND {index}_sk BETWEEN :first AND :last"
        for item in self.query(
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            ProjectionExpression=f"pk, sk, {index}_sk",
            PaginationConfig={"PageSize": page},
        ):
            yield Line(item[f"{index}_sk"]["S"], item["pk"]["S"], item["sk"]["S"])

    def read_again(
        self,
        kind: type[E],
        name: Agenda,
        scope: str,
        until: datetime | None,
        on_failure: OnFailure | None,
    ) -> Iterator[E]:
        """The entities that are on the agenda now, soonest first as the indexes have them."""
        last = schema.due_until(until)
        partitions = _partitions(name, scope)
        lines = heapq.merge(
            *(self.lines(Stretch(name, scope, partition, "", last)) for partition in partitions)
        )
        seen: set[tuple[str, str]] = set()
        while page := list(islice(lines, BATCH_LIMIT)):
            # An item that moved between the two reads is listed twice.
            places = dict.fromkeys((line.pk, line.sk) for line in page)
            new = [place for place in places if place not in seen]
            seen.update(new)
            for entity in self.entities(kind, self._in_order(new), on_failure):
                if schema.is_on(entity, name, scope, until):
                    yield entity

    def _in_order(self, places: Sequence[tuple[str, str]]) -> Iterator[Item]:
        """The items at these places, in their order; a batch is answered in any."""
        found: dict[tuple[str, str], Any] = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in self.read([{"pk": pk, "sk": sk} for pk, sk in places])
        }
        return (found[place] for place in places if place in found)


def _partitions(name: Agenda, scope: str) -> Iterator[str]:
    # The former index first: an item that is written meanwhile moves to the other one.
    yield schema.former_agenda_key(name, scope)
    yield from schema.due_partitions(name, scope)
