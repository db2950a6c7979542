"""Starts the emulator with what it does not know of DynamoDB: a condition, and a refusal.

`dynamodb:LeadingKeys` are the values of the partition key that a call names; AWS compares them with
the policies of the role that calls. Without them every condition on them would be of no effect
here. And a stack deletes no table that is protected, when its create or update fails neither. Run
as a script by the emulator's own interpreter, which has nothing of ours: standard library only.
Neighbour: emulator.py starts it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
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


def unless_protected(
    delete: Callable[[str, Any], None], tables: Mapping[str, dict[str, Any]]
) -> Callable[[str, Any], None]:
    """How a stack deletes a table: not while the table is protected."""

    def deleted(name: str, properties: Any) -> None:
        if (tables.get(name) or {}).get("DeletionProtectionEnabled"):
            raise ValueError(f"{name} cannot be deleted: deletion protection is enabled")
        delete(name, properties)

    return deleted


def main() -> None:
    """Run the emulator with both."""
    from ministack.app import main as run  # type: ignore[import-not-found]
    from ministack.core import iam_actions  # type: ignore[import-not-found]
    from ministack.services import dynamodb  # type: ignore[import-not-found]
    from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found]

    iam_actions.dynamodb_service_context = with_leading_keys(iam_actions.dynamodb_service_context)
    table = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]  # noqa: SLF001
    table["delete"] = unless_protected(table["delete"], dynamodb._tables)  # noqa: SLF001
    sys.exit(run())


if __name__ == "__main__":
    main()
