"""Starts the emulator with the one condition on DynamoDB calls that it does not know.

`dynamodb:LeadingKeys` are the values of the partition key that a call names; AWS compares them with
the policies of the role that calls. Without them every condition on them would be of no effect
here. Run as a script by the emulator's own interpreter, which has nothing of ours: standard library
only. Neighbour: emulator.py starts it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

CONDITION: Final = "dynamodb:LeadingKeys"
# The partition keys of the table and of its indexes.
_PARTITION_KEY: Final = re.compile(r"(?:\w+_)?pk")
_EQUALS: Final = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


def leading_keys(body: bytes) -> list[str]:
    """The values of the partition key that a call of DynamoDB names; none for a scan."""
    try:
        call = json.loads(body or b"{}")
    except ValueError:
        return []
    return list(dict.fromkeys(_named(call))) if isinstance(call, dict) else []


def _named(call: dict[str, Any]) -> Iterator[str]:
    yield from _of(call.get("Key"))
    yield from _of(call.get("Item"))
    yield from _of_query(call)
    for items in (call.get("RequestItems") or {}).values():
        if isinstance(items, dict):
            for key in items.get("Keys", ()):
                yield from _of(key)
        else:
            for request in items:
                yield from _of(request.get("PutRequest", {}).get("Item"))
                yield from _of(request.get("DeleteRequest", {}).get("Key"))
    for item in call.get("TransactItems") or ():
        for part in item.values():
            yield from _of(part.get("Key"))
            yield from _of(part.get("Item"))


def _of(attributes: dict[str, Any] | None) -> Iterator[str]:
    if attributes and "pk" in attributes:
        yield str(attributes["pk"].get("S", ""))


def _of_query(call: dict[str, Any]) -> Iterator[str]:
    names = call.get("ExpressionAttributeNames") or {}
    values = call.get("ExpressionAttributeValues") or {}
    for name, value in _EQUALS.findall(call.get("KeyConditionExpression") or ""):
        if _PARTITION_KEY.fullmatch(names.get(name, name)) and value in values:
            yield str(values[value].get("S", ""))


def with_leading_keys(context: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], Any]:
    """The emulator's conditions of a call, and this one."""

    def completed(body: bytes) -> dict[str, Any]:
        found = leading_keys(body)
        return {**context(body), **({CONDITION: found} if found else {})}

    return completed


def main() -> None:
    """Run the emulator with the condition."""
    from ministack.app import main as run  # type: ignore[import-not-found]
    from ministack.core import iam_actions  # type: ignore[import-not-found]

    iam_actions.dynamodb_service_context = with_leading_keys(iam_actions.dynamodb_service_context)
    sys.exit(run())


if __name__ == "__main__":
    main()
