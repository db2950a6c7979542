"""Parts of requests to DynamoDB."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.entity import Entity


def attributes(values: Mapping[str, str]) -> dict[str, Any]:
    """Texts as DynamoDB takes them."""
    return {name: {"S": value} for name, value in values.items()}


def within(kind: type[Entity], key: dict[str, str | int]) -> dict[str, Any]:
    """The arguments of a query for the entities of `kind` in the partition of `key`."""
    partition, start = schema.partition_for(kind, key)
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :start)",
        "ExpressionAttributeValues": attributes({":pk": partition, ":start": start}),
        "ConsistentRead": True,
    }


def key_in(item: Mapping[str, Any]) -> dict[str, str]:
    """The primary key of an item, or of where a page ended."""
    return {name: item[name]["S"] for name in ("pk", "sk")}


def search(texts: Collection[str]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an item has one of the texts anywhere, be it in its key or deep inside. None of them
    has a quote or a backslash.
    """
    found = re.compile("|".join(map(re.escape, sorted(texts)))).search if texts else None

    def names(item: Mapping[str, Any]) -> bool:
        return found is not None and bool(found(json.dumps(item, ensure_ascii=False)))

    return names
