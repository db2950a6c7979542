"""The table in memory with indexes, for worlds of many thousand items: the same answers, sooner.

`MemoryRepository` looks through everything at each question, which is plainly right and slow.
`tests/contract` asks both the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import Agenda, Change, OnFailure, Remove
from tests.fakes.repository import MemoryRepository, Place, _fact_key, _pair

E = TypeVar("E", bound=Entity)


class IndexedRepository(MemoryRepository):
    """`ports.Repository` in memory, with an index for every kind of question."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[type[Entity], dict[Place, None]] = defaultdict(dict)
        self._partitions: dict[str, dict[str, None]] = defaultdict(dict)
        self._agendas: dict[str, dict[Place, str]] = defaultdict(dict)
        self._holders: dict[str, dict[Place, None]] = defaultdict(dict)
        self._fact_partitions: dict[str, list[Place]] = defaultdict(list)

    def _places(self, partition: str, start: str) -> list[Place]:
        keys = self._partitions[partition]
        return [(partition, sk) for sk in sorted(keys) if sk.startswith(start)]

    def agenda(
        self,
        kind: type[E],
        name: Agenda,
        scope: str = "",
        *,
        until: datetime | None = None,
        on_failure: OnFailure | None = None,
    ) -> Iterator[E]:
        last = schema.due_until(until)
        due = sorted(
            (position, key)
            for partition in schema.due_partitions(name, scope)
            for key, position in self._agendas[partition].items()
            if position <= last
        )
        found = self._read_again(kind, [key for _, key in due], on_failure)
        return (one for one in found if schema.is_on(one, name, scope, until))

    def _listed(self) -> Iterator[tuple[str, str, Place]]:
        for partition, entries in self._agendas.items():
            for key, position in entries.items():
                yield partition, position, key

    def held_by(self, holder_id: str, on_failure: OnFailure | None = None) -> list[Voucher]:
        held = [(key, self._items[key]) for key in self._holders[f"HOLDER#{holder_id}"]]
        return sorted(
            self._as_read(Voucher, held, on_failure), key=lambda voucher: voucher.issued_at
        )

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        for change in changes:
            self._index(change)
        for fact in facts:
            key = _fact_key(fact)
            self._fact_partitions[key[0]].append(key)

    def _fact_places(self, partition: str) -> list[Place]:
        return sorted(self._fact_partitions[partition])

    def all(self, kind: type[E]) -> list[E]:
        found = (self._items[key] for key in self._kinds[kind])
        return [one for one in found if isinstance(one, kind)]

    def _index(self, change: Change) -> None:
        entity = change.entity
        pk, sk = key = _pair(schema.key_of(entity))
        for entries in self._agendas.values():
            entries.pop(key, None)
        if isinstance(change, Remove):
            self._kinds[type(entity)].pop(key, None)
            self._partitions[pk].pop(sk, None)
            return
        self._kinds[type(entity)][key] = None
        self._partitions[pk][sk] = None
        index = schema.index_keys(self._items[key])
        if "due_pk" in index:
            self._agendas[index["due_pk"]][key] = index["due_sk"]
        if "holder_pk" in index:
            self._holders[index["holder_pk"]][key] = None
