"""`tandem restore`: a stack is stopped, its table made another one, and brought forward again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.codec import fact_item
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import bundle, bundle_path
from chalicelib.domain.people import Link, Opposition
from chalicelib.domain.wall_links import WallLink
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Insert, Remove, Replace
from cli import restore, tables
from cli.connection import Connection, connect
from cli.reconcile import ports_of
from tests.cli.conftest import REGION, STATUS, TABLE, Tandem
from tests.fakes.aws_table import make_table
from tests.fakes.campaign import CAMPAIGN, campaign

OTHER = "tandem-restored"
BUCKET = str(STATUS["bucket"])
MOMENT = "2026-03-02T09:00:00"
LINK = Link(link_code="kept", campaign=CAMPAIGN, sponsor_id="s")


def wall_link(token_hash: str) -> WallLink:
    now = datetime.now(UTC)
    return WallLink(
        campaign=CAMPAIGN, token_hash=token_hash, made_at=now, by="AIDAOPS",
        ends_at=now + timedelta(days=30),
    )  # fmt: skip


GOOD, REVOKED, MADE_SINCE = wall_link("a" * 64), wall_link("b" * 64), wall_link("c" * 64)


def is_compared(item: Any) -> bool:
    return bool(item["kind"]["S"] != "WALL_LINK")


class Functions:
    """Lambda as the connection calls it: functions and what calls them."""

    def __init__(self) -> None:
        self.names = [f"{TABLE}-api", f"{TABLE}-project", f"{TABLE}-2-api", "another"]
        self.limits: dict[str, int] = {}
        self.sources = {f"{TABLE}-project": "Enabled"}
        self.calls: list[str] = []

    def get_paginator(self, _: str) -> Functions:
        return self

    def paginate(self, FunctionName: str | None = None) -> list[dict[str, Any]]:  # noqa: N803
        """The one page of functions, or of what calls one of them."""
        if FunctionName is None:
            return [{"Functions": [{"FunctionName": each} for each in self.names]}]
        own = [name for name in self.sources if name == FunctionName]
        return [{"EventSourceMappings": [{"UUID": one, "State": self.sources[one]} for one in own]}]

    def update_event_source_mapping(self, UUID: str, Enabled: bool) -> None:  # noqa: N803
        self.sources[UUID] = "Enabled" if Enabled else "Disabled"
        self.calls.append(f"{UUID} {self.sources[UUID]}")

    def put_function_concurrency(
        self,
        FunctionName: str,  # noqa: N803
        ReservedConcurrentExecutions: int,  # noqa: N803
    ) -> None:
        self.limits[FunctionName] = ReservedConcurrentExecutions
        self.calls.append(FunctionName)

    def delete_function_concurrency(self, FunctionName: str) -> None:  # noqa: N803
        self.limits.pop(FunctionName, None)

    def get_function_concurrency(self, FunctionName: str) -> dict[str, int]:  # noqa: N803
        limit = self.limits.get(FunctionName)
        return {} if limit is None else {"ReservedConcurrentExecutions": limit}


@pytest.fixture
def functions(stack: DynamoRepository, monkeypatch: pytest.MonkeyPatch) -> Functions:
    """The functions of a running stack, with its queue."""
    del stack
    made = Functions()
    monkeypatch.setattr(Connection, "_lambda", made)
    boto3.client("sqs", region_name=REGION).create_queue(QueueName=f"{TABLE}-ingest")
    return made


def fact(number: int, at: datetime) -> Fact:
    return Fact(
        fact_id=f"f{number}", name="list_waits", campaign=CAMPAIGN, subject="s", at=at,
        correlation="k", details={"list": "vips", "mode": "full", "rows": 3},
    )  # fmt: skip


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_everything_is_stopped_the_projector_last_and_started_again(
    functions: Functions, tandem: Tandem
) -> None:
    lines(tandem("restore", "stop", "--at-once"))
    assert functions.calls == [f"{TABLE}-api", f"{TABLE}-project Disabled", f"{TABLE}-project"]
    assert functions.limits == {f"{TABLE}-api": 0, f"{TABLE}-project": 0}
    lines(tandem("restore", "stop", "--at-once"))  # what is stopped already takes no change
    assert functions.calls.count(f"{TABLE}-project Disabled") == 1
    lines(tandem("restore", "start"))
    assert functions.limits == {}
    assert functions.sources == {f"{TABLE}-project": "Enabled"}


def test_at_a_terminal_it_is_asked_before_everything_is_stopped(
    functions: Functions, tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.asking._is_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    refused = tandem("restore", "stop", "--at-once")
    assert (refused.exit_code, refused.output) == (1, "nothing was stopped\n")
    assert functions.calls == []
    lines(tandem("restore", "stop", "--at-once", "--yes"))


@pytest.mark.slow
def test_it_waits_until_every_fact_is_counted(
    functions: Functions, tandem: Tandem, stack: DynamoRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = fact(1, datetime.now(UTC))
    stack.commit(facts=[late])

    def counted_meanwhile(_: float) -> None:
        stack.bring_back("0", [], [], [late], {})

    monkeypatch.setattr("cli.restore.time.sleep", counted_meanwhile)
    lines(tandem("restore", "stop"))
    assert functions.limits[f"{TABLE}-project"] == 0


@pytest.mark.slow
def test_a_projector_that_does_not_count_is_not_stopped_unless_ops_say_so(
    functions: Functions, tandem: Tandem, stack: DynamoRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.commit(facts=[fact(1, datetime.now(UTC))])
    monkeypatch.setattr(restore, "DRAINED_WITHIN", timedelta(0))
    refused = tandem("restore", "stop")
    assert refused.exit_code == 1
    assert "1 facts of the last hours are not counted yet" in refused.stderr
    assert f"{TABLE}-project" not in functions.limits
    lines(tandem("restore", "stop", "--at-once"))
    assert functions.limits[f"{TABLE}-project"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("functions")
def test_a_fact_that_cannot_be_read_counts_as_one_that_is_not_counted(
    tandem: Tandem, stack: DynamoRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = fact(1, datetime.now(UTC))
    stack.commit(facts=[late])
    boto3.client("dynamodb", region_name=REGION).put_item(
        TableName=TABLE, Item=fact_item(late) | {"at": {"S": "yesterday"}}
    )
    monkeypatch.setattr(restore, "DRAINED_WITHIN", timedelta(0))
    refused = tandem("restore", "stop")
    assert refused.exit_code == 1
    assert "1 facts of the last hours are not counted yet" in refused.stderr


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize("command", [("copy", "--from", OTHER), ("adopt", "--moment", MOMENT)])
def test_nothing_is_written_while_a_function_may_run(
    tandem: Tandem, command: tuple[str, ...]
) -> None:
    refused = tandem("restore", *command)
    assert refused.exit_code == 1
    assert "these functions may run: api, project" in refused.stderr


def test_the_table_gets_the_items_of_the_restored_one_and_keeps_what_only_forbids(
    functions: Functions, tandem: Tandem, stack: DynamoRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "READ_AT_ONCE", 2)
    client = boto3.client("dynamodb", region_name=REGION)
    for number in range(5):
        stack.commit(Insert(Link(link_code=f"l{number}", campaign=CAMPAIGN, sponsor_id="s")))
    stack.commit(Insert(LINK), *map(Insert, (GOOD, REVOKED)))
    make_table(client, OTHER)
    for item in client.scan(TableName=TABLE)["Items"]:
        client.put_item(TableName=OTHER, Item=item)
    changed = Link(link_code="l0", campaign=CAMPAIGN, sponsor_id="other", revision=1)
    objection = Opposition(brand="demo", digest="d", recorded_at=datetime(2026, 3, 2, tzinfo=UTC))
    new = Link(link_code="new", campaign=CAMPAIGN, sponsor_id="s")
    stack.commit(Replace(changed), Insert(objection), Insert(new), Insert(MADE_SINCE))
    stack.commit(Remove(replace(REVOKED, revision=1)))
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "LINK#kept"}, "sk": {"S": "LINK"}})
    lines(tandem("restore", "stop", "--at-once"))
    counted = lines(tandem("restore", "copy", "--from", OTHER, "--dry-run"))
    assert counted[0] == "2 items would be written, 1 would be removed"
    assert stack.get(Link, link_code="new")
    done = lines(tandem("restore", "copy", "--from", OTHER))
    assert done == [
        "2 items written, 1 removed",
        "1 kept that only forbid something: OPPOSITION, REFEREE_CLAIM",
    ]
    # A link to a wall that was revoked since stays so, and what was made since goes on.
    links = {one.token_hash for one in stack.within(WallLink, campaign=CAMPAIGN)}
    assert links == {GOOD.token_hash, MADE_SINCE.token_hash}
    restored = {str(item) for item in client.scan(TableName=OTHER)["Items"] if is_compared(item)}
    now = {str(item) for item in client.scan(TableName=TABLE)["Items"] if is_compared(item)}
    assert restored < now
    assert len(now - restored) == 1
    assert stack.get(Opposition, brand="demo", digest="d")
    assert lines(tandem("restore", "copy", "--from", OTHER))[0] == "0 items written, 0 removed"
    assert functions.limits


def test_what_happened_since_is_shown_then_brought_back_and_files_are_queued(
    functions: Functions, tandem: Tandem, stack: DynamoRepository
) -> None:
    put_campaign(ports_of(connect("local")), campaign())
    s3 = boto3.client("s3", region_name=REGION)
    lost = fact(1, datetime(2026, 3, 2, 10, tzinfo=UTC))
    content, digest = bundle([lost])
    s3.put_object(Bucket=BUCKET, Key=bundle_path(digest), Body=content)
    s3.put_object(Bucket=BUCKET, Key=f"in/{CAMPAIGN}/orders/a b.csv", Body=b"")
    shown = lines(tandem("restore", "plan", "--moment", MOMENT))
    assert shown[0] == f"{CAMPAIGN}: 1 facts since then are not in the table"
    assert "  list_waits 1" in shown
    assert stack.stored([lost]) == []
    lines(tandem("restore", "stop", "--at-once"))
    done = lines(tandem("restore", "adopt", "--moment", MOMENT))
    assert done[0] == f"{CAMPAIGN}: 1 facts brought back"
    assert done[-1] == "files in in/ queued to be processed again: 1"
    assert [one.counted for one in stack.stored([lost])] == [True]
    queue = connect("local").queue_url("ingest")
    [message] = boto3.client("sqs", region_name=REGION).receive_message(QueueUrl=queue)["Messages"]
    [record] = json.loads(message["Body"])["Records"]
    assert record["s3"]["object"]["key"] == f"in/{CAMPAIGN}/orders/a+b.csv"
    assert functions.limits


def test_a_journal_that_does_not_follow_is_named_and_nothing_is_brought_back(
    functions: Functions, tandem: Tandem
) -> None:
    put_campaign(ports_of(connect("local")), campaign())
    lines(tandem("restore", "stop", "--at-once"))
    path = f"out/{CAMPAIGN}/journal/2026-03-02/00000002-0000000000000000.jsonl"
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=BUCKET, Key=path, Body=b"{}")
    for command in ("plan", "adopt"):
        refused = tandem("restore", command, "--moment", MOMENT)
        assert refused.exit_code == 1
        assert "no file has the number 1" in refused.stderr
    assert functions.limits
