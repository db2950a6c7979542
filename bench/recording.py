"""Counts what AWS is asked for: every call of a session's clients, with its bytes and its units.

A `Recorder` hooks a boto3 session before its clients are made, so it sees exactly what leaves the
process, whatever code makes the call. Units are computed from the items by DynamoDB's published
rules, so that they are the same on every emulator: a strongly consistent read is one unit for each
4 KB, a write one for each 1 KB, rounded up, both doubled in a transaction, and an index entry is a
write of its own. A deletion or an update in place counts as 1 KB: no item changed that way is
larger.

Knows nothing of routes or functions: `tests.api.test_calls` asserts the calls of each,
`bench.calls` adds them up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from boto3.session import Session

READ_UNIT = 4096
WRITE_UNIT = 1024
READS = frozenset({"GetItem", "Query", "BatchGetItem", "Scan"})
WRITES = frozenset({"PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"})

Item = Mapping[str, Mapping[str, Any]]


@dataclass
class Call:
    """One call: the items it wrote or read, and the bytes of both bodies."""

    service: str
    operation: str
    keys: int = 1  # that it asks for
    items: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    read_units: float = 0
    write_units: float = 0

    @property
    def name(self) -> str:
        """`dynamodb:GetItem`."""
        return f"{self.service}:{self.operation}"

    @property
    def writes(self) -> bool:
        """Whether it writes to the table."""
        return self.service == "dynamodb" and self.operation in WRITES


class Recorder:
    """The calls of one session, in order."""

    def __init__(self, session: Session) -> None:
        self._calls: list[Call] = []
        session.events.register("before-parameter-build", self._started)
        session.events.register("before-call", self._sent)
        session.events.register("after-call", self._answered)

    @contextmanager
    def recording(self) -> Iterator[list[Call]]:
        """The calls made inside the block; the list is complete at its end."""
        calls: list[Call] = []
        before, self._calls = self._calls, calls
        try:
            yield calls
        finally:
            self._calls = before

    def _started(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        call = Call(model.service_model.service_name, model.name)
        if model.name == "BatchGetItem":
            call.keys = sum(len(asked["Keys"]) for asked in params["RequestItems"].values())
        if call.writes:
            call.items, call.write_units = written(model.name, params)
        self._calls.append(call)

    def _sent(self, params: Mapping[str, Any], **_: object) -> None:
        self._calls[-1].request_bytes = _length(params.get("body"))

    def _answered(self, http_response: Any, parsed: Mapping[str, Any], **_: object) -> None:
        call = self._calls[-1]
        length = http_response.headers.get("content-length")
        call.response_bytes = int(length) if length else len(http_response.content or b"")
        if call.service == "dynamodb" and call.operation in READS:
            call.items, call.read_units = read(parsed, call.keys)


def written(operation: str, params: Mapping[str, Any]) -> tuple[int, float]:
    """How many items a call writes, and for how many units."""
    if operation != "TransactWriteItems":
        return 1, _put_units(params.get("Item"), 1)
    actions = [body for action in params["TransactItems"] for body in action.values()]
    return len(actions), sum(_put_units(body.get("Item"), 2) for body in actions)


def read(answer: Mapping[str, Any], keys: int = 1) -> tuple[int, float]:
    """How many items a call for so many keys read, and for how many units. A key without an item
    costs a unit too.
    """
    if "Responses" in answer:
        found = [item for items in answer["Responses"].values() for item in items]
        units = sum(_units(size_of(item), READ_UNIT) for item in found)
        return len(found), units + keys - len(found)
    found = [answer["Item"]] if "Item" in answer else answer.get("Items", [])
    return len(found), _units(sum(map(size_of, found)), READ_UNIT)


def size_of(item: Item) -> int:
    """The bytes of an item as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _put_units(item: Item | None, factor: int) -> float:
    if item is None:
        return factor
    units = _units(size_of(item), WRITE_UNIT)
    # The index `holder` has the whole item, the index `due` its keys.
    return units * factor + units * ("holder_pk" in item) + ("due_pk" in item)


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(1 + len(k.encode()) + _value_size(v) for k, v in content.items())
        case "L":
            return 3 + sum(1 + _value_size(one) for one in content)
        case _:
            return 1


def _length(body: object) -> int:
    if isinstance(body, bytes | bytearray | str):
        return len(body if isinstance(body, bytes | bytearray) else body.encode())
    return 0
