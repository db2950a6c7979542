"""One DynamoDB table in memory, as strict as AWS and deterministic.

Every operation is atomic here, because one call is made at a time; concurrency is the order of the
calls. What AWS refuses is refused: a transaction that names an item twice or has
more than 100, a batch with a key twice, an item above 400 KB, an empty key, a consistent read of an
index, an expression that does not use all that it names. Pages end at 1 MB.

Indexes lag: a write reaches them when `catch_up` is called, or at once while `lags` is False. So
does a read of the table that does not ask to be consistent: until then it finds an item as it was
before its last write. The stream keeps the images of new items, as its filter passes them on.
Kinder than AWS: nothing is throttled by itself (faults are the scheduler's), and no batch is left
unprocessed.

No item is changed in place: each is what a request brought, and is shared with answers and copies.

Moto is not used for the table: it copies the table for each transaction and is not strict enough.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bench.recording import size_of
from tests.simulation.expressions import (
    Condition,
    ExpressionError,
    Item,
    Parameters,
    Value,
    condition,
    update,
)
from tests.simulation.failure import AwsError

Place = tuple[str, str]
Answer = dict[str, Any]
Params = Mapping[str, Any]

ITEM_LIMIT = 400 * 1024
PAGE_LIMIT = 1024 * 1024
TRANSACTION_LIMIT = 100
BATCH_READ_LIMIT = 100
_PARTITION = re.compile(r"pk = (:\w+)")


@dataclass(frozen=True)
class Index:
    """An index: its key attributes, and whether it holds whole items."""

    name: str
    pk: str
    sk: str
    keys_only: bool


@dataclass
class Table:
    """A table: items by key, what its indexes show, and its stream."""

    lags: bool = False
    indexes: dict[str, Index] = field(default_factory=dict)
    items: dict[Place, Item] = field(default_factory=dict)
    stream: list[Item] = field(default_factory=list)
    _partitions: dict[str, dict[Place, Item]] = field(default_factory=dict)
    _shown: dict[str, dict[Place, Item]] = field(default_factory=dict)
    _unseen: dict[Place, Item | None] = field(default_factory=dict)  # each as it was before
    _tokens: dict[str | None, Params] = field(default_factory=dict)

    def call(self, operation: str, params: Params) -> Answer:
        """Carry out one call; `AwsError` for what AWS refuses."""
        work: Callable[[Params], Answer] | None = getattr(self, f"_{_snake(operation)}", None)
        if work is None:
            raise AwsError("UnknownOperationException", operation)
        try:
            return work(params)
        except ExpressionError as error:
            raise AwsError("ValidationException", str(error)) from error

    def copy(self) -> Table:
        """The same table: what happens to one leaves the other as it is."""
        return replace(
            self,
            items=dict(self.items),
            stream=list(self.stream),
            _partitions={pk: dict(items) for pk, items in self._partitions.items()},
            _shown={name: dict(items) for name, items in self._shown.items()},
            _unseen=dict(self._unseen),
            _tokens=dict(self._tokens),
        )

    def catch_up(self, changes: int | None = None) -> None:
        """Let the indexes, and reads that are not consistent, see the oldest changes that they have
        not seen, by default all.
        """
        for place in list(self._unseen)[:changes]:
            del self._unseen[place]
            for name, index in self.indexes.items():
                shown = self._shown.setdefault(name, {})
                item = self.items.get(place)
                if item and index.pk in item and index.sk in item:
                    shown[place] = item
                else:
                    shown.pop(place, None)

    def _create_table(self, params: Params) -> Answer:
        for index in params.get("GlobalSecondaryIndexes", ()):
            pk, sk = (key["AttributeName"] for key in index["KeySchema"])
            keys_only = index["Projection"]["ProjectionType"] == "KEYS_ONLY"
            self.indexes[index["IndexName"]] = Index(index["IndexName"], pk, sk, keys_only)
        return {"TableDescription": {"TableName": params["TableName"], "TableStatus": "ACTIVE"}}

    # --- reads -----------------------------------------------------------------------------------

    def _get_item(self, params: Params) -> Answer:
        item = self._found(_place(params["Key"]), params)
        return {"Item": item} if item else {}

    def _batch_get_item(self, params: Params) -> Answer:
        ((table, asked),) = params["RequestItems"].items()
        places = [_place(key) for key in asked["Keys"]]
        _require(0 < len(places) <= BATCH_READ_LIMIT, f"{len(places)} keys in a batch")
        _require(len(set(places)) == len(places), "a batch names a key twice")
        found = filter(None, (self._found(place, asked) for place in places))
        return {"Responses": {table: list(found)}, "UnprocessedKeys": {}}

    def _found(self, place: Place, params: Params) -> Item | None:
        """The item at a key, as a read with these parameters finds it."""
        if place in self._unseen and not params.get("ConsistentRead"):
            return self._unseen[place]
        return self.items.get(place)

    def _query(self, params: Params) -> Answer:
        parameters = Parameters(params)
        matches = condition(params["KeyConditionExpression"], parameters)
        return self._page(params, matches, parameters)

    def _scan(self, params: Params) -> Answer:
        return self._page(params, lambda _: True, Parameters(params))

    def _page(self, params: Params, matches: Condition, parameters: Parameters) -> Answer:
        passes = condition(params.get("FilterExpression"), parameters)
        parameters.require_used()
        found: list[Item] = []
        read = size = 0
        last: Item | None = None
        limit = params.get("Limit", math.inf)
        for place, item in self._in_order(params):
            if not matches(item):
                continue
            if size > PAGE_LIMIT or read >= limit:
                return _answered(found, read) | {"LastEvaluatedKey": last}
            read += 1
            size += size_of(item)
            last = self._key_of(place, item, params.get("IndexName"))
            if passes(item):
                found.append(self._projected(place, item, params.get("IndexName")))
        return _answered(found, read)

    def _in_order(self, params: Params) -> Iterator[tuple[Place, Item]]:
        """The items of the asked partition, or all, in the order of their keys after the start."""
        index = self._index(params)
        at = _at_index(index) if index else _at_key
        start = at(None, params["ExclusiveStartKey"]) if "ExclusiveStartKey" in params else None
        backwards = params.get("ScanIndexForward") is False
        asked = ((at(place, item), place, item) for place, item in self._asked(params, index))
        entries = sorted(asked, key=lambda entry: entry[0], reverse=backwards)
        for position, place, item in entries:
            if start is None or (position < start if backwards else position > start):
                yield place, item

    def _asked(self, params: Params, index: Index | None) -> Iterable[tuple[Place, Item]]:
        if index:
            return self._shown.get(index.name, {}).items()
        partition = _PARTITION.match(params.get("KeyConditionExpression", ""))
        stored = self.items
        if partition:
            value = params["ExpressionAttributeValues"][partition[1]]["S"]
            stored = self._partitions.get(value, {})
        if params.get("ConsistentRead") or not self._unseen:
            return stored.items()
        # Also those that are removed: a read may still find them.
        places = dict.fromkeys([*stored, *self._unseen])
        found = {place: self._found(place, params) for place in places}
        return [(place, item) for place, item in found.items() if item]

    def _index(self, params: Params) -> Index | None:
        name = params.get("IndexName")
        if name is None:
            return None
        _require(name in self.indexes, f"no index {name}")
        _require(not params.get("ConsistentRead"), "a consistent read of an index")
        return self.indexes[name]

    def _key_of(self, place: Place, item: Item, index: str | None) -> Item:
        key: dict[str, Value] = {"pk": {"S": place[0]}, "sk": {"S": place[1]}}
        if index:
            key |= {name: item[name] for name in (self.indexes[index].pk, self.indexes[index].sk)}
        return key

    def _projected(self, place: Place, item: Item, index: str | None) -> Item:
        if index and self.indexes[index].keys_only:
            return self._key_of(place, item, index)
        return item

    # --- writes ----------------------------------------------------------------------------------

    def _put_item(self, params: Params) -> Answer:
        return self._write_one("Put", params)

    def _delete_item(self, params: Params) -> Answer:
        return self._write_one("Delete", params)

    def _update_item(self, params: Params) -> Answer:
        return self._write_one("Update", params)

    def _write_one(self, action: str, params: Params) -> Answer:
        place, holds, result = self._planned(action, params)
        if not holds:
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed")
        self._store(place, result)
        return {}

    def _transact_write_items(self, params: Params) -> Answer:
        # Botocore adds a token, so that a request it sends again has no second effect.
        token = params.get("ClientRequestToken")
        if token and self._tokens.setdefault(token, params) is not params:
            return {}
        try:
            return self._transact(params)
        except Exception:
            self._tokens.pop(token, None)
            raise

    def _transact(self, params: Params) -> Answer:
        actions = [entry for action in params["TransactItems"] for entry in action.items()]
        planned = [self._planned(action, body) for action, body in actions]
        places = [place for place, _, _ in planned]
        _require(0 < len(places) <= TRANSACTION_LIMIT, f"{len(places)} items in a transaction")
        _require(len(set(places)) == len(places), "a transaction names an item twice")
        if not all(holds for _, holds, _ in planned):
            reasons = [
                self._reason(place, holds, body)
                for (place, holds, _), (_, body) in zip(planned, actions, strict=True)
            ]
            raise AwsError("TransactionCanceledException", "", CancellationReasons=reasons)
        for place, _, result in planned:
            self._store(place, result)
        return {}

    def _reason(self, place: Place, holds: bool, body: Params) -> Answer:
        if holds:
            return {"Code": "None"}
        wants_old = body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        old = {"Item": self.items[place]} if wants_old and place in self.items else {}
        return {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"} | old

    def _planned(self, action: str, params: Params) -> tuple[Place, bool, Item | None]:
        """The item's place, whether the condition holds, and the item afterwards."""
        place = _place(params["Item"] if action == "Put" else params["Key"])
        stored = self.items.get(place)
        parameters = Parameters(params)
        holds = condition(params.get("ConditionExpression"), parameters)(stored)
        result: Item | None = stored
        if action == "Put":
            result = params["Item"]
        elif action == "Delete":
            result = None
        elif action == "Update":
            changed = dict(stored or params["Key"])
            update(params["UpdateExpression"], parameters)(changed)
            result = changed
        parameters.require_used()
        _require(result is None or size_of(result) <= ITEM_LIMIT, "item above 400 KB")
        return place, holds, result

    def _store(self, place: Place, item: Item | None) -> None:
        before = self.items.get(place)
        partition = self._partitions.setdefault(place[0], {})
        if item is None:
            self.items.pop(place, None)
            partition.pop(place, None)
        else:
            self.items[place] = partition[place] = item
            if before is None:
                self.stream.append(item)
        # The last of its changes counts, behind those of other items.
        self._unseen.pop(place, None)
        self._unseen[place] = before
        if not self.lags:
            self.catch_up()


def _answered(found: list[Item], read: int) -> Answer:
    return {"Items": found, "Count": len(found), "ScannedCount": read}


def _place(key: Mapping[str, Value]) -> Place:
    place = key["pk"]["S"], key["sk"]["S"]
    _require(all(place), "an empty key")
    _require(len(place[0].encode()) <= 2048 and len(place[1].encode()) <= 1024, "a key too long")
    return place


def _at_key(place: Place | None, item: Item) -> tuple[str, ...]:
    return place or _place(item)


def _at_index(index: Index) -> Callable[[Place | None, Item], tuple[str, ...]]:
    return lambda place, item: (item[index.pk]["S"], item[index.sk]["S"], *_at_key(place, item))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AwsError("ValidationException", message)


def _snake(operation: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).removeprefix("_")
