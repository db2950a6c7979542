"""What AWS does between the functions: stream batches, queue messages, schedules, by seed.

`Machine.ready` names the work that may begin now; `begin` starts one of it on a process of its own.
Delivery is at least once and in any order where AWS says so: a batch of the stream that failed
comes again, smaller; a queue's message may come twice, and comes again until it is accepted. SES
reports each mail that left, once or twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from functools import partial
from random import Random
from typing import Any

from chalicelib.domain.effects import Queue
from tests import functions
from tests.api.world import CONSUMERS, queue_event, stream_event
from tests.simulation.cloud import CLOCKS, Cloud
from tests.simulation.scheduler import Worker

SCHEDULES = ("expire", "reconcile", "export", "report", "seal", "root")
HANDLERS: dict[str, Callable[[Any], object]] = {
    **{queue.value: handler for queue, handler in CONSUMERS.items()},
    Queue.INGEST: functions.ingest,
    "mail_events": functions.mail_events,
}
PARALLEL = 2  # of each schedule and queue
SES_DETAILS: Mapping[str, Mapping[str, object]] = {
    "Bounce": {"bounce": {"bounceType": "Permanent", "bounceSubType": "General"}},
    "Complaint": {"complaint": {}},
}
INVISIBLE = timedelta(minutes=6)  # how long a queue waits for a message that was not accepted


@dataclass
class _Reader:
    """A function behind the stream: how far it is, and what to read next."""

    position: int = 0
    size: int = 8
    busy: bool = False


@dataclass
class _Message:
    body: str
    visible_at: datetime


@dataclass
class Machine:
    """See the module."""

    cloud: Cloud
    chance: Random
    faults: bool = True
    held: set[str] = field(default_factory=set)  # functions that nothing is delivered to
    _readers: dict[str, _Reader] = field(
        default_factory=lambda: {"relay": _Reader(), "project": _Reader()}
    )
    _waiting: dict[str, list[_Message]] = field(default_factory=dict)
    _running: dict[str, int] = field(default_factory=dict)
    _reported: int = 0  # mails
    _stream: object = None
    _seen: int = 0  # records of the stream
    _stream_facts: list[dict[str, Any]] = field(default_factory=list)
    _ends: dict[int, Callable[[Worker], None]] = field(default_factory=dict)

    def begin(
        self, name: str, work: Callable[[], object], at_end: Callable[[Worker], None] | None = None
    ) -> Worker:
        """Start work on a new process; `at_end` is called when it has ended."""
        skew = self.chance.uniform(-1, 1) * CLOCKS if self.faults else timedelta()
        worker = self.cloud.scheduler.start(name, work, self.cloud.process(skew))
        if at_end:
            self._ends[id(worker)] = at_end
        self.settle(worker)
        return worker

    def settle(self, worker: Worker) -> None:
        """To be called after each step: what follows from work that has ended."""
        if worker.done and (at_end := self._ends.pop(id(worker), None)):
            at_end(worker)

    def ready(self) -> list[Callable[[], Worker]]:
        """The work that may begin now."""
        self._receive()
        ready: list[Callable[[], Worker]] = []
        for name, reader in self._readers.items():
            free = name not in self.held and not reader.busy
            if free and reader.position < len(self._facts()):
                ready.append(partial(self._read, name, reader))
        for queue in self._waiting:
            free = queue not in self.held and self._running.get(queue, 0) < PARALLEL
            if free and self._visible(queue):
                ready.append(partial(self._deliver, queue))
        return ready

    def next_at(self) -> datetime | None:
        """When the next message is visible, None when none waits."""
        waiting = (queue for queue in self._waiting if queue not in self.held)
        return min(
            (one.visible_at for queue in waiting for one in self._waiting[queue]), default=None
        )

    def scheduled(self) -> list[Callable[[], Worker]]:
        """The schedules that may fire now."""
        return [
            partial(self._fire, name) for name in SCHEDULES if self._running.get(name, 0) < PARALLEL
        ]

    def deliver(self, name: str) -> Worker:
        """Begin what waits for this function, queue or schedule, all of it in one call."""
        self._receive()
        if name in SCHEDULES:
            return self._fire(name)
        if name in self._readers:
            return self._read(name, self._readers[name], whole=True)
        return self._deliver(name, whole=True)

    def forget(self, name: str) -> None:
        """Lose what waits for a function behind the stream, or in a queue."""
        self._receive()
        if name in self._readers:
            self._readers[name].position = len(self._facts())
        else:
            self._waiting.pop(name, None)

    def save(self) -> Callable[[], None]:
        """What brings back how far everything is now. No work may be under way."""
        assert not self._ends
        kept = deepcopy((self._readers, self._waiting, self._running, self._reported))
        drawn = self.chance.getstate()

        def restore() -> None:
            self._readers, self._waiting, self._running, self._reported = deepcopy(kept)
            self._ends = {}
            self.chance.setstate(drawn)

        return restore

    def drop(self, path: str) -> None:
        """S3 reports a file under `in/`."""
        record = {
            "eventTime": self.cloud.now.isoformat(),
            "s3": {"object": {"key": path, "sequencer": "00"}},
        }
        self._wait(Queue.INGEST, json.dumps({"Records": [record]}))

    def ses_event(self, kind: str, mail_id: str, **more: object) -> None:
        """SES reports what became of a mail."""
        notice = {
            "eventType": kind,
            "mail": {"messageId": "ses-0", "tags": {"mail_id": [mail_id]}},
            **more,
        }
        self._wait("mail_events", json.dumps({"Message": json.dumps(notice)}))

    # --- the stream ------------------------------------------------------------------------------

    def _facts(self) -> list[dict[str, Any]]:
        stream = self.cloud.table.stream
        if stream is not self._stream:  # a state that was saved is back
            self._stream, self._seen, self._stream_facts = stream, 0, []
        fresh = stream[self._seen :]
        self._seen += len(fresh)
        self._stream_facts += [dict(item) for item in fresh if item.get("kind") == {"S": "FACT"}]
        return self._stream_facts

    def _read(self, name: str, reader: _Reader, *, whole: bool = False) -> Worker:
        facts = self._facts()
        again = self.chance.choice((0, 0, 0, 1, 3)) if self.faults else 0
        start = max(0, reader.position - again)
        size = len(facts) if whole else self.chance.randint(1, reader.size)
        end = min(len(facts), reader.position + size)
        reader.busy = True

        def at_end(worker: Worker) -> None:
            reader.busy = False
            failed = worker.killed or worker.error or _failures(worker)
            reader.size = max(1, reader.size // 2) if failed else 8
            if not failed:
                reader.position = max(reader.position, end)

        handler = getattr(functions, name)
        return self.begin(name, partial(handler, stream_event(facts[start:end])), at_end)

    # --- the queues ------------------------------------------------------------------------------

    def _receive(self) -> None:
        for queue, bodies in self.cloud.network.queued.items():
            for body in bodies:
                self._wait(queue, body)
            bodies.clear()
        mails = self.cloud.network.mails
        for _, raw in mails[self._reported :]:
            mail_id = str(message_from_bytes(raw)["Message-ID"]).strip("<>").partition("@")[0]
            # Some events never come: then age settles a mail that had no answer.
            for _ in range(self.chance.choice((0, 1, 1, 2) if self.faults else (1, 1, 2))):
                self.ses_event("Send", mail_id)
            if self.faults and self.chance.random() < 0.1:
                kind = self.chance.choice(("Bounce", "Complaint", "Delivery"))
                self.ses_event(kind, mail_id, **SES_DETAILS.get(kind, {}))
        self._reported = len(mails)

    def _wait(self, queue: str, body: str) -> None:
        self._waiting.setdefault(queue, []).append(_Message(body, self.cloud.now))

    def _visible(self, queue: str) -> list[_Message]:
        return [one for one in self._waiting[queue] if one.visible_at <= self.cloud.now]

    def _deliver(self, queue: str, *, whole: bool = False) -> Worker:
        messages = self._waiting[queue]
        visible = self._visible(queue)
        self.chance.shuffle(visible)
        batch = visible if whole else visible[: self.chance.randint(1, 3)]
        for message in batch:
            messages.remove(message)
        by_id = {
            record["messageId"]: message
            for message in batch
            for record in queue_event([message.body])["Records"]
        }

        def at_end(worker: Worker) -> None:
            self._running[queue] -= 1
            failed = set(by_id) if worker.killed or worker.error else _failures(worker)
            twice = self.faults and self.chance.random() < 0.1
            # A time-out that is nearly over may end at once.
            later = self.chance.choice((timedelta(), INVISIBLE)) if self.faults else INVISIBLE
            for key, message in by_id.items():
                if key in failed or twice:
                    messages.append(replace(message, visible_at=self.cloud.now + later))

        self._running[queue] = self._running.get(queue, 0) + 1
        event = queue_event([message.body for message in by_id.values()], queue)
        return self.begin(queue, partial(HANDLERS[queue], event), at_end)

    # --- schedules -------------------------------------------------------------------------------

    def _fire(self, name: str) -> Worker:
        def at_end(_: Worker) -> None:
            self._running[name] -= 1

        self._running[name] = self._running.get(name, 0) + 1
        return self.begin(name, getattr(functions, name), at_end)


def _failures(worker: Worker) -> set[str]:
    answer = worker.outcome
    failures = answer.get("batchItemFailures", ()) if isinstance(answer, dict) else ()
    return {failure["itemIdentifier"] for failure in failures}
