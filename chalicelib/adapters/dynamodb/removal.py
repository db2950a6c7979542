"""Removing what the table has of a campaign, page by page, when its records have ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import Item
from chalicelib.adapters.dynamodb.requests import attributes, key_in, within
from chalicelib.domain.entity import Entity
from chalicelib.domain.redemptions import OrderUses, Redemption
from chalicelib.domain.referral_orders import ORDER_GROUPS, FurtherOrder
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ports import TRANSACTION_LIMIT, RemovedPage


class Removal:
    """`remove_page` of the repository, on its `query` and `transact`."""

    def __init__(
        self,
        clients: Clients,
        table: str,
        query: Callable[..., Iterator[Item]],
        transact: Callable[[list[Any]], None],
    ) -> None:
        self._clients = clients
        self._table = table
        self._query = query
        self._transact = transact

    def remove_page(
        self, stays: Collection[type[Entity]], campaign: str, after: str | None = None
    ) -> RemovedPage:
        """A page of the table without what it had of the campaign, except for `stays`."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "campaign = :campaign",
            "ExpressionAttributeValues": attributes({":campaign": campaign}),
            "ProjectionExpression": "pk, sk, kind, referral_id, further_orders",
        }
        if after:
            arguments["ExclusiveStartKey"] = attributes(json.loads(after))
        answer = self._clients.dynamodb.scan(**arguments)
        staying = {schema.ITEM_KINDS[kind].kind for kind in stays}
        ended = [item for item in answer["Items"] if item["kind"]["S"] not in staying]
        last = answer.get("LastEvaluatedKey")
        # What does not name its campaign goes before what leads to it.
        removed = self._remove([key for item in ended for key in self._dependent_keys(item)])
        removed += self._remove(list(map(key_in, ended)))
        if last is None:
            removed += self._remove(list(self._count_keys(campaign)))
        return RemovedPage(removed, json.dumps(key_in(last)) if last else None)

    def _dependent_keys(self, item: Item) -> Iterator[dict[str, str]]:
        """The keys of a voucher's redemptions, with what was used on their orders, and of a
        referral's further orders.
        """
        kind = schema.KINDS.get(item["kind"]["S"])
        if kind is Voucher:
            parts = schema.parts_of(Voucher, item["pk"]["S"], item["sk"]["S"])
            for found in self._query(**within(Redemption, parts)):
                yield key_in(found)
                yield schema.key_for(OrderUses, {"order_id": found["order_id"]["S"]})
        elif item.get("further_orders", {"N": "0"}) != {"N": "0"}:
            for group in ORDER_GROUPS:
                parts = {"referral_id": item["referral_id"]["S"], "group": group}
                for found in self._query(**within(FurtherOrder, parts)):
                    yield key_in(found)

    def _count_keys(self, campaign: str) -> Iterator[dict[str, str]]:
        for partition in schema.count_partitions(campaign):
            for item in self._query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=attributes({":pk": partition}),
                ProjectionExpression="pk, sk",
            ):
                yield key_in(item)

    def _remove(self, keys: Sequence[Mapping[str, str]]) -> int:
        """Delete the items with those keys, some at once; returns how many keys there were."""
        distinct = [dict(key) for key in dict.fromkeys(tuple(key.items()) for key in keys)]
        for start in range(0, len(distinct), TRANSACTION_LIMIT):
            self._transact(
                [
                    {"Delete": {"TableName": self._table, "Key": attributes(key)}}
                    for key in distinct[start : start + TRANSACTION_LIMIT]
                ]
            )
        return len(distinct)
