"""Exports and books cannot be removed before their end; everything else can."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.s3 import BucketFiles
from chalicelib.domain.files.ends import (
    AFTER_ACKNOWLEDGEMENT,
    AFTER_WRITTEN,
    BOOKS,
    BOOKS_KEPT,
    locked_for,
)
from tests.api.world import environment

BUCKET = "locked"
EXPORT = "out/demo-vip/vouchers/00000001.csv.gz"
LOCKED = (EXPORT, *(f"out/demo-vip/{area}/1.csv.gz" for area in BOOKS))
FREE = (
    *(f"out/demo-vip/{area}/1.csv.gz" for area in AFTER_WRITTEN),
    "in/demo-vip/vouchers/a.csv",
    "in/out/vouchers/a.csv",
    "parts/demo-vip/vouchers/1",
    "journal/demo-vip/1",
    "quarantine/demo-vip/orders/1",
)


@pytest.fixture
def clients() -> Iterator[Clients]:
    with environment(), mock_aws():
        made = Clients()
        made.s3.create_bucket(
            Bucket=BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "eu-west-3"},
            ObjectLockEnabledForBucket=True,
        )
        yield made


@pytest.mark.parametrize("path", LOCKED)
def test_law_5_a_locked_file_is_neither_removed_nor_replaced_before_its_day(
    clients: Clients, path: str
) -> None:
    files = BucketFiles(clients, BUCKET, is_locked=True)
    assert files.write_once(path, b"one")
    assert not files.write_once(path, b"another")
    [written] = files.written_since(path, datetime(2000, 1, 1, tzinfo=UTC))
    with pytest.raises(ClientError, match="AccessDenied"):
        files.erase(written)
    found = clients.s3.head_object(Bucket=BUCKET, Key=path)
    assert found["ObjectLockMode"] == "GOVERNANCE"
    kept = locked_for(path)
    assert kept is not None
    lasts = found["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert kept - timedelta(minutes=5) < lasts <= kept


@pytest.mark.parametrize("path", FREE)
def test_what_ends_otherwise_can_be_removed_at_once(clients: Clients, path: str) -> None:
    files = BucketFiles(clients, BUCKET, is_locked=True)
    assert files.write_once(path, b"one")
    [written] = files.written_since(path, datetime(2000, 1, 1, tzinfo=UTC))
    files.erase(written)
    assert files.written_since(path, datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_a_bucket_that_takes_no_locks_is_written_without(clients: Clients) -> None:
    BucketFiles(clients, BUCKET).write_once(EXPORT, b"one")
    assert "ObjectLockMode" not in clients.s3.head_object(Bucket=BUCKET, Key=EXPORT)


def test_no_lock_outlasts_what_the_file_is_kept_for() -> None:
    """An export that is acknowledged at once ends that much later: it has to be free then."""
    assert [locked_for(path) for path in LOCKED] == [
        AFTER_ACKNOWLEDGEMENT - timedelta(days=1), *[BOOKS_KEPT - timedelta(days=1)] * len(BOOKS)
    ]  # fmt: skip
    assert {locked_for(path) for path in FREE} == {None}
