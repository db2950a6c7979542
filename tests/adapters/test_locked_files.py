"""Exports and books cannot be removed before their end; everything else can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

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
    locked_until,
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


def refuse(clients: Clients) -> Callable[..., None]:
    """What S3 refuses, of a principal without s3:BypassGovernanceRetention, and moto does not."""

    def shortening(params: dict[str, Any], **_: object) -> None:
        found = clients.s3.list_objects_v2(Bucket=params["Bucket"], Prefix=params["Key"])
        if not found["KeyCount"]:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "PutObjectRetention")
        head = clients.s3.head_object(Bucket=params["Bucket"], Key=params["Key"])
        locked = "ObjectLockMode" in head
        if locked and params["Retention"]["RetainUntilDate"] < head["ObjectLockRetainUntilDate"]:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObjectRetention")

    return shortening


@pytest.fixture
def clients() -> Iterator[Clients]:
    with environment(), mock_aws():
        made = Clients()
        made.s3.meta.events.register("before-parameter-build.s3.PutObjectRetention", refuse(made))
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
    assert kept - timedelta(minutes=5) < lasts <= kept + timedelta(hours=1)


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


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """The process has this time."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return now.astimezone(tz)

    monkeypatch.setattr("chalicelib.adapters.s3.datetime", Stopped)


def test_law_5_an_export_is_locked_once_more_until_the_day_before_it_ends(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = BucketFiles(clients, BUCKET, is_locked=True)
    files.write_once(EXPORT, b"one")
    later = datetime.now(UTC) + timedelta(days=20)
    for now in (later, later, later - timedelta(seconds=1)):
        at(monkeypatch, now)
        files.lock_again(EXPORT)
        found = clients.s3.head_object(Bucket=BUCKET, Key=EXPORT)
        assert found["ObjectLockMode"] == "GOVERNANCE"
        left = later + AFTER_ACKNOWLEDGEMENT - found["ObjectLockRetainUntilDate"]
        assert timedelta(hours=23) < left <= timedelta(days=1)


def test_law_5_a_lock_is_not_shortened(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    files = BucketFiles(clients, BUCKET, is_locked=True)
    files.write_once(EXPORT, b"one")
    at(monkeypatch, datetime.now(UTC) - timedelta(days=2))
    with pytest.raises(ClientError, match="AccessDenied"):
        files.lock_again(EXPORT)


def test_only_what_is_there_and_is_locked_is_locked_again(clients: Clients) -> None:
    locked, free = BucketFiles(clients, BUCKET, is_locked=True), BucketFiles(clients, BUCKET)
    locked.lock_again(EXPORT)
    free.write_once(EXPORT, b"one")
    free.lock_again(EXPORT)
    locked.write_once(FREE[0], b"one")
    locked.lock_again(FREE[0])
    for path in (EXPORT, FREE[0]):
        assert "ObjectLockMode" not in clients.s3.head_object(Bucket=BUCKET, Key=path)


def test_what_s3_refuses_to_lock_is_an_error(clients: Clients) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        BucketFiles(clients, "another", is_locked=True).lock_again(EXPORT)


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_a_lock_ends_on_the_hour_and_a_later_one_never_sooner(minute: int) -> None:
    written = datetime(2026, 3, 2, 9, minute, tzinfo=UTC)
    for seconds in (0, 1, 3599, 3600):
        now = written + timedelta(seconds=seconds)
        until = locked_until(EXPORT, now)
        assert until
        assert until >= (locked_until(EXPORT, written) or until)
        assert (until.minute, until.second) == (0, 0)
        assert timedelta() <= until - now - (AFTER_ACKNOWLEDGEMENT - timedelta(days=1))
        assert now + AFTER_ACKNOWLEDGEMENT - until > timedelta(hours=23)
    assert locked_until(FREE[0], written) is None


def test_no_lock_outlasts_what_the_file_is_kept_for() -> None:
    """An export that is acknowledged at once ends that much later: it has to be free then."""
    assert [locked_for(path) for path in LOCKED] == [
        AFTER_ACKNOWLEDGEMENT - timedelta(days=1), *[BOOKS_KEPT - timedelta(days=1)] * len(BOOKS)
    ]  # fmt: skip
    assert {locked_for(path) for path in FREE} == {None}
