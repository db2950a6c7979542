"""Making the items of one table those of another: what differs is written, what is too much goes.

Items are compared as they are stored, so no version of an item is lost on the way; what the two
tables have alike costs a read and no write. What only forbids something is kept where it is too
much: somebody's objection, and that somebody was invited (laws 2 and 9). Nothing builds on it.
Wall links stay as the target has them: one that was revoked since must not show anything again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = frozenset({"OPPOSITION", "REFEREE_CLAIM"})
LEFT_ALONE = frozenset({"WALL_LINK"})
READ_AT_ONCE = 100
WRITTEN_AT_ONCE = 25
ATTEMPTS = 8

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Copied:
    """How far it is."""

    read: int = 0
    written: int = 0
    removed: int = 0
    kept: int = 0


def copy_items(
    client: DynamoDBClient, source: str, target: str, *, dry_run: bool = False
) -> Iterator[Copied]:
    """Make the items of `target` those of `source`; yields how far it is."""
    done = Copied()
    for items in _pages(client, source):
        there = _read(client, target, items)
        differing = [item for item in items if there.get(_place(item)) != item]
        if not dry_run:
            _write(client, target, [{"PutRequest": {"Item": item}} for item in differing])
        done = replace(done, read=done.read + len(items), written=done.written + len(differing))
        yield done
    for items in _pages(client, target):
        there = _read(client, source, items)
        extra = [item for item in items if _place(item) not in there]
        gone = [item for item in extra if _kind(item) not in KEPT]
        if not dry_run:
            _write(client, target, [{"DeleteRequest": {"Key": _key(item)}} for item in gone])
        done = replace(
            done,
            read=done.read + len(items),
            removed=done.removed + len(gone),
            kept=done.kept + len(extra) - len(gone),
        )
        yield done


def _pages(client: DynamoDBClient, table: str) -> Iterator[list[Item]]:
    """All items of a table that are compared, so many at a time as can be read by their keys."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        items = [item for item in page["Items"] if _kind(item) not in LEFT_ALONE]
        for start in range(0, len(items), READ_AT_ONCE):
            yield list(items[start : start + READ_AT_ONCE])


def _kind(item: Item) -> str | None:
    kind: str | None = item.get("kind", {}).get("S")
    return kind


def _place(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _key(item: Item) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _read(client: DynamoDBClient, table: str, items: Sequence[Item]) -> dict[tuple[str, str], Item]:
    request: Any = {table: {"Keys": [_key(item) for item in items], "ConsistentRead": True}}
    found: dict[tuple[str, str], Item] = {}
    for attempt in range(ATTEMPTS):
        answer = client.batch_get_item(RequestItems=request)
        found |= {_place(item): item for item in answer["Responses"].get(table, [])}
        request = answer.get("UnprocessedKeys")
        if not request:
            return found
        _pause(attempt)
    raise TimeoutError("the table takes no more reads")


def _write(client: DynamoDBClient, table: str, writes: Sequence[Any]) -> None:
    for start in range(0, len(writes), WRITTEN_AT_ONCE):
        request: Any = {table: writes[start : start + WRITTEN_AT_ONCE]}
        for attempt in range(ATTEMPTS):
            request = client.batch_write_item(RequestItems=request).get("UnprocessedItems")
            if not request:
                break
            _pause(attempt)
        else:
            raise TimeoutError("the table takes no more writes")


def _pause(attempt: int) -> None:
    """Wait as DynamoDB asks for, ever longer."""
    time.sleep(0.05 * 2**attempt)
