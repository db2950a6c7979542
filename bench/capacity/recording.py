"""What the real code asks of AWS, as work that can be simulated: units by partition, and the items
that nobody else may be writing.

A `Recorder` sits between the code and the small AWS of `tests.simulation`, whose table has the
items before and after each call. So the units are those of the items as they are: the larger of
the two versions, twice in a transaction, and an entry of an index written where it changes.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import current_thread, main_thread
from time import process_time, thread_time
from typing import Any

from botocore.awsrequest import AWSResponse

from bench.capacity.limits import (
    OTHER_CALL_S,
    READ_UNIT,
    SECONDS,
    STALE_READ,
    TRANSACTION_FACTOR,
    WRITE_UNIT,
    Kind,
)
from bench.capacity.simulation import Place, Request, Resource, Work
from bench.recording import size_of
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.s3 import READ_AT_ONCE
from tests.simulation.cloud import Cloud
from tests.simulation.dynamodb import Table
from tests.simulation.wire import Call

Item = Mapping[str, Any]

TABLE = "table"
# Each index with whether it has the keys alone.
INDEXES: Mapping[str, bool] = {
    schema.FORMER_AGENDA_INDEX: False,
    schema.DUE_INDEX: True,
    schema.HOLDER_INDEX: False,
}
_SINGLE_WRITES = frozenset({"PutItem", "DeleteItem", "UpdateItem"})
_PUTS = frozenset({"PutObject", "DeleteObject", "CopyObject", "UploadPart"})


def write_units(before: Item | None, after: Item | None) -> int:
    """The units of writing an item once, without its indexes."""
    return max(_units(item, WRITE_UNIT) for item in (before, after, {}) if item is not None)


def index_writes(before: Item | None, after: Item | None) -> Iterator[tuple[Resource, int]]:
    """What the indexes write when an item changes."""
    for index, keys_only in INDEXES.items():
        was, becomes = _entry(index, before), _entry(index, after)
        if was == becomes:
            # Written again where the index has fields that may have changed.
            if after and becomes and not keys_only and before != after:
                yield Resource(Kind.WRITE, index, becomes[0]), write_units(before, after)
            continue
        for item, entry in ((before, was), (after, becomes)):
            if item and entry:
                units = 1 if keys_only else write_units(None, item)
                yield Resource(Kind.WRITE, index, entry[0]), units


def _entry(index: str, item: Item | None) -> tuple[str, ...] | None:
    if item is None or f"{index}_pk" not in item:
        return None
    return tuple(item[name]["S"] for name in (f"{index}_pk", f"{index}_sk", "pk", "sk"))


def _units(item: Item, unit: int) -> int:
    return max(1, math.ceil(size_of(item) / unit))


@dataclass
class Recorded:
    """One execution: what it asked for, its own processor seconds, how many things it handled."""

    requests: list[Request] = field(default_factory=list)
    own_s: float = 0.0
    amount: int = 1

    def units(self, kind: Kind) -> float:
        """What it took of the table in all, without the indexes."""
        return sum(
            units
            for request in self.requests
            for resource, units in request.takes.items()
            if resource.kind is kind and resource.store == TABLE
        )

    def calls(self, *names: str) -> int:
        """How many calls it made, of these names or of all."""
        return sum(not names or request.name in names for request in self.requests)

    def work(self, processors: float = 1.0) -> Work:
        """As work of a function that has so much of a processor."""
        return Work(tuple(self.requests), self.own_s / processors)


class Recorder:
    """Records what a cloud is asked for while it is made to."""

    def __init__(self, cloud: Cloud) -> None:
        self._table = cloud.table
        self._passed_on = cloud.network.on_call
        self._recorded: Recorded | None = None
        self._aside_s = 0.0
        cloud.network.on_call = self._on_call

    @contextmanager
    def recording(self) -> Iterator[Recorded]:
        """What is asked for inside the block; complete at its end."""
        self._recorded, self._aside_s = Recorded(), 0.0
        began = process_time()
        try:
            yield self._recorded
        finally:
            # Of all its threads: an execution has one processor at most.
            self._recorded.own_s = process_time() - began - self._aside_s
            self._recorded = None

    def _on_call(self, call: Call, carry_out: Callable[[], AWSResponse]) -> AWSResponse:
        recorded = self._recorded
        if recorded is None:
            return self._passed_on(call, carry_out)
        began = thread_time()
        before = {place: self._table.items.get(place) for place in _written(call)}
        try:
            answer = self._passed_on(call, carry_out)
            recorded.requests.append(_request(call, self._table, before, answer))
        finally:
            self._aside_s += thread_time() - began
        return answer


def _request(
    call: Call, table: Table, before: Mapping[Place, Item | None], answer: AWSResponse
) -> Request:
    takes: Counter[Resource] = Counter()
    for resource, units in _takes(call, table, before, answer):
        takes[resource] += units  # type: ignore[assignment]
    return Request(
        name=call.name,
        seconds=_seconds(call),
        takes=dict(takes),
        items=frozenset(before),
        is_transaction=call.operation == "TransactWriteItems",
        read_items=len(json.loads(answer.content)["Items"]) if call.operation == "Query" else 0,
    )


def _seconds(call: Call) -> float:
    """How long a call holds up the execution: several readers share the time of theirs."""
    at_once = 1 if current_thread() is main_thread() else READ_AT_ONCE
    return SECONDS.get(call.name, OTHER_CALL_S) / at_once


def _takes(
    call: Call, table: Table, before: Mapping[Place, Item | None], answer: AWSResponse
) -> Iterator[tuple[Resource, float]]:
    factor = TRANSACTION_FACTOR if call.operation == "TransactWriteItems" else 1
    for place, item in before.items():
        after = table.items.get(place)
        yield Resource(Kind.WRITE, TABLE, place[0]), factor * write_units(item, after)
        yield from index_writes(item, after)
    if call.service == "dynamodb" and not before:
        yield from _reads(call, json.loads(answer.content))
    if call.service == "s3":
        kind = Kind.PUT if call.operation in _PUTS else Kind.GET
        yield Resource(kind, "bucket", _folder(call.path)), 1


def _written(call: Call) -> Iterator[Place]:
    """The items that a call writes."""
    if call.service != "dynamodb":
        return
    if call.operation == "TransactWriteItems":
        bodies = [body for action in call.body["TransactItems"] for body in action.values()]
    else:
        bodies = [call.body] if call.operation in _SINGLE_WRITES else []
    for body in bodies:
        key = body.get("Key") or body["Item"]
        yield key["pk"]["S"], key["sk"]["S"]


def _reads(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[Resource, float]]:
    match call.operation:
        case "GetItem":
            item = answer.get("Item", {})
            yield _read(call.body["Key"]["pk"]["S"], _units(item, READ_UNIT), call.body)
        case "BatchGetItem":
            yield from _batch(call.body, answer)
        case "Query":
            index = call.body.get("IndexName", TABLE)
            partition = call.body["ExpressionAttributeValues"][":pk"]["S"]
            size = sum(map(size_of, answer["Items"]))
            yield _read(partition, max(1, math.ceil(size / READ_UNIT)), call.body, index)


def _batch(body: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[Resource, float]]:
    ((table, asked),) = body["RequestItems"].items()
    found = {
        (item["pk"]["S"], item["sk"]["S"]): item for item in answer["Responses"].get(table, ())
    }
    for key in asked["Keys"]:
        item = found.get((key["pk"]["S"], key["sk"]["S"]), {})
        yield _read(key["pk"]["S"], _units(item, READ_UNIT), asked)


def _read(
    partition: str, units: float, asked: Mapping[str, Any], store: str = TABLE
) -> tuple[Resource, float]:
    factor = 1 if asked.get("ConsistentRead") else STALE_READ
    return Resource(Kind.READ, store, partition), units * factor


def _folder(path: str) -> str:
    """The prefix of a key that its neighbours have too; of the bucket itself, all."""
    _, _, key = path.lstrip("/").partition("/")
    return key.rpartition("/")[0] + "/"
