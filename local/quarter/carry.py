"""What was played aside, into the stack's own bucket and table: files, then state, then facts.

Facts come last, in the order of time, and uncounted, so the stream hands them to the projector as
if they had just happened. The relay gets them too: whatever they ask for is done already, and each
consumer finds that it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from chalicelib.adapters.dynamodb.schema import FACT_KIND
from chalicelib.adapters.s3 import BucketFiles
from local.quarter.aside import BUCKET, TABLE, Aside, settings_of, slices
from local.running import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_AT_ONCE: Final = 25  # items; DynamoDB takes no more in one call
_PAUSE_S: Final = 0.05


def carry_files(aside: Aside, stack: Stack) -> int:
    """Write what the product wrote, which is all but `in/`; returns how many files."""
    settings = settings_of(stack)
    to = BucketFiles(aside.clients, settings.bucket, is_locked=settings.is_bucket_locked)
    paths = [path for path in aside.files.paths("") if not path.startswith("in/")]
    for path in paths:
        found = aside.clients.s3.get_object(Bucket=BUCKET, Key=path)
        to.write_once(path, found["Body"].read(), content_type=found["ContentType"])
    return len(paths)


def carry_items(aside: Aside, stack: Stack) -> int:
    """Write every item; returns how many are facts."""
    client = aside.clients.dynamodb
    items = list(_items(client))
    facts = [item for item in items if item["kind"] == {"S": FACT_KIND}]
    _write(client, stack.table, [item for item in items if item["kind"] != {"S": FACT_KIND}])
    _write(client, stack.table, sorted(facts, key=lambda item: str(item["at"])))
    return len(facts)


def _items(client: DynamoDBClient) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=TABLE):
        yield from page["Items"]


def _write(client: DynamoDBClient, table: str, items: Sequence[dict[str, Any]]) -> None:
    for some in slices(items, _AT_ONCE):
        waiting: Any = {table: [{"PutRequest": {"Item": item}} for item in some]}
        while waiting := client.batch_write_item(RequestItems=waiting)["UnprocessedItems"]:
            time.sleep(_PAUSE_S)
