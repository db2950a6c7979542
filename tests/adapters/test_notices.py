"""An event for each file that is announced to the client, once the file is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib import bootstrap
from chalicelib.adapters.clients import Clients
from chalicelib.adapters.notices import NotifyingFiles
from chalicelib.adapters.s3 import BucketFiles
from chalicelib.settings import Settings
from tests.api.world import environment

BUCKET = "noticed"
BUS = "tandem-test-notices"
EXPORT = "out/demo-vip/vouchers/00000001.manifest.json"
RECEIPT = "out/demo-vip/receipts/orders/a.csv@20260504T190001Z-1a2b3c4d.json"


class _Bus:
    """The requests to EventBridge, each with whether the file was there by then."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.sent: list[tuple[dict[str, str], bool]] = []
        self.fails = ""
        client: Any = clients.events
        client.meta.events.register("before-call.events.PutEvents", self._note)

    def _note(self, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
        [entry] = json.loads(params["body"])["Entries"]
        path = json.loads(entry["Detail"])["path"]
        found = self._clients.s3.list_objects_v2(Bucket=BUCKET, Prefix=path)
        self.sent.append((entry, found["KeyCount"] == 1))
        if self.fails == "refused":
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents")
        if self.fails:
            answer: Any = type("Answer", (), {"status_code": 200})()
            return answer, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        return None


@pytest.fixture
def clients() -> Iterator[Clients]:
    with environment(), mock_aws():
        made = Clients()
        made.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
        )
        events: Any = made.events
        events.create_event_bus(Name=BUS)
        yield made


@pytest.fixture
def bus(clients: Clients) -> _Bus:
    return _Bus(clients)


def files(clients: Clients, failures: list[Exception]) -> NotifyingFiles:
    return NotifyingFiles(clients, BUCKET, BUS, failures.append)


@pytest.mark.parametrize(
    ("path", "kind"), [(EXPORT, "export.written"), (RECEIPT, "receipt.written")]
)
def test_an_event_follows_a_file_that_is_there(
    clients: Clients, bus: _Bus, path: str, kind: str
) -> None:
    failures: list[Exception] = []
    writes = files(clients, failures)
    assert writes.write_once(path, b"a")
    [(entry, was_there)] = bus.sent
    assert was_there
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (BUS, "tandem", kind)
    assert failures == []


def test_an_attempt_that_finds_the_file_tells_of_it_again_with_the_same_id(
    clients: Clients, bus: _Bus
) -> None:
    """The one before may have been killed between the two."""
    BucketFiles(clients, BUCKET).write(EXPORT, b"a")
    writes = files(clients, [])
    assert not writes.write_once(EXPORT, b"a")
    assert not writes.write_once(EXPORT, b"a")
    [first, second] = [json.loads(entry["Detail"]) for entry, _ in bus.sent]
    assert first == second


def test_what_is_there_is_told_of_and_not_what_another_attempt_would_have_written(
    clients: Clients, bus: _Bus
) -> None:
    writes = files(clients, [])
    writes.write_once(RECEIPT, b"received at 19:00")
    assert not writes.write_once(RECEIPT, b"received at 19:05")
    ids = [json.loads(entry["Detail"])["id"] for entry, _ in bus.sent]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_receipt_that_is_written_over_is_told_of_as_another(clients: Clients, bus: _Bus) -> None:
    writes = files(clients, [])
    writes.write_once(RECEIPT, b"held")
    writes.write(RECEIPT, b"accepted")
    ids = [json.loads(entry["Detail"])["id"] for entry, _ in bus.sent]
    assert len(set(ids)) == 2


def test_nobody_is_told_of_other_files(clients: Clients, bus: _Bus) -> None:
    writes = files(clients, [])
    writes.write("parts/demo-vip/a/000001.json.gz", b"a")
    writes.write_once(EXPORT.replace(".manifest.json", ".csv.gz"), b"a")
    assert bus.sent == []


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_an_event_that_is_not_taken_keeps_no_file_back(
    clients: Clients, bus: _Bus, how: str
) -> None:
    bus.fails = how
    failures: list[Exception] = []
    assert files(clients, failures).write_once(EXPORT, b"a")
    assert b"".join(BucketFiles(clients, BUCKET).read(EXPORT)) == b"a"
    assert len(failures) == 1


def test_only_those_who_have_a_bus_tell_of_files(clients: Clients) -> None:
    with environment():
        without = Settings.from_environment()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TANDEM_NOTICES_BUS", BUS)
            told = Settings.from_environment()
    assert type(bootstrap.wire(without, clients).files) is BucketFiles
    assert type(bootstrap.wire(told, clients).files) is NotifyingFiles


def test_a_notice_that_is_not_sent_is_counted_and_named(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from chalicelib.observability import flushed

    with environment(), flushed():
        bootstrap._not_noticed(ValueError("x"))
    assert '"NotHandled":[1.0]' in capsys.readouterr().out
    assert "notice not sent" in caplog.messages
