"""What goes back to its queue, or stays in its stream, says which it is, at which try, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import invocations
from chalicelib.adapters.dynamodb.codec import fact_json, fact_of
from chalicelib.domain.facts import FactName
from chalicelib.services.errors import RetryLaterError, SenderBusyError, WaitsFor
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import ContentionError
from tests import functions
from tests.api.requests import GOOD
from tests.api.world import STRANGER, World, queue_event, stream_event

WAITED_S = 754


def _metrics(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        content = json.loads(line)
        for directive in content.get("_aws", {}).get("CloudWatchMetrics", ()):
            (names,) = directive["Dimensions"]
            by = {name: content[name] for name in names if name != "service"}
            for metric in directive["Metrics"]:
                yield {metric["Name"]: sum(content[metric["Name"]]), **by}


def _returned(world: World, error: Exception, receives: int, monkeypatch: Any) -> None:
    postponed: list[object] = []
    place = "chalicelib.adapters.sqs.WorkQueues.postpone"
    monkeypatch.setattr(place, lambda *how: postponed.append(how))

    def fails(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr("chalicelib.functions.reward.reward_referral", fails)
    fact = _newest(world, FactName.SIGN_IN_REQUESTED)
    event = queue_event([fact], "reward", receives, world.clock() - timedelta(seconds=WAITED_S))
    [record] = event["Records"]
    answer = {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert functions.reward(event) == answer
    # All else comes back when its queue says so.
    assert len(postponed) == isinstance(error, SenderBusyError)


def _newest(world: World, name: FactName) -> str:
    return fact_json(fact_of([one for one in world.facts() if one["name"]["S"] == name][-1]))


@pytest.mark.parametrize(
    ("error", "reason", "alarmed"),
    [
        (SenderBusyError(), "room_at_the_sender", {"WorkWaits": WAITED_S}),
        (RetryLaterError(WaitsFor.AN_ERASURE), "an_erasure", {"WorkWaits": WAITED_S}),
        (RetryLaterError(WaitsFor.THE_INDEX), "the_index", {"WorkWaits": WAITED_S}),
        (ContentionError(), "other_work", {"WorkWaits": WAITED_S}),
        (RetryLaterError(WaitsFor.A_LIST), "a_list", {"ListUnavailable": 1}),
        (ListUnavailableError("read_failed"), "a_list", {"ListUnavailable": 1}),
        (RetryLaterError(WaitsFor.CODES), "codes", {"CodesLow": 1}),
        (RetryLaterError(WaitsFor.ROWS), "rows", {}),
    ],
)
def test_work_that_has_to_wait_says_for_what_and_how_long_it_has_waited(
    world: World,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
    alarmed: dict[str, float],
) -> None:
    world.ask(GOOD["sign_in"](world))
    capsys.readouterr()
    _returned(world, error, 3, monkeypatch)
    found = list(_metrics(capsys.readouterr().out))
    assert {"WorkPutOff": WAITED_S, "function": "reward", "reason": reason} in found
    others = {
        name: value for one in found if "WorkPutOff" not in one for name, value in one.items()
    }
    assert others == alarmed
    [line] = [vars(one) for one in caplog.records if hasattr(one, "waits_for")]
    assert (line["waits_for"], line["attempt"], len(line["message_id"])) == (reason, 3, 32)


@pytest.mark.parametrize(("receives", "failed"), [(1, {}), (2, {"WorkFailed": 1})])
def test_what_fails_is_named_each_time_and_counted_from_the_second_on(
    world: World,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    receives: int,
    failed: dict[str, float],
) -> None:
    world.ask(GOOD["sign_in"](world))
    capsys.readouterr()
    _returned(world, ZeroDivisionError(), receives, monkeypatch)
    counted = _metrics(capsys.readouterr().out)
    found = {name: value for one in counted for name, value in one.items()}
    assert found == failed
    left, line = (vars(one) for one in caplog.records if hasattr(one, "attempt"))
    assert (left["message"], line["message"]) == ("left in the queue", "message failed")
    assert left["fact"] == FactName.SIGN_IN_REQUESTED
    assert left["message_id"] == line["message_id"]
    assert {left["attempt"], line["attempt"]} == {receives}


def test_a_record_of_the_stream_that_fails_is_named_with_its_fact_if_it_can_be_read(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(GOOD["sign_in"](world))
    fact = world.facts()[-1]

    def fails(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("chalicelib.functions.relay.relay_facts", fails)
    for item in (fact, {**fact, "at": {"S": STRANGER}}):
        with pytest.raises(invocations.WorkFailedError):
            functions.relay(stream_event([item]))
    read, unreadable = (vars(one) for one in caplog.records if hasattr(one, "record"))
    assert (read["record"], read["fact"]) == ("1", fact["name"]["S"])
    assert read["correlation"] == fact["correlation"]["S"]
    assert unreadable["record"] == "1"
    assert "fact" not in unreadable
