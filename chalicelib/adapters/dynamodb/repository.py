"""The repository on DynamoDB: reads by key and by index, one commit, and the counts.

A commit is one `TransactWriteItems` (or one conditional write, if it is a single item), so state
and facts are written together or not at all. Two conditions enforce the laws:

* `KEY_IS_FREE`: no item has that key. One claim per referee and campaign, one reward per rule and
  rung, one mail per fact, one voucher per code (laws 1, 2, 4, 5, 7).
* `UNCHANGED`: the item is still at the revision that was read, so a change is only applied to the
  state it was decided on. Of N concurrent redemptions, confirmations or exports one wins (laws 1,
  5, 6).

An item past its end does not exist here: no read returns it, and its key is free. AWS removes it
within days of that, which only cleans up.

Botocore does not retry a transaction cancelled by a concurrent one; we do, five times with full
jitter, and then raise `ContentionError`, so that the queue tries again. The same applies to keys
that a batch read left unprocessed.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.agendas import AgendaIndexes
from chalicelib.adapters.dynamodb.codec import (
    Item,
    entity_item,
    entity_of,
    fact_item,
    fact_of,
)
from chalicelib.adapters.dynamodb.contention import is_conflict, is_contention, reasons
from chalicelib.adapters.dynamodb.counts import count_actions, counted_in
from chalicelib.adapters.dynamodb.removal import Removal
from chalicelib.adapters.dynamodb.requests import attributes, key_in, search, within
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import (
    BATCH_LIMIT,
    Agenda,
    Change,
    Clock,
    ConflictError,
    ContentionError,
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
    Replace,
    Stretch,
    hours,
)

E = TypeVar("E", bound=Entity)

# Holds when no item has this key: the first write gets it, every later one fails.
KEY_IS_FREE = "attribute_not_exists(pk)"
# The same for what an item with an end may hold: one past it may not have been removed yet.
KEY_IS_FREE_OR_ENDED = f"{KEY_IS_FREE} OR #ttl < :now"
# Holds while the item has not been written since it was read.
UNCHANGED = "revision = :revision"
# Holds until the fact has been counted, which happens once (law 10); not without the fact.
NOT_COUNTED = "counted = :no"
COUNTED = {"BOOL": True}

ATTEMPTS = 5
FIRST_PAUSE_S = 0.02


class DynamoRepository:
    """`ports.Repository` on one DynamoDB table."""

    def __init__(
        self,
        clients: Clients,
        table: str,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock
        self._pause = pause
        self._agendas = AgendaIndexes(self._query, self._batches, self._entities)
        self._removal = Removal(clients, table, self._query, self._transact)

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        answer = self._clients.dynamodb.get_item(
            TableName=self._table, Key=attributes(schema.key_for(kind, key)), ConsistentRead=True
        )
        return next(self._entities(kind, filter(None, [answer.get("Item")])), None)

    def get_many(self, kind: type[E], keys: Sequence[Mapping[str, str | int]]) -> list[E]:
        # A batch must not contain a key twice.
        distinct = dict.fromkeys(tuple(schema.key_for(kind, key).items()) for key in keys)
        return list(self._entities(kind, self._batches([dict(key) for key in distinct])))

    def read(self, *keys: Key[Any]) -> Found:
        at = {_place(schema.key_for(key.kind, dict(key.parts))): key for key in keys}
        if not 0 < len(at) <= BATCH_LIMIT:
            raise ValueError(f"{len(at)} keys in one read")
        items = self._batch([{"pk": pk, "sk": sk} for pk, sk in at])
        keyed = ((at[item["pk"]["S"], item["sk"]["S"]], item) for item in items)
        return Found({key: one for key, item in keyed for one in self._entities(key.kind, [item])})

    def within(
        self, kind: type[E], on_failure: OnFailure | None = None, /, **key: str | int
    ) -> Iterator[E]:
        yield from self._entities(kind, self._query(**within(kind, key)), on_failure)

    def first_within(self, kind: type[E], count: int, /, **key: str | int) -> list[E]:
        answer = self._clients.dynamodb.query(
            TableName=self._table, Limit=count, **within(kind, key)
        )
        return list(self._entities(kind, answer["Items"]))

    def last_within(
        self, kind: type[E], count: int, on_failure: OnFailure | None = None, /, **key: str | int
    ) -> list[E]:
        how = within(kind, key)
        del how["ConsistentRead"]  # half the price: what it is asked for may be late
        answer = self._clients.dynamodb.query(
            TableName=self._table, Limit=count, ScanIndexForward=False, **how
        )
        return list(self._entities(kind, answer["Items"], on_failure))

    def page(self, kinds: Sequence[type[Entity]], campaign: str, after: str | None = None) -> Page:
        page = self._scanned(
            lambda kind, _: kind in kinds,
            after,
            FilterExpression="campaign = :campaign",
            ExpressionAttributeValues=attributes({":campaign": campaign}),
        )
        now = self._clock()
        return replace(page, entities=[e for e in page.entities if not schema.has_ended(e, now)])

    def naming(
        self,
        texts: Collection[str],
        kinds: Collection[type[Entity]],
        after: str | None = None,
    ) -> Page:
        named = search(texts)
        return self._scanned(
            lambda kind, item: kind in kinds or named(item), after, ConsistentRead=True
        )

    def _scanned(
        self,
        asked: Callable[[type[Entity], Item], bool],
        after: str | None,
        **arguments: Any,
    ) -> Page:
        if after:
            arguments["ExclusiveStartKey"] = attributes(json.loads(after))
        answer = self._clients.dynamodb.scan(TableName=self._table, **arguments)
        found: list[Entity] = []
        unreadable = 0
        for item in answer["Items"]:
            # Counts have no kind.
            kind = schema.KINDS.get(item["kind"]["S"]) if "kind" in item else None
            if kind is None or not asked(kind, item):
                continue
            try:
                found.append(entity_of(kind, item))
            except Exception:  # whatever stored it, and however it fails
                unreadable += 1
        last = answer.get("LastEvaluatedKey")
        return Page(found, json.dumps(key_in(last)) if last else None, unreadable)

    def remove_page(
        self, stays: Collection[type[Entity]], campaign: str, after: str | None = None
    ) -> RemovedPage:
        return self._removal.remove_page(stays, campaign, after)

    def agenda(
        self,
        kind: type[E],
        name: Agenda,
        scope: str = "",
        *,
        until: datetime | None = None,
        on_failure: OnFailure | None = None,
    ) -> Iterator[E]:
        return self._agendas.read_again(kind, name, scope, until, on_failure)

    def stretches(
        self, name: Agenda, scope: str = "", *, until: datetime | None = None
    ) -> Iterator[Stretch]:
        return self._agendas.stretches(name, scope, until)

    def entries(self, kind: type[E], stretch: Stretch) -> Iterator[Entry[E]]:
        for line in self._agendas.lines(stretch):
            key = Key.of(kind, **schema.parts_of(kind, line.pk, line.sk))
            yield Entry(key, line.position, schema.mark_in(line.position))

    def of_before(self) -> Iterator[Key[Any]]:
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            IndexName=schema.FORMER_AGENDA_INDEX,
            ProjectionExpression="pk, sk, kind",
        )
        for page in pages:
            for item in page["Items"]:
                kind = schema.KINDS[item["kind"]["S"]]
                parts = schema.parts_of(kind, item["pk"]["S"], item["sk"]["S"])
                yield Key.of(kind, **parts)

    def held_by(self, holder_id: str, on_failure: OnFailure | None = None) -> list[Voucher]:
        items = self._query(
            IndexName=schema.HOLDER_INDEX,
            KeyConditionExpression="holder_pk = :pk",
            ExpressionAttributeValues=attributes({":pk": f"HOLDER#{holder_id}"}),
        )
        return sorted(self._entities(Voucher, items, on_failure), key=lambda v: v.issued_at)

    def every_voucher(self, on_failure: OnFailure | None = None) -> Iterator[Voucher]:
        # Only vouchers are in this index, so the rest of the table is not read.
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._table, IndexName=schema.HOLDER_INDEX
        )
        for page in pages:
            yield from self._entities(Voucher, page["Items"], on_failure)

    def facts_in(
        self, hour: datetime, shard: int, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        yield from self._facts(schema.hour_partition(hour, shard), on_failure=on_failure)

    def first_facts_in(self, hour: datetime, shard: int, count: int) -> list[Fact]:
        # One page and half the price: what it is asked for may be late.
        found = self._clients.dynamodb.query(
            TableName=self._table,
            Limit=count,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=attributes({":pk": schema.hour_partition(hour, shard)}),
        )
        return list(_readable(found["Items"], lambda _: None))

    def facts_of(self, subject: str, since: datetime, until: datetime) -> Iterator[Fact]:
        shard = schema.fact_shard(subject)
        for hour in hours(since, until):
            yield from self._facts(schema.hour_partition(hour, shard), subject)
        yield from self._facts(schema.subject_partition(subject))

    def _facts(
        self, partition: str, subject: str | None = None, on_failure: OnFailure | None = None
    ) -> Iterator[Fact]:
        condition, values = "pk = :pk", {":pk": partition}
        if subject is not None:
            condition += " AND begins_with(sk, :start)"
            values[":start"] = f"{subject}#"
        items = self._query(
            KeyConditionExpression=condition,
            ExpressionAttributeValues=attributes(values),
            ConsistentRead=True,
        )
        # What begins with `a#` may also be of a subject `a#b`.
        for fact in _readable(items, on_failure):
            if subject in {None, fact.subject}:
                yield fact

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        actions = [self._action(change) for change in changes]
        actions += [self._put(fact_item(fact), KEY_IS_FREE) for fact in facts]
        self._transact(actions)

    def uncounted(self, facts: Sequence[Fact]) -> list[Fact]:
        keys = [schema.fact_key(fact) for fact in facts]
        # Nothing else of a stored fact matters, so one that cannot be read is counted as well.
        stored = [item for item in self._batches(keys) if item.get("counted") != COUNTED]
        waiting = {(item["pk"]["S"], item["sk"]["S"]) for item in stored}
        return [fact for fact, key in zip(facts, keys, strict=True) if (*key.values(),) in waiting]

    def count(
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        actions = [self._action(Insert(part))]
        actions += count_actions(self._table, part.digest, counts, facts)
        actions += [self._counted_action(fact) for fact in facts]
        self._transact(actions)

    def stored(self, facts: Sequence[Fact], on_failure: OnFailure | None = None) -> list[Fact]:
        # A line of the journal does not say whether 0.2.0 stored its fact.
        keys = [
            schema.fact_key(replace(fact, by_subject=by_subject))
            for by_subject in (False, True)
            for fact in facts
        ]
        return list(_readable(self._batches(keys), on_failure))

    def bring_back(
        self, part: str, changes: Sequence[Change], lost: Sequence[Fact], sealed: Sequence[Fact],
        counts: Mapping[str, DayCounts],
    ) -> None:  # fmt: skip
        actions = [self._action(change) for change in changes]
        actions += [self._put(fact_item(fact), KEY_IS_FREE) for fact in lost]
        actions += [self._counted_action(fact) for fact in sealed]
        actions += count_actions(self._table, part, counts)
        self._transact(actions)

    def counted(self, campaign: str) -> Counted:
        return counted_in(self._counts(campaign))

    def counts(self, campaign: str) -> dict[date, dict[str, int]]:
        return counted_in(self._counts(campaign, ConsistentRead=True)).days

    def _counts(self, campaign: str, **how: bool) -> Iterator[Item]:
        for partition in schema.count_partitions(campaign):
            yield from self._query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=attributes({":pk": partition}),
                **how,
            )

    def _entities(
        self, kind: type[E], items: Iterable[Item], on_failure: OnFailure | None = None
    ) -> Iterator[E]:
        """The entities in items, without those past their end. An item that cannot be read goes to
        `on_failure`; without it, the error is raised.
        """
        now = self._clock()
        for item in items:
            try:
                entity = entity_of(kind, item)
            except Exception as error:
                if on_failure is None:
                    raise
                on_failure(Failure(schema.ITEM_KINDS[kind].kind, schema.name_of(item), error))
                continue
            if not schema.has_ended(entity, now):
                yield entity

    def _query(self, **arguments: Any) -> Iterator[Item]:
        pages = self._clients.dynamodb.get_paginator("query").paginate(
            TableName=self._table, **arguments
        )
        for page in pages:
            yield from page["Items"]

    def _batches(self, keys: Sequence[Mapping[str, str]]) -> Iterator[Item]:
        for start in range(0, len(keys), BATCH_LIMIT):
            yield from self._batch(keys[start : start + BATCH_LIMIT])

    def _batch(self, keys: Sequence[Mapping[str, str]]) -> Iterator[Item]:
        wanted = [attributes(key) for key in keys]
        request: Any = {self._table: {"Keys": wanted, "ConsistentRead": True}}
        for attempt in range(ATTEMPTS):
            answer = self._clients.dynamodb.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(self._table, [])
            request = answer.get("UnprocessedKeys")
            if not request:
                return
            self._pause_after(attempt)
        raise ContentionError(f"{ATTEMPTS} attempts left keys unprocessed")

    def _action(self, change: Change) -> Any:
        match change:
            case Insert(entity):
                return self._insert(entity)
            case Replace(entity):
                return self._put(entity_item(entity), UNCHANGED, _at_revision(entity))
            case Remove(entity):
                return {
                    "Delete": {
                        "TableName": self._table,
                        "Key": attributes(schema.key_of(entity)),
                        "ConditionExpression": UNCHANGED,
                        "ExpressionAttributeValues": _at_revision(entity),
                    }
                }

    def _insert(self, entity: Entity) -> Any:
        now = {":now": {"N": str(int(self._clock().timestamp()))}}
        put = self._put(entity_item(entity), KEY_IS_FREE_OR_ENDED, now)
        put["Put"]["ExpressionAttributeNames"] = {"#ttl": "ttl"}
        return put

    def _put(self, item: Item, condition: str, values: Item | None = None) -> Any:
        put = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = values
        return {"Put": put}

    def _counted_action(self, fact: Fact) -> Any:
        return {
            "Update": {
                "TableName": self._table,
                "Key": attributes(schema.fact_key(fact)),
                "UpdateExpression": "SET counted = :yes",
                "ConditionExpression": NOT_COUNTED,
                "ExpressionAttributeValues": {":yes": {"BOOL": True}, ":no": {"BOOL": False}},
            }
        }

    def _transact(self, actions: list[Any]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                return self._write(actions)
            except ClientError as error:
                if is_conflict(error):
                    raise ConflictError(reasons(error)) from error
                if not is_contention(error):
                    raise
            self._pause_after(attempt)
        raise ContentionError(f"{ATTEMPTS} attempts met concurrent transactions")

    def _pause_after(self, attempt: int) -> None:
        # Full jitter, so that concurrent callers do not retry at the same moment.
        self._pause(random.uniform(0, FIRST_PAUSE_S * 2**attempt))  # nosec B311

    def _write(self, actions: list[Any]) -> None:
        match actions:
            case [{"Put": put}]:
                self._clients.dynamodb.put_item(**put)
            case [{"Delete": delete}]:
                self._clients.dynamodb.delete_item(**delete)
            case _:
                self._clients.dynamodb.transact_write_items(TransactItems=actions)


def _place(key: Mapping[str, str]) -> tuple[str, str]:
    return key["pk"], key["sk"]


def _at_revision(entity: Entity) -> Item:
    return {":revision": {"N": str(entity.revision)}}


def _readable(items: Iterable[Item], on_failure: OnFailure | None) -> Iterator[Fact]:
    """The facts in the items; without `on_failure` one that cannot be read is an error."""
    for item in items:
        try:
            yield fact_of(item)
        except Exception as error:
            if on_failure is None:
                raise
            on_failure(Failure(schema.FACT_KIND, schema.name_of(item), error))
