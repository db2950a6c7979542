"""Parts of requests to DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
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
