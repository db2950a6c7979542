"""A stream and Lambda's event source mapping on it, as AWS documents them.

* **Shards** split: a record goes to the open shard of its key; a child is read once its parent is.
* **Batches** hold up to `batch_size` records in sequence, of one lane of one shard
  (`ParallelizationFactor`), or fewer, when the batching window ends first.
* A call that **fails** is halved (`BisectBatchOnFunctionError`), which costs no retry; a batch of
  one is tried again.
* An answer that **names records** (`ReportBatchItemFailures`) cuts the batch at the lowest
  number: what is before it is done, the rest is tried again. A batch cut at its first record
  stays as it is. An answer that names no record of the batch is a failed call.
* After `retries` or at `max_age` the batch is **given up**: its place, not its records, is sent to
  the on-failure destination. The places of neighbours may come in one message.

Where the documentation leaves something open it is decided against the function: a batch that was
cut keeps the retries it has used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zlib import crc32

Event = dict[str, Any]
Handler = Callable[[Event], Event]

FIRST_SEQUENCE_NUMBER = 1_000_000_000_000_000_000_000


@dataclass(frozen=True)
class Entry:
    """A record of a shard."""

    sequence: int
    at: datetime
    key: str
    record: Event


@dataclass
class Shard:
    """A shard, with the keys it holds: those whose hash is in `keys`."""

    shard_id: str
    keys: range
    parent: Shard | None = None
    entries: list[Entry] = field(default_factory=list)
    is_open: bool = True


class Stream:
    """The stream of a table: shards that split while records are written."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._next = FIRST_SEQUENCE_NUMBER
        self.shards = [Shard("shardId-0", range(1 << 32))]

    def put(self, image: Event) -> Entry:
        """The insertion of an item."""
        self._next += 1
        keys = {name: image[name] for name in ("pk", "sk")}
        record = {
            "eventID": f"{self._next:032x}",
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": keys, "SequenceNumber": str(self._next), "NewImage": image},
        }
        key = image["pk"]["S"]
        entry = Entry(self._next, self._clock(), key, record)
        hashed = crc32(key.encode())
        shard = next(one for one in self.shards if one.is_open and hashed in one.keys)
        shard.entries.append(entry)
        return entry

    def split(self, shard: Shard) -> None:
        """Close a shard; its keys go to two new ones."""
        shard.is_open = False
        middle = (shard.keys.start + shard.keys.stop) // 2
        for keys in (range(shard.keys.start, middle), range(middle, shard.keys.stop)):
            self.shards.append(Shard(f"shardId-{len(self.shards)}", keys, shard))

    def read(self, shard_id: str, first: int, last: int) -> list[Event]:
        """The records of a shard in a range of sequence numbers, as its iterator gives them."""
        shard = next(one for one in self.shards if one.shard_id == shard_id)
        return [one.record for one in shard.entries if first <= one.sequence <= last]


@dataclass(frozen=True)
class Mapping:
    """The settings of an event source mapping."""

    function_arn: str = "arn:aws:lambda:eu-west-3:123456789012:function:tandem-test-relay"
    stream_arn: str = "arn:aws:dynamodb:eu-west-3:123456789012:table/tandem-test/stream/label"
    batch_size: int = 98
    retries: int = 20
    max_age: timedelta = timedelta(days=1)
    bisects: bool = True
    reports_failures: bool = True
    lanes: int = 1


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one lane of a shard, and the retries they have used."""

    shard: Shard
    entries: tuple[Entry, ...]
    retries: int = 0


class EventSource:
    """Lambda between a stream and one function. `faults`: calls that fail whatever they would
    answer, some of them after the work was done; never more than three in a row for one batch.
    """

    def __init__(
        self,
        stream: Stream,
        handler: Handler,
        clock: Callable[[], datetime],
        chance: Random,
        mapping: Mapping | None = None,
        *,
        faults: float = 0.0,
    ) -> None:
        self._stream, self._handler, self._clock = stream, handler, clock
        self._chance, self.mapping, self._faults = chance, mapping or Mapping(), faults
        self._read: dict[str, int] = {}
        self._lanes: dict[tuple[str, int], deque[Batch]] = {}
        self._faults_in_a_row = 0
        self.given_up: list[Batch] = []
        self.dead: list[Event] = []
        self.calls = 0

    def run(self) -> None:
        """Call the function until every record is done or given up."""
        while ready := [lane for lane in self._ready_lanes() if lane]:
            self._work_on(self._chance.choice(ready))

    def _ready_lanes(self) -> Iterator[deque[Batch]]:
        for shard in self._stream.shards:
            if shard.parent and self._is_pending(shard.parent):
                continue  # parents before children
            self._make_batches(shard)
            for lane in range(self.mapping.lanes):
                yield self._lanes.setdefault((shard.shard_id, lane), deque())

    def _is_pending(self, shard: Shard) -> bool:
        unread = self._read.get(shard.shard_id, 0) < len(shard.entries)
        is_later = shard.parent is not None and self._is_pending(shard.parent)
        lanes = range(self.mapping.lanes)
        return is_later or unread or any(self._lanes.get((shard.shard_id, one)) for one in lanes)

    def _make_batches(self, shard: Shard) -> None:
        unread = shard.entries[self._read.get(shard.shard_id, 0) :]
        self._read[shard.shard_id] = len(shard.entries)
        for lane in range(self.mapping.lanes):
            own = [one for one in unread if crc32(one.key.encode()) % self.mapping.lanes == lane]
            batches = self._lanes.setdefault((shard.shard_id, lane), deque())
            while own:
                # The batching window may end before a batch is full.
                size = self._chance.choice((1, self.mapping.batch_size, self.mapping.batch_size))
                batches.append(Batch(shard, tuple(own[:size])))
                own = own[size:]

    def _work_on(self, lane: deque[Batch]) -> None:
        batch = lane.popleft()
        young = [one for one in batch.entries if self._age(one) < self.mapping.max_age]
        if len(young) < len(batch.entries):
            old = tuple(one for one in batch.entries if one not in young)
            self._give_up(replace(batch, entries=old), "RecordAgeExceeded")
            batch = replace(batch, entries=tuple(young))
        if batch.entries:
            lane.extendleft(reversed(self._left_after_a_call(batch)))

    def _age(self, entry: Entry) -> timedelta:
        return self._clock() - entry.at

    def _left_after_a_call(self, batch: Batch) -> list[Batch]:
        """What the lane delivers next of the batch."""
        numbers = [str(one.sequence) for one in batch.entries]
        named = self._answer(batch)
        if named is not None and not (named and self.mapping.reports_failures):
            return []
        if named is None or not set(named) <= set(numbers):
            halves = self.mapping.bisects and len(numbers) > 1
            return self._halved(batch) if halves else self._again(batch)
        at = min(map(numbers.index, named))
        return self._again(replace(batch, entries=batch.entries[at:]))

    def _halved(self, batch: Batch) -> list[Batch]:
        middle = len(batch.entries) // 2
        halves = (batch.entries[:middle], batch.entries[middle:])
        return [replace(batch, entries=half) for half in halves]

    def _again(self, batch: Batch) -> list[Batch]:
        if batch.retries == self.mapping.retries:
            self._give_up(batch, "RetryAttemptsExhausted")
            return []
        return [replace(batch, retries=batch.retries + 1)]

    def _answer(self, batch: Batch) -> list[Any] | None:
        """The identifiers that the function names; None for a call that failed."""
        self.calls += 1
        is_fault = self._faults_in_a_row < 3 and self._chance.random() < self._faults
        self._faults_in_a_row = self._faults_in_a_row + 1 if is_fault else 0
        if is_fault and self._chance.random() < 0.5:
            return None  # killed before it began; otherwise its answer is lost
        try:
            answer = self._handler({"Records": [one.record for one in batch.entries]})
        except Exception:
            return None
        if is_fault:
            return None
        return [one.get("itemIdentifier") for one in (answer or {}).get("batchItemFailures") or ()]

    def _give_up(self, batch: Batch, condition: str) -> None:
        self.given_up.append(batch)
        first, last = batch.entries[0], batch.entries[-1]
        place = {
            "shardId": batch.shard.shard_id,
            "startSequenceNumber": str(first.sequence),
            "endSequenceNumber": str(last.sequence),
            "approximateArrivalOfFirstRecord": first.at.isoformat(),
            "approximateArrivalOfLastRecord": last.at.isoformat(),
            "batchSize": len(batch.entries),
            "streamArn": self.mapping.stream_arn,
        }
        previous = self.dead[-1] if self.dead else None
        if previous and self._is_one_message(previous, place, condition):
            merged = previous["DDBStreamBatchInfo"]
            merged["endSequenceNumber"] = place["endSequenceNumber"]
            merged["approximateArrivalOfLastRecord"] = place["approximateArrivalOfLastRecord"]
            merged["batchSize"] += place["batchSize"]
            return
        context = {
            "requestId": f"{len(self.dead):032x}",
            "functionArn": self.mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": batch.retries + 1,
        }
        self.dead.append(
            {
                "requestContext": context,
                "version": "1.0",
                "timestamp": self._clock().isoformat(),
                "DDBStreamBatchInfo": place,
            }
        )

    def _is_one_message(self, previous: Event, place: Event, condition: str) -> bool:
        info = previous["DDBStreamBatchInfo"]
        return (
            self.mapping.lanes == 1
            and info["shardId"] == place["shardId"]
            and int(info["endSequenceNumber"]) < int(place["startSequenceNumber"])
            and previous["requestContext"]["condition"] == condition
            and self._chance.random() < 0.3
        )
