"""The table in memory, and the wrappers that make it fail or meet a competitor on purpose.

Keys and indexes come from the same functions as on DynamoDB. `guards=False` takes the conditions of
every commit away: a law test that then still holds proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import JournalHead
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import (
    BATCH_LIMIT,
    Agenda,
    Change,
    ConflictError,
    Entry,
    Failure,
    Found,
    Insert,
    Key,
    OnFailure,
    Remove,
    Replace,
    Repository,
    Stretch,
)

E = TypeVar("E", bound=Entity)
Place = tuple[str, str]

TRANSACTION_LIMIT = 100


def _pair(key: Mapping[str, str]) -> Place:
    return key["pk"], key["sk"]


def _fact_key(fact: Fact) -> Place:
    return _pair(schema.fact_key(fact.subject, fact.at, fact.fact_id))


class UnreadableError(ValueError):
    """An item that cannot be made an entity of."""


class MemoryRepository:
    """`ports.Repository` in memory. What lies at an `unreadable` place cannot be read."""

    def __init__(self, *, guards: bool = True) -> None:
        self._guards = guards
        self._items: dict[Place, Entity] = {}
        self.unreadable: set[Place] = set()
        self.former: set[Place] = set()  # as a version before the index `due` stored them
        self._facts: dict[Place, Fact] = {}
        self._counts: dict[str, dict[date, dict[str, int]]] = {}

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        found = self._read(_pair(schema.key_for(kind, key)))
        return found if isinstance(found, kind) else None

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        distinct = dict.fromkeys(_pair(schema.key_for(kind, key)) for key in keys)
        found = map(self._read, distinct)
        return [one for one in found if isinstance(one, kind)]

    def read(self, *keys: Key[Any]) -> Found:
        places = {_pair(schema.key_for(key.kind, dict(key.parts))): key for key in keys}
        if not 0 < len(places) <= BATCH_LIMIT:
            raise ValueError(f"{len(places)} keys in one read")
        found = ((key, self._read(place)) for place, key in places.items())
        return Found({key: one for key, one in found if isinstance(one, key.kind)})

    def within(self, kind: type[E], /, **key: str | int) -> Iterator[E]:
        partition, start = schema.partition_for(kind, key)
        return iter(
            [
                entity
                for (pk, sk), entity in sorted(self._items.items(), key=lambda item: item[0])
                if pk == partition and sk.startswith(start) and isinstance(entity, kind)
            ]
        )

    def agenda(
        self,
        kind: type[E],
        name: Agenda,
        scope: str = "",
        *,
        until: datetime | None = None,
        on_failure: OnFailure | None = None,
    ) -> Iterator[E]:
        last, former = schema.due_until(until), schema.former_agenda_key(name, scope)
        listed = [
            (position, key)
            for partition, position, key in self._listed()
            if partition.rpartition("#")[0] == former and position <= last
        ]
        return self._read_again(kind, [key for _, key in sorted(listed)], on_failure)

    def _read_again(
        self, kind: type[E], keys: Sequence[Place], on_failure: OnFailure | None
    ) -> Iterator[E]:
        for key in keys:
            try:
                entity = self._read(key)
            except UnreadableError as error:
                if on_failure is None:
                    raise
                on_failure(Failure(schema.ITEM_KINDS[kind].kind, key[0], error))
                continue
            if isinstance(entity, kind):
                yield entity

    def _read(self, key: Place) -> Entity | None:
        if key in self.unreadable:
            raise UnreadableError
        return self._items.get(key)

    def stretches(
        self, name: Agenda, scope: str = "", *, until: datetime | None = None
    ) -> Iterator[Stretch]:
        last = schema.due_until(until)
        for partition in schema.due_partitions(name, scope):
            positions = [at for one, at, _ in self._listed() if one == partition and at <= last]
            if positions:
                yield Stretch(name, scope, partition, min(positions), last)

    def entries(self, kind: type[E], stretch: Stretch) -> Iterator[Entry[E]]:
        listed = sorted(
            (position, key)
            for partition, position, key in self._listed()
            if partition == stretch.partition and stretch.first <= position <= stretch.last
        )
        for position, key in listed:
            yield Entry(
                Key.of(kind, **schema.parts_of(kind, *key)), position, schema.mark_in(position)
            )

    def _listed(self) -> Iterator[tuple[str, str, Place]]:
        """What the index of agendas lists: partition, position and key."""
        for key, entity in self._items.items():
            index = schema.index_keys(entity)
            if "due_pk" in index:
                yield index["due_pk"], index["due_sk"], key

    def of_before(self) -> Iterator[Key[Any]]:
        for pk, sk in sorted(self.former):
            kind = type(self._items[pk, sk])
            yield Key.of(kind, **schema.parts_of(kind, pk, sk))

    def held_by(self, holder_id: str) -> list[Voucher]:
        vouchers = [entity for entity in self._items.values() if isinstance(entity, Voucher)]
        held = [voucher for voucher in vouchers if voucher.holder_id == holder_id]
        return sorted(held, key=lambda voucher: voucher.issued_at)

    def every_voucher(self) -> Iterator[Voucher]:
        return iter(self.all(Voucher))

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        keys = [_pair(schema.key_of(change.entity)) for change in changes]
        self._require_one_transaction([*keys, *map(_fact_key, facts)])
        if self._guards:
            self._require_unchanged(changes)
            if any(_fact_key(fact) in self._facts for fact in facts):
                raise ConflictError("fact")
        self.former.difference_update(keys)
        for key, change in zip(keys, changes, strict=True):
            if isinstance(change, Remove):
                self._items.pop(key, None)
            else:
                self._items[key] = replace(change.entity, revision=change.entity.revision + 1)
        self._facts |= {_fact_key(fact): fact for fact in facts}

    def facts_of(self, subject: str) -> Iterator[Fact]:
        own = [key for key in self._facts if key[0] == f"FACT#{subject}"]
        return iter([self._facts[key] for key in sorted(own)])

    def uncounted(self, facts: Sequence[Fact]) -> list[Fact]:
        keys = [_fact_key(fact) for fact in facts]
        if len(set(keys)) < len(keys):
            raise ValueError("a batch of reads names a key twice")
        stored = {key for key in keys if key in self._facts and not self._facts[key].counted}
        return [fact for fact, key in zip(facts, keys, strict=True) if key in stored]

    def count(
        self,
        campaign: str,
        deltas: Mapping[date, Mapping[str, int]],
        facts: Sequence[Fact],
        head: JournalHead,
    ) -> None:
        keys = [_fact_key(fact) for fact in facts]
        self._require_one_transaction([*keys, *((campaign, str(day)) for day in deltas), ("", "")])
        if self._guards and any(key not in self._facts or self._facts[key].counted for key in keys):
            raise ConflictError("counted already")
        self.commit(Replace(head) if head.revision else Insert(head))
        for key in keys:
            self._facts[key] = replace(self._facts[key], counted=True)
        days = self._counts.setdefault(campaign, {})
        for day, added in deltas.items():
            counts = days.setdefault(day, {})
            for name, by in added.items():
                counts[name] = counts.get(name, 0) + by

    def counts(self, campaign: str) -> dict[date, dict[str, int]]:
        return {day: dict(counts) for day, counts in self._counts.get(campaign, {}).items()}

    def all(self, kind: type[E]) -> list[E]:
        """Every entity of a kind, for a test to look at."""
        return [one for one in self._items.values() if type(one) is kind]

    def _require_unchanged(self, changes: Sequence[Change]) -> None:
        for change in changes:
            stored = self._items.get(_pair(schema.key_of(change.entity)))
            free = isinstance(change, Insert)
            if free is not (stored is None):
                raise ConflictError(type(change).__name__)
            if stored and stored.revision != change.entity.revision:
                raise ConflictError("revision")

    def _require_one_transaction(self, keys: Sequence[Place]) -> None:
        if len(set(keys)) < len(keys):
            raise ValueError("a transaction writes an item twice")
        if not 0 < len(keys) <= TRANSACTION_LIMIT:
            raise ValueError(f"{len(keys)} items in a transaction")


class _Wrapped:
    """A repository that passes everything on."""

    def __init__(self, inner: Repository) -> None:
        self._inner = inner
        self.within = inner.within
        self.agenda = inner.agenda
        self.stretches = inner.stretches
        self.entries = inner.entries
        self.of_before = inner.of_before
        self.held_by = inner.held_by
        self.every_voucher = inner.every_voucher
        self.facts_of = inner.facts_of
        self.uncounted = inner.uncounted
        self.counts = inner.counts

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        return self._inner.get(kind, **key)

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        return self._inner.get_many(kind, keys)

    def read(self, *keys: Key[Any]) -> Found:
        return self._inner.read(*keys)

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        self._inner.commit(*changes, facts=facts)

    def count(
        self,
        campaign: str,
        deltas: Mapping[date, Mapping[str, int]],
        facts: Sequence[Fact],
        head: JournalHead,
    ) -> None:
        self._inner.count(campaign, deltas, facts, head)


class StreamedRepository(_Wrapped):
    """Keeps what the table's stream would deliver: the facts of each commit, in order."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.stream: list[Fact] = []

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        self.stream += facts


class ContestedRepository(_Wrapped):
    """Lets a competitor act just before the n-th write: the worst moment, every time."""

    def __init__(self, inner: Repository, competitor: Callable[[], object], at: int = 1) -> None:
        super().__init__(inner)
        self._competitor = competitor
        self._left = at

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        self._compete()
        super().commit(*changes, facts=facts)

    def count(
        self,
        campaign: str,
        deltas: Mapping[date, Mapping[str, int]],
        facts: Sequence[Fact],
        head: JournalHead,
    ) -> None:
        self._compete()
        super().count(campaign, deltas, facts, head)

    def _compete(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._competitor()


class TornRepository(_Wrapped):
    """Lets a competitor act in the middle of the first `read`: a batch is not read at one instant.
    Entities of the kind `late` are read after the competitor, all others before.
    """

    def __init__(
        self, inner: Repository, competitor: Callable[[], object], late: type[Entity]
    ) -> None:
        super().__init__(inner)
        self._competitor: Callable[[], object] | None = competitor
        self._late = late

    def read(self, *keys: Key[Any]) -> Found:
        competitor, self._competitor = self._competitor, None
        if competitor is None:
            return super().read(*keys)
        before = super().read(*keys).entities
        competitor()
        after = super().read(*keys).entities
        return Found(
            {key: one for key, one in before.items() if key.kind is not self._late}
            | {key: one for key, one in after.items() if key.kind is self._late}
        )


class LaggingRepository(_Wrapped):
    """Its indexes are those of another store: what they were a moment ago. What they list is read
    again by its key, as it is now.
    """

    def __init__(self, inner: Repository, before: Repository) -> None:
        super().__init__(inner)
        self._before = before
        self.agenda = self._lagging_agenda
        self.stretches = before.stretches
        self.entries = before.entries
        self.held_by = before.held_by

    def _lagging_agenda(
        self,
        kind: type[E],
        name: Agenda,
        scope: str = "",
        *,
        until: datetime | None = None,
        on_failure: OnFailure | None = None,
    ) -> Iterator[E]:
        before = self._before.agenda(kind, name, scope, until=until, on_failure=on_failure)
        for listed in before:
            found = self._inner.get(kind, **schema.parts_of(kind, *_pair(schema.key_of(listed))))
            if found and schema.is_on(found, name, scope, until):
                yield found


class RecordingRepository(_Wrapped):
    """Writes down every read and commit: the kinds, not the values."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.calls: list[str] = []

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        self.calls.append(f"get {kind.__name__}")
        return super().get(kind, **key)

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        if keys:
            self.calls.append(f"get_many {kind.__name__}")
        return super().get_many(kind, keys)

    def read(self, *keys: Key[Any]) -> Found:
        self.calls.append(f"read {' + '.join(dict.fromkeys(key.kind.__name__ for key in keys))}")
        return super().read(*keys)

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        kinds = [f"{type(one).__name__} {type(one.entity).__name__}" for one in changes]
        self.calls.append(" + ".join([*kinds, *(fact.name for fact in facts)]))
