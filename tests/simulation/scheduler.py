"""Several workers, one call to AWS at a time, in an order that a seed decides.

Each worker is a greenlet that stops before every call it makes. `Scheduler.step` lets one go on: it
makes its call and runs up to the next one. So an interleaving is a sequence of choices, and a seed
replays it exactly. A fault is a choice too: the call is not made, its answer is lost, AWS refuses
it for a moment, or the worker is killed. A kill after a call is a kill before the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from greenlet import getcurrent, greenlet

from tests.simulation.failure import AwsError
from tests.simulation.wire import Call


class Killed(BaseException):
    """The process ended here. No `except Exception` catches it."""


class Fault(StrEnum):
    """What may happen to a call."""

    NOT_SENT = "not_sent"  # a time-out, and nothing was done
    ANSWER_LOST = "answer_lost"  # a time-out, and it was done
    THROTTLED = "throttled"
    CONFLICT = "conflict"  # another transaction on the same items
    UNAVAILABLE = "unavailable"
    FAILED_AFTER = "failed_after"  # an error of AWS, and it was done
    KILL = "kill"  # the process ends before the call


RANDOM = "ClientRequestToken"  # drawn by botocore, and nothing follows from it
_REFUSALS = {
    Fault.THROTTLED: "ThrottlingException",
    Fault.UNAVAILABLE: "InternalServerError",
    Fault.FAILED_AFTER: "InternalServerError",
}


def faults_of(call: Call) -> tuple[Fault, ...]:
    """What may happen to this call, besides a kill."""
    everywhere = (Fault.NOT_SENT, Fault.ANSWER_LOST, Fault.UNAVAILABLE, Fault.FAILED_AFTER)
    match call.name:
        case "dynamodb:TransactWriteItems":
            return (*everywhere, Fault.THROTTLED, Fault.CONFLICT)
        case "dynamodb:PutItem" | "dynamodb:DeleteItem" | "dynamodb:UpdateItem":
            return (*everywhere, Fault.THROTTLED, Fault.CONFLICT)
        case "s3:PutObject" if call.if_none:
            return (*everywhere, Fault.CONFLICT)
        case "sesv2:SendEmail":
            return (*everywhere, Fault.THROTTLED)
        case _ if call.service == "dynamodb":
            return (*everywhere, Fault.THROTTLED)
        case _:
            return everywhere


@dataclass
class Worker:
    """Work under way. `context` is its process; `outcome` what it returned, once it is done."""

    name: str
    context: Any
    started: greenlet = field(repr=False)
    call: Call | None = None  # that it waits to make
    done: bool = False
    killed: bool = False
    error: Exception | None = None
    outcome: object = None


class Scheduler:
    """See the module."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self.calls = 0
        self._trace = sha256()
        self._hub = getcurrent()

    @property
    def trace(self) -> str:
        """A digest of every call and fault so far, in their order: that of the interleaving."""
        return self._trace.hexdigest()

    def start(self, name: str, work: Callable[[], object], context: Any = None) -> Worker:
        """Start work and run it up to its first call."""
        self._hub = getcurrent()
        worker = Worker(name, context, greenlet(self._run))
        self.workers.append(worker)
        worker.started.switch(worker, work)
        return worker

    def step(self, worker: Worker, fault: Fault | None = None) -> None:
        """Let a worker make its call, or meet a fault, and run up to the next one."""
        self.calls += 1
        self._hub = getcurrent()
        worker.started.switch(fault)

    def finish(self, worker: Worker) -> Worker:
        """Run a worker to its end without faults."""
        while not worker.done:
            self.step(worker)
        return worker

    def current(self) -> Worker | None:
        """The worker that runs now, None outside of all."""
        running = getcurrent()
        return next((one for one in self.workers if one.started is running), None)

    def on_call(self, call: Call, carry_out: Callable[[], AWSResponse]) -> AWSResponse:
        """To be given to the network."""
        worker = self.current()
        if worker is None:
            return carry_out()
        worker.call = call
        fault = cast("Fault | None", self._hub.switch())
        self._note(worker, call, fault)
        match fault:
            case None:
                return carry_out()
            case Fault.KILL:
                raise Killed
            case Fault.NOT_SENT:
                raise ReadTimeoutError(endpoint_url=call.name)
            case Fault.ANSWER_LOST:
                carry_out()
                raise ReadTimeoutError(endpoint_url=call.name)
            case Fault.CONFLICT:
                raise _conflict(call)
            case Fault.FAILED_AFTER:
                carry_out()
                raise AwsError(_REFUSALS[fault])
            case Fault.THROTTLED if call.service == "sesv2":
                raise AwsError("TooManyRequestsException")
            case _:
                raise AwsError(_REFUSALS[fault])

    def _note(self, worker: Worker, call: Call, fault: Fault | None) -> None:
        body = {name: value for name, value in call.body.items() if name != RANDOM}
        noted = [worker.name, call.name, call.target, body, fault]
        self._trace.update(json.dumps(noted).encode())

    def _run(self, worker: Worker, work: Callable[[], object]) -> None:
        try:
            worker.outcome = work()
        except Killed:
            worker.killed = True
        except Exception as error:
            worker.error = error
        worker.done = True
        self.workers.remove(worker)


def _conflict(call: Call) -> AwsError:
    if call.service == "s3":
        return AwsError("ConditionalRequestConflict")
    if call.operation != "TransactWriteItems":
        return AwsError("TransactionConflictException")
    reasons = [
        {"Code": "TransactionConflict"},
        *[{"Code": "None"}] * (len(call.body["TransactItems"]) - 1),
    ]
    return AwsError("TransactionCanceledException", "conflict", CancellationReasons=reasons)
