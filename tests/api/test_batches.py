"""The answer to a batch of which a part fails: each failure named, the rest done, nothing logged
that a log must not contain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from chalicelib import bootstrap
from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_json, fact_of
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.invocations import WorkFailedError
from chalicelib.pace import at_least
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.ports import Ports
from tests import functions
from tests.api.requests import GOOD
from tests.api.world import (
    CAMPAIGN,
    STRANGER,
    TABLE,
    Event,
    Item,
    World,
    queue_event,
    stream_event,
)

BAD_BODY = f'{{"fact_id": "{STRANGER}"}}'


def test_of_a_queues_batch_what_failed_is_named_and_the_rest_is_done(world: World) -> None:
    world.ask(GOOD["sign_in"](world))
    [asked] = [one for one in world.facts() if one["name"]["S"] == FactName.SIGN_IN_REQUESTED]
    event = queue_event([BAD_BODY, fact_json(fact_of(asked)), "[]"])
    first, _, last = (record["messageId"] for record in event["Records"])
    assert functions.decide(event) == {
        "batchItemFailures": [{"itemIdentifier": first}, {"itemIdentifier": last}]
    }
    assert FactName.SIGN_IN_GRANTED in {one["name"]["S"] for one in world.facts()}


@pytest.mark.usefixtures("world")
def test_a_queues_batch_that_fails_whole_is_answered_all_the_same() -> None:
    event = queue_event([BAD_BODY])
    [record] = event["Records"]
    assert functions.mail(event) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def _granted(world: World) -> str:
    """A sign-in that was granted, as the queue has it."""
    world.ask(GOOD["sign_in"](world))
    functions.decide(queue_event([_newest(world, FactName.SIGN_IN_REQUESTED)]))
    return _newest(world, FactName.SIGN_IN_GRANTED)


def _newest(world: World, name: FactName) -> str:
    found = [one for one in world.facts() if one["name"]["S"] == name]
    return fact_json(fact_of(max(found, key=lambda one: one["at"]["S"])))


@pytest.mark.parametrize(("receives", "seconds"), [(1, 1), (3, 4), (40, 900)])
def test_a_mail_that_the_sender_has_no_room_for_is_postponed_and_counts_as_no_failure(
    world: World,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    receives: int,
    seconds: int,
) -> None:
    postponed: list[tuple[str, str, int]] = []

    def busy(*_: object, **__: object) -> str:
        raise MailNotSentError("TooManyRequestsException", final=False)

    monkeypatch.setattr("chalicelib.adapters.ses.SesMailer.send", busy)
    monkeypatch.setattr(
        "chalicelib.adapters.sqs.WorkQueues.postpone", lambda _, *how: postponed.append(how)
    )
    event = queue_event([_granted(world)], "requested-mail", receives)
    [record] = event["Records"]
    assert functions.mail(event) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert postponed == [("requested-mail", "receipt-0", seconds)]
    assert "the sender is busy" in caplog.messages
    assert {record.levelname for record in caplog.records} == {"INFO", "WARNING"}
    assert "WorkFailed" not in capsys.readouterr().out  # where metrics are written


def test_a_mail_that_cannot_be_postponed_stays_in_its_queue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise MailNotSentError("SendingPausedException", final=False)

    monkeypatch.setattr("chalicelib.adapters.ses.SesMailer.send", broken)
    monkeypatch.setattr("chalicelib.adapters.sqs.WorkQueues.postpone", broken)
    event = queue_event([_granted(world)], "requested-mail")
    assert len(functions.mail(event)["batchItemFailures"]) == 1


@pytest.mark.parametrize(("rate", "seconds"), [("0", 0.0), ("14", 4 / (10 * 0.8))])
def test_the_pace_follows_the_setting_and_the_quota(
    world: World, monkeypatch: pytest.MonkeyPatch, rate: str, seconds: float
) -> None:
    monkeypatch.setenv("TANDEM_MAIL_RATE", rate)
    bootstrap.settings.cache_clear()
    monkeypatch.setattr(type(world.ports.mailer), "rate", lambda _: 10.0)
    assert bootstrap.seconds_for_a_mail() == pytest.approx(seconds)


@pytest.mark.parametrize(("asked", "slept"), [(True, [0.25]), (False, [])])
def test_a_turn_is_as_long_as_asked_for_if_it_was_used(
    monkeypatch: pytest.MonkeyPatch, asked: bool, slept: list[float]
) -> None:
    found: list[float] = []
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    monkeypatch.setattr("time.sleep", found.append)
    with pytest.raises(KeyError), at_least(0.25, when=lambda: asked):
        raise KeyError
    assert found == slept


def test_only_mails_that_nobody_waits_for_keep_the_pace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[float] = []

    @contextmanager
    def at_least(seconds: float, when: Callable[[], bool]) -> Iterator[None]:
        yield
        if when():
            kept.append(seconds)

    monkeypatch.setattr(bootstrap, "seconds_for_a_mail", lambda: 0.25)
    monkeypatch.setattr("chalicelib.functions.mail.at_least", at_least)
    session = world.sign_in()
    assert kept == []
    code = world.link_code(session)
    by_link = {"email": "newcomer.by.link@demo.test"}
    assert world.post(f"/v1/campaigns/{CAMPAIGN}/links/{code}/sign-up", by_link).status == 202
    world.run()
    assert kept == []
    world.invite(session, STRANGER)
    assert kept == [0.25]
    # A repeat of one that was sent does not get to the sender, and keeps nobody waiting.
    functions.mail(queue_event([_newest(world, FactName.INVITATION_ACCEPTED)], "mail"))
    assert kept == [0.25]


CONSUMERS = pytest.mark.parametrize("consumer", [functions.relay, functions.project])
Consumer = Callable[[Event], Event]


def facts(world: World) -> list[Item]:
    """Three facts that nothing has worked on."""
    for _ in range(3):
        world.clock.pass_by(seconds=1)
        world.ask(GOOD["sign_in"](world))
    return world.facts()[-3:]


def poisoned(fact: Item) -> Item:
    return {**fact, "at": {"S": STRANGER}}


def number(event: Event, place: int) -> str:
    return str(event["Records"][place]["dynamodb"]["SequenceNumber"])


def done(world: World) -> tuple[set[str], set[str]]:
    """The ids of the facts that were relayed, and of those that were counted."""
    url = world.clients.sqs.get_queue_url(QueueName=Queue.REQUESTED_DECISION)["QueueUrl"]
    received = world.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    relayed = {fact_from_json(one["Body"]).fact_id for one in received.get("Messages", [])}
    counted = {one["fact_id"]["S"] for one in world.facts() if one["counted"]["BOOL"]}
    return relayed, counted


@CONSUMERS
def test_of_a_streams_batch_the_first_bad_fact_is_named_and_all_others_are_done(
    world: World, capsys: pytest.CaptureFixture[str], consumer: Consumer
) -> None:
    first, second, third = facts(world)
    event = stream_event([first, poisoned(second), third])
    assert consumer(event) == {"batchItemFailures": [{"itemIdentifier": number(event, 1)}]}
    assert {first["fact_id"]["S"], third["fact_id"]["S"]} in done(world)
    assert STRANGER not in capsys.readouterr().out


@CONSUMERS
def test_a_streams_batch_that_begins_with_a_bad_fact_fails_so_that_lambda_halves_it(
    world: World, capsys: pytest.CaptureFixture[str], consumer: Consumer
) -> None:
    first, second, third = facts(world)
    with pytest.raises(WorkFailedError) as caught:
        consumer(stream_event([poisoned(first), second, third]))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert STRANGER not in f"{caught.value}{capsys.readouterr().out}"
    assert {second["fact_id"]["S"], third["fact_id"]["S"]} in done(world)
    assert consumer(stream_event([first])) == {"batchItemFailures": []}


@CONSUMERS
def test_while_nothing_works_a_streams_batch_is_not_tried_record_by_record(
    world: World, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def fails(_: Ports, facts: Sequence[Fact]) -> int:
        tries.append(len(facts))
        raise TimeoutError

    for name in ("relay", "project"):
        monkeypatch.setattr(f"chalicelib.functions.{name}.{name}_facts", fails)
    with pytest.raises(WorkFailedError):
        consumer(stream_event(facts(world)[:1] * 64))
    assert tries == [64, 32, 16, 8, 4, 2, 1, 1, 2, 1]


@CONSUMERS
def test_a_record_that_is_no_new_fact_is_as_bad_as_one_that_cannot_be_read(
    world: World, consumer: Consumer
) -> None:
    first, second, _ = facts(world)
    event = stream_event([first, second])
    event["Records"][1]["eventName"] = "MODIFY"
    assert consumer(event)["batchItemFailures"] == [{"itemIdentifier": number(event, 1)}]
    other = stream_event([first, {**second, "kind": {"S": "INVITATION"}}])
    assert consumer(other)["batchItemFailures"] == [{"itemIdentifier": number(other, 1)}]


@CONSUMERS
def test_a_fact_of_a_later_version_is_no_bad_fact(world: World, consumer: Consumer) -> None:
    first, second, _ = facts(world)
    later = {**second, "name": {"S": "person_cloned"}, "since_version": {"S": "9"}}
    world.clients.dynamodb.put_item(TableName=TABLE, Item=later)
    assert consumer(stream_event([first, later])) == {"batchItemFailures": []}
