"""The stage on which alarms are made to ring: a world, its clock and its metrics, and queues that
are played minute by minute, with the metrics that SQS and Lambda publish of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.codec import fact_json, fact_of
from chalicelib.domain.facts import Fact, FactBody, FactName
from infra.postprocess import FUNCTIONS
from tests.api.world import CAMPAIGN, START, Event, StoppedClock, World, queue_event
from tests.infra.cloudwatch import Metrics, Resolver, Template

Consumer = Callable[[Event], Event]


class Crash(BaseException):
    """The end of a process: out of memory, or out of time."""


@dataclass
class Message:
    """A message of a queue that is played."""

    body: str
    sent_at: datetime
    visible_at: datetime
    receives: int = 0


@dataclass
class Scene:
    """Metrics, and a world that some of them come of: it is made for the scenes that need one."""

    make_world: Callable[[], World]
    template: Template
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    metrics: Metrics = field(default_factory=Metrics)
    clock: StoppedClock = field(default_factory=StoppedClock)

    def __post_init__(self) -> None:
        self.resolve = Resolver(self.template, {"Stage": "test"})

    @cached_property
    def world(self) -> World:
        """The world, with the clock of the scene from here on."""
        assert self.minute == 0
        made = self.make_world()
        self.clock = made.clock
        return made

    @property
    def minute(self) -> int:
        """The minutes since the beginning."""
        return int((self.clock() - START).total_seconds() // 60)

    def enter_world(self) -> None:
        """Have a world, before anything of ours is called."""
        assert self.world.clock is self.clock

    def collect(self) -> None:
        """What the functions have counted up to now, as of this minute."""
        self.metrics.put_emf(self.minute, self.capsys.readouterr().out)

    def pass_by(self, **duration: float) -> None:
        """Let time pass."""
        self.collect()
        self.clock.pass_by(**duration)

    def aws(self, namespace: str, name: str, *values: float, **by: str) -> None:
        """What AWS publishes of itself in this minute."""
        self.metrics.put(self.minute, namespace, name, *values, **by)

    def happens(self, body: FactBody, times: int = 1) -> None:
        """Something happens, and the projector counts it."""
        facts = [
            Fact.of(body, fact_id=f"f{number}", campaign=CAMPAIGN, subject=f"s{number}",
                    at=self.world.clock(), correlation="k")
            for number in range(times)
        ]  # fmt: skip
        for fact in facts:
            self.world.ports.repository.commit(facts=[fact])
        self.world.run()

    def newest(self, name: FactName) -> str:
        """The newest fact of that name, as a queue has it."""
        return fact_json(
            fact_of([one for one in self.world.facts() if one["name"]["S"] == name][-1])
        )

    def breaks(self, place: str, error: BaseException) -> None:
        """From now on a function of ours, or of AWS, fails."""

        self.enter_world()

        def broken(*_: object, **__: object) -> Any:
            raise error

        self.monkeypatch.setattr(place, broken)

    def function(self, logical_id: str) -> str:
        """The name of a function."""
        return f"tandem-test-{FUNCTIONS[logical_id].name}"


class ThrottledError(Exception):
    """Lambda does not call the function: it has no execution left, or may have none."""


class Queue:
    """A queue of the template and its consumer, minute by minute; None takes nothing."""

    def __init__(self, scene: Scene, logical_id: str, consumer: Consumer | None) -> None:
        self._scene = scene
        self._consumer = consumer
        if consumer:
            scene.enter_world()
        self._messages: list[Message] = []
        self._taken: Message | None = None
        self._received = 0
        self._dead = 0
        properties = scene.resolve(scene.template["Resources"][f"{logical_id}Queue"]["Properties"])
        self._name = properties["QueueName"]
        self._visibility = timedelta(seconds=properties["VisibilityTimeout"])
        self._most = properties["RedrivePolicy"]["maxReceiveCount"]
        source = scene.template["Resources"][f"{logical_id}Source"]["Properties"]
        self._function = scene.function(source["FunctionName"]["Ref"])
        scene.monkeypatch.setattr(
            "chalicelib.adapters.sqs.WorkQueues.postpone",
            lambda _ports, _queue, _receipt, seconds: self._postpone(seconds),
        )

    @property
    def _now(self) -> datetime:
        return self._scene.clock()

    def send(self, body: str) -> None:
        """Put a message into it."""
        self._messages.append(Message(body, self._now, self._now))

    def is_left_alone(self) -> None:
        """From now on nobody takes from it."""
        self._consumer = None

    def was_received(self, times: int) -> bool:
        """Whether each of its messages was received so often."""
        return all(one.receives >= times for one in self._messages)

    def play(self, minutes: int, *beside: Queue) -> None:
        """Let minutes pass, with all deliveries that fall into them, of other queues too."""
        ends = self._now + timedelta(minutes=minutes)
        while self._now < ends:
            next_minute = START + timedelta(minutes=self._scene.minute + 1)
            for queue in (self, *beside):
                queue._publish(queue._deliveries(next_minute))
            self._scene.pass_by(seconds=(next_minute - self._now).total_seconds())

    def _deliveries(self, until: datetime) -> int:
        done = 0
        while self._consumer:
            due = [one for one in self._messages if one.visible_at < until]
            message = min(due, key=lambda one: one.visible_at, default=None)
            if message is None:
                break
            self._scene.pass_by(seconds=max(0.0, (message.visible_at - self._now).total_seconds()))
            done += self._deliver(self._consumer, message)
        return done

    def _deliver(self, consumer: Consumer, message: Message) -> bool:
        if message.receives == self._most:
            self._messages.remove(message)
            self._dead += 1
            return False
        message.receives += 1
        self._received += 1
        message.visible_at = self._now + self._visibility
        self._taken = message
        event = queue_event([message.body], self._name, message.receives, message.sent_at)
        crashed = False
        try:
            failed = consumer(event)["batchItemFailures"]
        except ThrottledError:
            # What Lambda does not call is no call of the function, and no error of it.
            self._scene.aws("AWS/Lambda", "Throttles", 1, FunctionName=self._function)
            return False
        except Crash:
            failed, crashed = [event], True
        self._scene.aws("AWS/Lambda", "Invocations", 1, FunctionName=self._function)
        self._scene.aws("AWS/Lambda", "Errors", float(crashed), FunctionName=self._function)
        if not failed:
            self._messages.remove(message)
        return not failed

    def _postpone(self, seconds: int) -> None:
        assert self._taken
        self._taken.visible_at = self._now + timedelta(seconds=seconds)

    def _publish(self, done: int) -> None:
        visible = sum(one.visible_at <= self._now for one in self._messages)
        # What was received three times or more is left out of the age.
        ages = [
            (self._now - one.sent_at).total_seconds() for one in self._messages if one.receives < 3
        ]
        published = {
            "ApproximateNumberOfMessagesVisible": visible,
            "ApproximateNumberOfMessagesNotVisible": len(self._messages) - visible,
            "NumberOfMessagesReceived": self._received,
            "NumberOfMessagesDeleted": done,
            "ApproximateAgeOfOldestMessage": max(ages, default=0.0),
        }
        self._received = 0
        for name, value in published.items():
            self._scene.aws("AWS/SQS", name, value, QueueName=self._name)
        self._scene.aws(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            self._dead,
            QueueName=f"{self._name}-dead",
        )
