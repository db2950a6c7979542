"""What AWS does between the functions: stream batches, queue messages, schedules, by seed.

`Machine.ready` names the work that may begin now; `begin` starts one of it on a process of its own.
Delivery is at least once and in any order where AWS says so: a batch of the stream that failed
comes again, smaller; a queue's message may come twice, and comes again until it is accepted. SES
reports each mail that left, once or twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from functools import partial
from random import Random
from typing import Any

from chalicelib import functions
from chalicelib.domain.effects import Queue
from tests.api.world import CONSUMERS, queue_event, stream_event
from tests.simulation.cloud import Cloud
from tests.simulation.scheduler import Worker

CLOCKS = timedelta(minutes=5)  # the most that a process' clock is wrong by
SCHEDULES = ("export", "expire", "reconcile", "report", "seal")
_HANDLERS: dict[str, Callable[[Any], object]] = {
    **{queue.value: handler for queue, handler in CONSUMERS.items()},
    Queue.INGEST: functions.ingest,
    "mail_events": functions.mail_events,
}
PARALLEL = 2  # of each schedule and queue


@dataclass
class _Reader:
    """A function behind the stream: how far it is, and what to read next."""

    position: int = 0
    size: int = 8
    busy: bool = False


@dataclass
class _Message:
    body: str


@dataclass
class Machine:
    """See the module."""

    cloud: Cloud
    chance: Random
    faults: bool = True
    _readers: dict[str, _Reader] = field(
        default_factory=lambda: {"relay": _Reader(), "project": _Reader()}
    )
    _waiting: dict[str, list[_Message]] = field(default_factory=dict)
    _running: dict[str, int] = field(default_factory=dict)
    _reported: int = 0  # mails
    _ends: dict[int, Callable[[Worker], None]] = field(default_factory=dict)

    def begin(
        self, name: str, work: Callable[[], object], at_end: Callable[[Worker], None] | None = None
    ) -> None:
        """Start work on a new process; `at_end` is called when it has ended."""
        skew = self.chance.uniform(-1, 1) * CLOCKS if self.faults else timedelta()
        worker = self.cloud.scheduler.start(name, work, self.cloud.process(skew))
        if at_end:
            self._ends[id(worker)] = at_end
        self.settle(worker)

    def settle(self, worker: Worker) -> None:
        """To be called after each step: what follows from work that has ended."""
        if worker.done and (at_end := self._ends.pop(id(worker), None)):
            at_end(worker)

    def ready(self) -> list[Callable[[], None]]:
        """The work that may begin now."""
        self._receive()
        ready: list[Callable[[], None]] = []
        for name, reader in self._readers.items():
            if not reader.busy and reader.position < len(self._facts()):
                ready.append(partial(self._read, name, reader))
        for queue, messages in self._waiting.items():
            if messages and self._running.get(queue, 0) < PARALLEL:
                ready.append(partial(self._deliver, queue))
        return ready

    def scheduled(self) -> list[Callable[[], None]]:
        """The schedules that may fire now."""
        return [
            partial(self._fire, name) for name in SCHEDULES if self._running.get(name, 0) < PARALLEL
        ]

    def drop(self, path: str) -> None:
        """S3 reports a file under `in/`."""
        record = {
            "eventTime": self.cloud.now.isoformat(),
            "s3": {"object": {"key": path, "sequencer": "00"}},
        }
        self._waiting.setdefault(Queue.INGEST, []).append(
            _Message(json.dumps({"Records": [record]}))
        )

    def ses_event(self, kind: str, mail_id: str, **more: object) -> None:
        """SES reports what became of a mail."""
        notice = {
            "eventType": kind,
            "mail": {"messageId": "ses-0", "tags": {"mail_id": [mail_id]}},
            **more,
        }
        self._waiting.setdefault("mail_events", []).append(
            _Message(json.dumps({"Message": json.dumps(notice)}))
        )

    # --- the stream ------------------------------------------------------------------------------

    def _facts(self) -> list[dict[str, Any]]:
        return [dict(item) for item in self.cloud.table.stream if item.get("kind") == {"S": "FACT"}]

    def _read(self, name: str, reader: _Reader) -> None:
        facts = self._facts()
        again = self.chance.choice((0, 0, 0, 1, 3)) if self.faults else 0
        start = max(0, reader.position - again)
        end = min(len(facts), reader.position + self.chance.randint(1, reader.size))
        reader.busy = True

        def at_end(worker: Worker) -> None:
            reader.busy = False
            failed = worker.killed or worker.error or _failures(worker)
            reader.size = max(1, reader.size // 2) if failed else 8
            if not failed:
                reader.position = max(reader.position, end)

        handler = getattr(functions, name)
        self.begin(name, partial(handler, stream_event(facts[start:end])), at_end)

    # --- the queues ------------------------------------------------------------------------------

    def _receive(self) -> None:
        for queue, bodies in self.cloud.network.queued.items():
            self._waiting.setdefault(queue, []).extend(map(_Message, bodies))
            bodies.clear()
        mails = self.cloud.network.mails
        for _, raw in mails[self._reported :]:
            mail_id = str(message_from_bytes(raw)["Message-ID"]).strip("<>").partition("@")[0]
            for _ in range(self.chance.choice((1, 1, 2))):
                self.ses_event("Send", mail_id)
        self._reported = len(mails)

    def _deliver(self, queue: str) -> None:
        messages = self._waiting[queue]
        self.chance.shuffle(messages)
        batch = [messages.pop() for _ in range(min(len(messages), self.chance.randint(1, 3)))]
        by_id = {
            record["messageId"]: message
            for message in batch
            for record in queue_event([message.body])["Records"]
        }

        def at_end(worker: Worker) -> None:
            self._running[queue] -= 1
            failed = set(by_id) if worker.killed or worker.error else _failures(worker)
            twice = self.faults and self.chance.random() < 0.1
            messages.extend(one for key, one in by_id.items() if key in failed or twice)

        self._running[queue] = self._running.get(queue, 0) + 1
        event = queue_event([message.body for message in by_id.values()], queue)
        self.begin(queue, partial(_HANDLERS[queue], event), at_end)

    # --- schedules -------------------------------------------------------------------------------

    def _fire(self, name: str) -> None:
        def at_end(_: Worker) -> None:
            self._running[name] -= 1

        self._running[name] = self._running.get(name, 0) + 1
        self.begin(name, getattr(functions, name), at_end)


def _failures(worker: Worker) -> set[str]:
    answer = worker.outcome
    failures = answer.get("batchItemFailures", ()) if isinstance(answer, dict) else ()
    return {failure["itemIdentifier"] for failure in failures}
