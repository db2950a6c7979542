"""A large file through the functions: its messages, its log lines, its receipt."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest

from chalicelib.domain.effects import Queue
from chalicelib.services import row_groups
from chalicelib.services.orders import record_many
from tests import functions
from tests.api.requests import PURCHASE
from tests.api.world import BUCKET, CAMPAIGN, World, drop_event, queue_event
from tests.services.test_file_parts import order_file

PATH = "orders/jeanne@demo.test.csv"
NO_FAILURE: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", 5)


def dropped(world: World) -> list[str]:
    """The messages of a file of thirteen orders, whose name is an address."""
    code = world.voucher()
    rows = [
        PURCHASE
        | {"order_id": f"A{number}", "voucher_code": code, "email_digest": "", "status": "kept"}
        for number in range(3)
    ] + [
        PURCHASE
        | {"order_id": f"B{number}", "voucher_code": "", "email_digest": "0" * 64, "status": "kept"}
        for number in range(10)
    ]
    key = f"in/{CAMPAIGN}/{PATH}"
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=order_file(*rows))
    assert functions.ingest(drop_event(key, world.clock())) == NO_FAILURE
    url = world.clients.sqs.get_queue_url(QueueName=Queue.PARTS)["QueueUrl"]
    received = world.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in received["Messages"]]


def receipts(world: World) -> list[str]:
    prefix = f"out/{CAMPAIGN}/receipts/orders/"
    listed = world.clients.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [found["Key"] for found in listed.get("Contents", ())]


def test_a_large_file_is_handled_by_its_messages_and_its_name_is_in_no_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = dropped(world)
    assert len(bodies) == 3
    caplog.clear()
    for number, body in enumerate([*reversed(bodies), *bodies]):  # all of them twice
        assert bool(receipts(world)) is (number >= len(bodies))
        assert functions.ingest(queue_event([body], "tandem-test-parts")) == NO_FAILURE
    messages = [record.getMessage() for record in caplog.records]
    assert messages.count("part of a file") == 6
    assert messages.count("file processed") == 1
    assert "jeanne" not in repr([vars(record) for record in caplog.records])
    latest, own = receipts(world)
    receipt = json.loads(world.file(latest))
    assert world.file(own) == world.file(latest)
    assert receipt["status"] == "accepted"
    assert receipt["effects"] == {"not_a_referees": 12, "recorded": 1}
    assert [one["voucher"] for one in receipt["vouchers"]] == ["exhausted"] * 2
    assert (receipt["quarantined"], receipt["name_withheld"]) == (True, True)


def test_the_message_of_a_part_with_a_row_that_fails_is_delivered_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    [first, *_] = dropped(world)
    caplog.clear()
    with patch.object(record_many, "refusal_of", side_effect=LookupError):
        answer = functions.ingest(queue_event([first], "tandem-test-parts"))
    assert len(answer["batchItemFailures"]) == 1
    failed = [vars(record) for record in caplog.records if record.getMessage() == "not handled"]
    file_id = json.loads(first)["file_id"]
    assert {(line["kind"], line["item"].partition(":")[0]) for line in failed} == {("row", file_id)}
    assert functions.ingest(queue_event([first], "tandem-test-parts")) == NO_FAILURE
