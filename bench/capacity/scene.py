"""The real functions on a small AWS, one execution after the other, each recorded under its name.

What AWS does between them is done by hand: `work_off` hands facts to `relay` and messages to their
functions until nothing is left; `count_facts` hands facts to `project` in full batches, as they
come when there are many.
"""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from email import message_from_bytes, policy
from random import Random
from typing import Any, TypeVar

from botocore.awsrequest import AWSResponse

from bench.capacity import deployed
from bench.capacity.keys import Sample
from bench.capacity.limits import TRANSACTION_FACTOR, Kind
from bench.capacity.recording import TABLE, Recorded, Recorder, write_units
from bench.capacity.simulation import Request, Resource
from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import entity_of
from chalicelib.domain.effects import Queue
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import Change, Insert, Ports, Replace
from tests import functions
from tests.api.gateway import Answer
from tests.api.gateway import Request as HttpRequest
from tests.api.requests import CONFIRMATION, invitations
from tests.api.world import (
    BUCKET,
    CAMPAIGN,
    campaign_like_demo,
    drop_event,
    posting,
    queue_event,
    stream_event,
)
from tests.simulation.cloud import Cloud, cloud
from tests.simulation.machine import HANDLERS, Machine
from tests.simulation.people import People
from tests.simulation.wire import Call

E = TypeVar("E", bound=Entity)

STREAM_BATCH = deployed.batch_size("ProjectSource")
A_COMMIT = 50  # things that are stored in one transaction
WRITES = frozenset({"dynamodb:TransactWriteItems", "dynamodb:PutItem"})


class Scene:
    """See the module. Made by `scene()`."""

    def __init__(self, here: Cloud, sponsors: int) -> None:
        self.cloud = here
        self.recorded: defaultdict[str, list[Recorded]] = defaultdict(list)
        self.of_the_file: dict[str, list[Recorded]] = {}
        people = People(here, Machine(here, Random(1)), Random(1), sponsors)
        people.begin()
        self.sessions = people.sessions
        self._recorder = Recorder(here)
        self._relayed = self._counted = len(self._facts())

    @property
    def ports(self) -> Ports:
        """The ports that the functions work with."""
        return self.cloud.aside.ports

    def pass_by(self, **duration: float) -> None:
        """Let time pass; the arguments are those of `timedelta`."""
        self.cloud.now += timedelta(**duration)

    def record(self, name: str, work: Callable[[], object], amount: int = 1) -> Any:
        """Do one execution, and keep what it asked for under its name."""
        with self._recorder.recording() as recorded:
            outcome = work()
        recorded.amount = amount
        self.recorded[name].append(recorded)
        return outcome

    def sample(self, name: str, function: str) -> Sample:
        """What was recorded under a name, as work of that function."""
        share = deployed.processors(function)
        return Sample([one.work(share) for one in self.recorded[name]])

    def units(self, name: str, kind: Kind = Kind.WRITE) -> float:
        """The units of the table, without its indexes, that one thing of a name takes."""
        works = self.recorded[name]
        return sum(one.units(kind) for one in works) / sum(one.amount for one in works)

    def seconds(self, name: str, function: str) -> float:
        """How long all executions of a name took together."""
        share = deployed.processors(function)
        return sum(one.work(share).seconds for one in self.recorded[name])

    def each(self, name: str) -> float:
        """How many executions of a name one of the things that it handles takes."""
        works = self.recorded[name]
        return len(works) / sum(one.amount for one in works)

    # --- what people and the client do -----------------------------------------------------------

    def ask(self, name: str, request: HttpRequest) -> Answer:
        """A call of the API."""
        answer: Answer = self.record(name, lambda: self.cloud.aside.gateway.call(request))
        assert answer.status < 300, answer.body
        return answer

    def invite(self, sponsor: int, *addresses: str) -> None:
        """A sponsor invites these."""
        request = invitations(*addresses, session=self.sessions[sponsor])
        self.ask("api invite", request)

    def confirm_all(self, addresses: Sequence[str]) -> None:
        """Everybody confirms."""
        tokens = self._tokens()
        for address in addresses:
            path = f"/v1/invitations/{tokens[address]}/confirmation"
            self.ask("api confirm", posting(path, CONFIRMATION))

    def drop(self, path: str, content: bytes, rows: int = 1) -> None:
        """The client drops a file."""
        key = f"in/{CAMPAIGN}/{path}"
        self.cloud.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        event = drop_event(key, self.cloud.now)
        area = path.partition("/")[0]
        answer = self.record(f"ingest {area}", lambda: functions.ingest(event), rows)
        assert answer == {"batchItemFailures": []}

    def _tokens(self) -> dict[str, str]:
        tokens = {}
        for recipient, raw in self.cloud.network.mails:
            body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
            assert body is not None
            parts = str(body.get_content()).split("#token=")
            if len(parts) > 1:
                tokens[recipient] = parts[1].split()[0]
        return tokens

    # --- what is there beforehand -----------------------------------------------------------------

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        """Store something, as a transaction of its own."""
        self.ports.repository.commit(*changes, facts=facts)

    @contextmanager
    def interrupted(self, by: Callable[[Call], None]) -> Iterator[None]:
        """Let something happen before each call that is made inside the block."""
        network = self.cloud.network
        passed_on = network.on_call

        def on_call(call: Call, carry_out: Callable[[], AWSResponse]) -> AWSResponse:
            network.on_call = passed_on  # what happens makes calls of its own
            try:
                by(call)
            finally:
                network.on_call = on_call
            return passed_on(call, carry_out)

        network.on_call = on_call
        try:
            yield
        finally:
            network.on_call = passed_on

    def multiply(
        self, kind: type[E], another: Callable[[E, int], E], count: int, start: int = 0
    ) -> None:
        """Store so many more like the one that there was first."""
        one = next(self.stored(kind))
        for first in range(start, start + count, A_COMMIT):
            numbers = range(first, min(first + A_COMMIT, start + count))
            self.commit(*(Insert(another(one, number)) for number in numbers))

    def store_again(self, kind: type[Entity], count: int) -> None:
        """Store some of a kind again, as a change would."""
        for one in list(self.stored(kind))[:count]:
            self.commit(Replace(one))

    def forget_facts(self) -> None:
        """Hand none of the facts written so far to anything."""
        self._relayed = self._counted = len(self._facts())

    def stored(self, kind: type[E]) -> Iterator[E]:
        """All of a kind that are stored."""
        name = schema.ITEM_KINDS[kind].kind
        items = list(self.cloud.table.items.values())
        return (entity_of(kind, dict(one)) for one in items if one.get("kind") == {"S": name})

    # --- what AWS does ---------------------------------------------------------------------------

    def work_off(self) -> None:
        """Hand facts to `relay` and messages to their functions, until nothing is left."""
        while self.relay() or self._work():
            pass

    def work_off_file(self, path: str, content: bytes, rows: int) -> None:
        """The client drops a file; it and messages about its parts are handled, and no fact is
        relayed. `of_the_file` names what was recorded of it.
        """
        recorded = {name: len(executions) for name, executions in self.recorded.items()}
        self.drop(path, content, rows)
        while self._work():
            pass
        self.of_the_file = {
            name: executions[recorded.get(name, 0) :]
            for name, executions in self.recorded.items()
            if len(executions) > recorded.get(name, 0)
        }

    def count_facts(self) -> None:
        """Hand all facts that were not counted yet to `project`."""
        facts = self._facts()[self._counted :]
        self._counted += len(facts)
        for start in range(0, len(facts), STREAM_BATCH):
            self.project(facts[start : start + STREAM_BATCH])

    def project(self, batch: Sequence[Any], name: str = "project") -> None:
        """Hand a batch to `project`; what writing its facts took is recorded beside."""
        self.recorded["facts written"].append(Recorded([facts_written(batch)], 0, len(batch)))
        event = stream_event(batch)
        answer = self.record(name, lambda: functions.project(event), len(batch))
        assert answer == {"batchItemFailures": []}

    def _facts(self) -> list[Any]:
        stream = self.cloud.table.stream
        return [dict(item) for item in stream if item.get("kind") == {"S": "FACT"}]

    def relay(self) -> bool:
        """Hand the next batch of facts to `relay`; whether there were any."""
        facts = self._facts()[self._relayed : self._relayed + STREAM_BATCH]
        if facts:
            self._relayed += len(facts)
            event = stream_event(facts)
            self.record("relay", lambda: functions.relay(event), len(facts))
        return bool(facts)

    def _work(self) -> bool:
        queued = self.cloud.network.queued
        waiting = [(queue, body) for queue, bodies in queued.items() for body in bodies]
        for bodies in queued.values():
            bodies.clear()
        for queue, body in waiting:
            self._handle(queue, body)
        return bool(waiting)

    def _handle(self, queue: str, body: str) -> None:
        content = json.loads(body)
        about = content.get("name") or content.get("agenda") or ""
        event = queue_event([body], queue)
        name = f"{queue} {about}".strip()
        queued = self._queued()
        answer = self.record(name, lambda: HANDLERS[queue](event))
        if queue == Queue.DUE:
            # What it was for was written, or queued.
            message = self.recorded[name][-1]
            written = sum(request.name in WRITES for request in message.requests)
            message.amount = max(1, written, self._queued() - queued)
        assert answer == {"batchItemFailures": []}, (queue, about)

    def _queued(self) -> int:
        return sum(map(len, self.cloud.network.queued.values()))


def facts_written(batch: Sequence[Any]) -> Request:
    """What the transactions took that wrote these facts, of the facts' partitions alone."""
    takes: Counter[Resource] = Counter()
    for item in batch:
        partition = Resource(Kind.WRITE, TABLE, item["pk"]["S"])
        takes[partition] += TRANSACTION_FACTOR * write_units(None, item)
    return Request("facts written", 0, dict(takes))


def strangers(count: int, start: int = 0) -> list[str]:
    """Addresses that are on no list."""
    return [f"stranger{number}@mail.test" for number in range(start, start + count)]


@contextmanager
def scene(sponsors: int, *, lags: bool = False, **changes: object) -> Iterator[Scene]:
    """A new small AWS with a campaign, lists and sponsors' sessions; `changes` of the campaign."""
    with cloud(seed=1, as_deployed=True) as here, redirect_stdout(io.StringIO()):
        made = Scene(here, sponsors)
        if changes:
            put_campaign(made.ports, campaign_like_demo(**changes))
            made.pass_by(minutes=1)
        here.table.lags = lags
        yield made
