"""The table in memory, and the wrappers that make it fail or meet a competitor on purpose.

Keys and indexes come from the same functions as on DynamoDB. `guards=False` takes the conditions of
every commit away: a law test that then still holds proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, TypeVar

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.adapters.dynamodb.counts import in_updates
from chalicelib.adapters.dynamodb.requests import search
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import (
    BATCH_LIMIT,
    TRANSACTION_LIMIT,
    Agenda,
    Change,
    Clock,
    ConflictError,
    Counted,
    DayCounts,
    Entry,
    Failure,
    Found,
    Insert,
    Key,
    OnFailure,
    Page,
    Remove,
    RemovedPage,
    Repository,
    Stretch,
    hours,
)
from tests.fakes.ports import MORNING

E = TypeVar("E", bound=Entity)
Place = tuple[str, str]

PAGE = 20  # items of the table in one page


def _pair(key: Mapping[str, str]) -> Place:
    return key["pk"], key["sk"]


def _fact_key(fact: Fact) -> Place:
    return _pair(schema.fact_key(fact))


def _add(counts: dict[str, int], added: Mapping[str, int]) -> None:
    for name, by in added.items():
        counts[name] = counts.get(name, 0) + by


def _counts_added(digest: str, counts: Mapping[str, DayCounts]) -> dict[Place, Mapping[str, int]]:
    return {
        _pair(schema.count_key(campaign, day, digest, nth)): added
        for campaign, days in counts.items()
        for day, of_day in days.items()
        for nth, added in enumerate(in_updates(of_day))
    }


def _name_of(entity: Entity) -> str:
    fields = vars(entity).items()
    return schema.name_of({name: {"S": value} for name, value in fields if value is not None})


class UnreadableError(ValueError):
    """An item that cannot be made an entity of."""


class MemoryRepository:
    """`ports.Repository` in memory. What lies at an `unreadable` place cannot be read."""

    def __init__(self, *, guards: bool = True, clock: Clock = lambda: MORNING) -> None:
        self._guards = guards
        self.clock = clock
        self._items: dict[Place, Entity] = {}
        self.unreadable: set[Place] = set()
        self.former: set[Place] = set()  # as a version before the index `due` stored them
        self._facts: dict[Place, Fact] = {}
        self._counts: dict[Place, dict[str, int]] = {}
        self._until: dict[str, datetime] = {}

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

    def within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        partition, start = schema.partition_for(kind, key)
        found = [(place, self._at(place)) for place in self._places(partition, start)]
        return self._as_read(kind, found, on_failure)

    def _places(self, partition: str, start: str) -> list[Place]:
        return sorted(
            (pk, sk) for pk, sk in self._items if pk == partition and sk.startswith(start)
        )

    def _as_read(
        self,
        kind: type[E],
        found: Iterable[tuple[Place, Entity | None]],
        on_failure: OnFailure | None,
    ) -> Iterator[E]:
        """What was found, as far as it can be read when its turn comes."""
        for place, one in found:
            if not isinstance(one, kind):
                continue
            if place not in self.unreadable:
                yield one
            elif on_failure is None:
                raise UnreadableError
            else:
                on_failure(Failure(schema.ITEM_KINDS[kind].kind, _name_of(one), UnreadableError()))

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        return list(islice(self.within(kind, **key), count))

    def last_within(
        self, kind: type[E], count: int, on_failure: OnFailure | None = None, /, **key: str | int
    ) -> list[E]:
        partition, start = schema.partition_for(kind, key)
        places = [place for place in self._places(partition, start) if self._at(place)]
        last = [(place, self._at(place)) for place in reversed(places[-count:])]
        return list(self._as_read(kind, last, on_failure))

    def page(self, kinds: Sequence[type[Entity]], campaign: str, after: str | None = None) -> Page:
        start = tuple(json.loads(after)) if after else ("", "")
        places = sorted(place for place in self._items if place > start)
        readable = [place for place in places[:PAGE] if place not in self.unreadable]
        found = [one for one in map(self._at, readable) if type(one) in kinds]
        return Page(
            [one for one in found if one and vars(one)["campaign"] == campaign],
            json.dumps(places[PAGE - 1]) if places[PAGE:] else None,
            len(places[:PAGE]) - len(readable),
        )

    def naming(
        self, texts: Collection[str], kinds: Collection[type[Entity]], after: str | None = None
    ) -> Page:
        start = tuple(json.loads(after)) if after else ("", "")
        places = sorted(place for place in self._items if place > start)
        named = search(texts)
        found = [self._items[place] for place in places[:PAGE] if place not in self.unreadable]
        return Page(
            [one for one in found if type(one) in kinds or named(entity_item(one))],
            json.dumps(places[PAGE - 1]) if places[PAGE:] else None,
            len(places[:PAGE]) - len(found),
        )

    def remove_page(
        self, stays: Collection[type[Entity]], campaign: str, after: str | None = None
    ) -> RemovedPage:
        start = tuple(json.loads(after)) if after else ("", "")
        places = sorted(place for place in [*self._items, *self._facts] if place > start)
        items = {place: self._items[place] for place in places[:PAGE] if place in self._items}
        removed = {
            place
            for place, one in items.items()
            if type(one) not in stays and vars(one).get("campaign") == campaign
        }
        removed |= {
            dependent
            for place, one in items.items()
            if place in removed
            for dependent in self._dependents(one)
        }
        removed |= {
            place
            for place in places[:PAGE]
            if place in self._facts and self._facts[place].campaign == campaign
        }
        for place in removed:
            self._items.pop(place, None)
            self._facts.pop(place, None)
        if places[PAGE:]:
            return RemovedPage(len(removed), json.dumps(places[PAGE - 1]))
        counts = [one for one in self._counts if one[0] in schema.count_partitions(campaign)]
        for place in counts:
            del self._counts[place]
        return RemovedPage(len(removed) + len(counts))

    def _dependents(self, owner: Entity) -> Iterator[Place]:
        """What does not name its campaign, and leads to nothing without the one that does."""
        for place, one in self._items.items():
            match owner, one:
                case Voucher(code_key=code), Redemption(code_key=used) if used == code:
                    yield place
                    yield _pair(schema.key_for(OrderUses, {"order_id": one.order_id}))
                case Referral(referral_id=mine), FurtherOrder(referral_id=other) if mine == other:
                    yield place

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
        found = self._read_again(kind, [key for _, key in sorted(listed)], on_failure)
        return (one for one in found if schema.is_on(one, name, scope, until))

    def _read_again(
        self, kind: type[E], keys: Sequence[Place], on_failure: OnFailure | None
    ) -> Iterator[E]:
        return self._as_read(kind, ((key, self._at(key)) for key in keys), on_failure)

    def stretches(
        self, name: Agenda, scope: str = "", *, until: datetime | None = None
    ) -> Iterator[Stretch]:
        last = schema.due_until(until)
        listed = sorted((on, at) for on, at, _ in self._listed() if at <= last)
        for partition in schema.due_partitions(name, scope):
            first = next((at for on, at in listed if on == partition), None)
            if first:
                yield Stretch(name, scope, partition, first, last)

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

    def held_by(self, holder_id: str, on_failure: OnFailure | None = None) -> list[Voucher]:
        held = [(place, one) for place, one in self._vouchers() if one.holder_id == holder_id]
        return sorted(
            self._as_read(Voucher, held, on_failure), key=lambda voucher: voucher.issued_at
        )

    def every_voucher(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        return self._as_read(Voucher, self._vouchers(), on_failure)

    def _vouchers(self) -> list[tuple[Place, Voucher]]:
        return [(place, one) for place, one in self._items.items() if isinstance(one, Voucher)]

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

    def facts_in(
        self, hour: datetime, shard: int, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        return self._facts_in(schema.hour_partition(hour, shard), on_failure)

    def first_facts_in(self, hour: datetime, shard: int, count: int) -> list[Fact]:
        places = self._fact_places(schema.hour_partition(hour, shard))[:count]
        return list(self._facts_at(places, lambda _: None))

    def facts_of(self, subject: str, since: datetime, until: datetime) -> Iterator[Fact]:
        shard = schema.fact_shard(subject)
        places = [schema.hour_partition(hour, shard) for hour in hours(since, until)]
        found = chain.from_iterable(
            map(self._facts_in, [*places, schema.subject_partition(subject)])
        )
        return (fact for fact in found if fact.subject == subject)

    def _facts_in(self, partition: str, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        return self._facts_at(self._fact_places(partition), on_failure)

    def _facts_at(self, places: Iterable[Place], on_failure: OnFailure | None) -> Iterator[Fact]:
        for place, fact in [(place, self._facts[place]) for place in places]:
            if place not in self.unreadable:
                yield fact
            elif on_failure is None:
                raise UnreadableError
            else:
                on_failure(Failure(schema.FACT_KIND, fact.fact_id, UnreadableError()))

    def _fact_places(self, partition: str) -> list[Place]:
        return sorted(place for place in self._facts if place[0] == partition)

    def uncounted(self, facts: Sequence[Fact]) -> list[Fact]:
        keys = [_fact_key(fact) for fact in facts]
        if len(set(keys)) < len(keys):
            raise ValueError("a batch of reads names a key twice")
        stored = {key for key in keys if key in self._facts and not self._facts[key].counted}
        return [fact for fact, key in zip(facts, keys, strict=True) if key in stored]

    def count(
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        keys = [_fact_key(fact) for fact in facts]
        added = _counts_added(part.digest, counts)
        self._require_one_transaction([*keys, *added, _pair(schema.key_of(part))])
        if self._guards and any(key not in self._facts or self._facts[key].counted for key in keys):
            raise ConflictError("counted already")
        self.commit(Insert(part))
        for key in keys:
            self._facts[key] = replace(self._facts[key], counted=True)
        for place, of_day in added.items():
            _add(self._counts.setdefault(place, {}), of_day)
        for fact in facts:
            if fact.campaign in counts:
                self._until[fact.campaign] = max(fact.at, self._until.get(fact.campaign, fact.at))

    def stored(self, facts: Sequence[Fact], on_failure: OnFailure | None = None) -> list[Fact]:
        either = [replace(fact, by_subject=old) for old in (False, True) for fact in facts]
        places = [key for key in map(_fact_key, either) if key in self._facts]
        return list(self._facts_at(places, on_failure))

    def bring_back(
        self, part: str, changes: Sequence[Change], lost: Sequence[Fact], sealed: Sequence[Fact],
        counts: Mapping[str, DayCounts],
    ) -> None:  # fmt: skip
        added = _counts_added(part, counts)
        marked = [_fact_key(fact) for fact in sealed]
        changed = [_pair(schema.key_of(change.entity)) for change in changes]
        self._require_one_transaction([*changed, *map(_fact_key, lost), *marked, *added])
        if any(key not in self._facts or self._facts[key].counted for key in marked):
            raise ConflictError("counted already")
        if changes or lost:
            self.commit(*changes, facts=lost)
        for key in marked:
            self._facts[key] = replace(self._facts[key], counted=True)
        for place, of_day in added.items():
            _add(self._counts.setdefault(place, {}), of_day)

    def counted(self, campaign: str) -> Counted:
        return Counted(self.counts(campaign), self._until.get(campaign))

    def counts(self, campaign: str) -> dict[date, dict[str, int]]:
        partitions = schema.count_partitions(campaign)
        summed: dict[date, dict[str, int]] = {}
        for (partition, sk), counts in self._counts.items():
            if partition in partitions:
                _add(summed.setdefault(schema.counted_day(sk), {}), counts)
        return summed

    def _read(self, place: Place) -> Entity | None:
        if place in self.unreadable:
            raise UnreadableError
        return self._at(place)

    def _at(self, place: Place) -> Entity | None:
        """What is stored at a key, and not past its end."""
        found = self._items.get(place)
        return found if found and not schema.has_ended(found, self.clock()) else None

    def all(self, kind: type[E]) -> list[E]:
        """Every entity of a kind, for a test to look at; also those past their end."""
        return [one for one in self._items.values() if type(one) is kind]

    def _require_unchanged(self, changes: Sequence[Change]) -> None:
        for change in changes:
            place, free = _pair(schema.key_of(change.entity)), isinstance(change, Insert)
            stored = self._at(place) if free else self._items.get(place)
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
        self.page, self.remove_page = inner.page, inner.remove_page
        self.naming = inner.naming
        self.agenda = inner.agenda
        self.stretches = inner.stretches
        self.entries = inner.entries
        self.of_before = inner.of_before
        self.held_by = inner.held_by
        self.every_voucher = inner.every_voucher
        self.facts_in = inner.facts_in
        self.first_facts_in = inner.first_facts_in
        self.counted = inner.counted
        self.facts_of = inner.facts_of
        self.uncounted = inner.uncounted
        self.stored = inner.stored
        self.counts = inner.counts

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        return self._inner.get(kind, **key)

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        return self._inner.first_within(kind, count, **key)

    def last_within(
        self, kind: type[E], count: int, on_failure: OnFailure | None = None, /, **key: str | int
    ) -> list[E]:
        return self._inner.last_within(kind, count, on_failure, **key)

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        return self._inner.get_many(kind, keys)

    def read(self, *keys: Key[Any]) -> Found:
        return self._inner.read(*keys)

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        self._inner.commit(*changes, facts=facts)

    def count(
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        self._inner.count(part, counts, facts)

    def bring_back(
        self, part: str, changes: Sequence[Change], lost: Sequence[Fact], sealed: Sequence[Fact],
        counts: Mapping[str, DayCounts],
    ) -> None:  # fmt: skip
        self._inner.bring_back(part, changes, lost, sealed, counts)


class StreamedRepository(_Wrapped):
    """Keeps what the table's stream would deliver: the facts of each commit, in order."""

    def __init__(self, inner: Repository) -> None:
        super().__init__(inner)
        self.stream: list[Fact] = []

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        self.stream += facts

    def bring_back(
        self, part: str, changes: Sequence[Change], lost: Sequence[Fact], sealed: Sequence[Fact],
        counts: Mapping[str, DayCounts],
    ) -> None:  # fmt: skip
        super().bring_back(part, changes, lost, sealed, counts)
        self.stream += lost


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
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        self._compete()
        super().count(part, counts, facts)

    def _compete(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._competitor()


class TornRepository(_Wrapped):
    """Lets a competitor act in the middle of the first `read`: a batch is not read at one instant;
    or before the first `get` of a kind that is `late`, whichever comes first. Entities of the kinds
    that are `late` are read after the competitor, all others before.
    """

    def __init__(
        self, inner: Repository, competitor: Callable[[], object], *late: type[Entity]
    ) -> None:
        super().__init__(inner)
        self._competitor: Callable[[], object] | None = competitor
        self._late = late

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        if kind in self._late and self._competitor:
            competitor, self._competitor = self._competitor, None
            competitor()
        return super().get(kind, **key)

    def read(self, *keys: Key[Any]) -> Found:
        competitor, self._competitor = self._competitor, None
        if competitor is None:
            return super().read(*keys)
        before = super().read(*keys).entities
        competitor()
        after = super().read(*keys).entities
        return Found(
            {key: one for key, one in before.items() if key.kind not in self._late}
            | {key: one for key, one in after.items() if key.kind in self._late}
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

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        self.calls.append(f"first_within {kind.__name__}")
        return super().first_within(kind, count, **key)

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
