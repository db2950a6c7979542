"""The event source that the other tests rely on is as strict as Lambda's: a function that answers
wrongly loses innocent records.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.fakes.event_source import Event, EventSource, Mapping, Stream
from tests.fakes.ports import SettableClock

RECORDS = 60
POISONED = 41

Answer = Callable[[Event], Event]


def stream_of(records: int, clock: SettableClock) -> Stream:
    stream = Stream(clock)
    for number in range(records):
        stream.put({"pk": {"S": f"FACT#{number}"}, "sk": {"S": "1"}, "number": {"N": str(number)}})
    return stream


def numbers(event: Event) -> list[int]:
    return [int(record["dynamodb"]["NewImage"]["number"]["N"]) for record in event["Records"]]


def names(event: Event, *places: int) -> Event:
    identifiers = [event["Records"][place]["dynamodb"]["SequenceNumber"] for place in places]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]}


def fails_whole(event: Event) -> Event:
    if POISONED in numbers(event):
        raise ValueError("poisoned")
    return {}


def names_the_first(event: Event) -> Event:
    return names(event, 0) if POISONED in numbers(event) else {}


def names_what_failed(event: Event) -> Event:
    return names(event, numbers(event).index(POISONED)) if POISONED in numbers(event) else {}


def names_nothing_of_the_batch(event: Event) -> Event:
    unknown: Event = {"batchItemFailures": [{"itemIdentifier": "1"}]}
    return unknown if POISONED in numbers(event) else {}


def run(answer: Answer, **settings: Any) -> EventSource:
    clock = SettableClock()
    source = EventSource(stream_of(RECORDS, clock), answer, clock, Random(4), Mapping(**settings))
    source.run()
    return source


def given_up(source: EventSource) -> set[int]:
    entries = [entry for batch in source.given_up for entry in batch.entries]
    return {int(one.record["dynamodb"]["NewImage"]["number"]["N"]) for one in entries}


@pytest.mark.parametrize(
    ("answer", "settings", "innocent"),
    [
        (fails_whole, {}, False),
        (names_nothing_of_the_batch, {}, False),
        (fails_whole, {"bisects": False}, True),
        (names_the_first, {}, True),
        # It is the first record of what is left, and is then named as the first one.
        (names_what_failed, {}, True),
    ],
)
def test_a_batch_is_narrowed_down_only_by_calls_that_fail(
    answer: Answer, settings: dict[str, Any], innocent: bool
) -> None:
    lost = given_up(run(answer, **settings))
    assert POISONED in lost
    assert (len(lost) > 1) is innocent


def test_answers_count_only_where_the_mapping_reads_them() -> None:
    assert given_up(run(names_what_failed, reports_failures=False)) == set()


def test_a_record_is_tried_as_often_as_configured_and_its_place_is_sent_on() -> None:
    tried: list[int] = []

    def answer(event: Event) -> Event:
        tried.extend(numbers(event))
        return fails_whole(event)

    source = run(answer, retries=2, batch_size=1)
    assert tried.count(POISONED) == 3
    [dead] = source.dead
    place = dead["DDBStreamBatchInfo"]
    assert dead["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert place["batchSize"] == 1
    first, last = int(place["startSequenceNumber"]), int(place["endSequenceNumber"])
    [record] = source._stream.read(place["shardId"], first, last)
    assert numbers({"Records": [record]}) == [POISONED]
    assert "NewImage" not in str(dead)


def test_records_that_are_too_old_are_given_up_without_a_call() -> None:
    clock = SettableClock()
    stream = stream_of(3, clock)
    clock.advance(hours=25)
    stream.put({"pk": {"S": "FACT#3"}, "sk": {"S": "1"}, "number": {"N": "3"}})
    seen: list[int] = []

    def answer(event: Event) -> Event:
        seen.extend(numbers(event))
        return {}

    mapping = Mapping(max_age=timedelta(days=1))
    source = EventSource(stream, answer, clock, Random(4), mapping)
    source.run()
    assert (seen, given_up(source)) == ([3], {0, 1, 2})


def test_of_a_split_shard_the_parent_is_read_before_its_children() -> None:
    clock = SettableClock()
    stream = stream_of(20, clock)
    stream.split(stream.shards[0])
    for number in range(20, 40):
        stream.put({"pk": {"S": f"FACT#{number}"}, "sk": {"S": "1"}, "number": {"N": str(number)}})
    seen: list[int] = []

    def answer(event: Event) -> Event:
        seen.extend(numbers(event))
        return {}

    EventSource(stream, answer, clock, Random(4), Mapping(batch_size=3)).run()
    assert set(seen[:20]) == set(range(20))
    assert seen[20:] != sorted(seen[20:]), "the children are read beside each other"
