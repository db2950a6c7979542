"""What every function does around its work: it isolates, logs and answers what failed.

Of a queue's batch, only the failed messages are reported and delivered again. Of a stream's batch,
all that can be handled is; Lambda then isolates what fails. Exceptions are logged by type and place
and never leave the function with their message, because Lambda would log it.

The work itself is in `functions/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib import bootstrap, events
from chalicelib.domain.facts import Fact
from chalicelib.domain.sending import tried_again_after
from chalicelib.observability import count, failed, flushed, log, warn
from chalicelib.services.errors import SenderBusyError
from chalicelib.services.file_ports import OtherContentError
from chalicelib.services.isolation import TRANSIENT, Isolation, failing
from chalicelib.services.ports import Failure
from chalicelib.work_logs import delivery, log_failed, log_put_off

Event = dict[str, Any]
BatchAnswer = dict[str, list[dict[str, str]]]

READERS = 16  # shards of an hour's facts, or holders of vouchers, that are read at the same time
FAILING_AT_ONCE = 3  # then it is probably not the facts: the rest is left to the next delivery


class WorkFailedError(Exception):
    """A scheduled run or a stream's batch failed; the log line before this one says where."""


def each_of_stream(event: Event, work: Callable[[list[Fact]], None]) -> BatchAnswer:
    """Handle all facts of a batch that can be handled, and let Lambda isolate the first that fails.

        answer            Lambda delivers again
        names a record    the batch from that record on
        a failed call     the batch in halves

    So a record is named only if others are before it; a call that named its batch's first record
    would never narrow the batch down, and all of it would end in the dead queue. What is behind the
    failing one is handled in the same call: it need not wait for Lambda's retries.
    """
    with flushed():
        records = event["Records"]
        found = failing(
            records,
            lambda part: work([events.fact_in_stream(record) for record in part]),
            at_most=FAILING_AT_ONCE,
        )
        named = [events.sequence_number_of(records[place]) for place, _ in found]
        for number, (place, error) in zip(named, found, strict=True):
            failed(error, "stream record failed", record=number, **_fact_in(records[place]))
        if found and found[0][0] == 0:
            raise WorkFailedError("stream batch")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in named[:1]]}


def _fact_in(record: Event) -> dict[str, str]:
    """What names the fact of a stream's record in a log line; nothing where it cannot be read."""
    try:
        fact = events.fact_in_stream(record)
    except Exception:
        return {}
    return {"fact": fact.name, "correlation": fact.correlation}


def each_message(
    event: Event, work: Callable[[events.Message], None], function: str
) -> BatchAnswer:
    """Handle each message of a queue's batch; those that failed come again."""
    failures: list[dict[str, str]] = []
    with flushed():
        for message in events.messages(event):
            try:
                work(message)
            except TRANSIENT as error:
                log_put_off(function, message, error, bootstrap.ports().clock())
                if isinstance(error, SenderBusyError):
                    _postpone(message)
                failures.append({"itemIdentifier": message.message_id})
            except Exception as error:
                log_failed(message, error)
                failures.append({"itemIdentifier": message.message_id})
    return {"batchItemFailures": failures}


def _postpone(message: events.Message) -> None:
    """Try again soon, then less and less often; if that cannot be arranged, the queue does it."""
    try:
        bootstrap.ports().queues.postpone(
            message.queue, message.receipt, tried_again_after(message.receives)
        )
    except Exception as error:
        failed(error, "not postponed", correlation=None, **delivery(message))


def each_fact(
    event: Event, log_message: str, work: Callable[[Fact], str], function: str
) -> BatchAnswer:
    """Handle each fact of a queue's batch; a line for each has the outcome that `work` returns."""

    def on_fact(message: events.Message) -> None:
        fact = events.fact_in(message.body)
        try:
            outcome = work(fact)
        except Exception as error:
            warn("left in the queue", correlation=fact.correlation, fact=fact.name,
                 error=type(error).__name__, **delivery(message))  # fmt: skip
            raise
        log(log_message, correlation=fact.correlation, fact=fact.name, outcome=outcome)

    return each_message(event, on_fact, function)


def scheduled(name: str, run: Callable[[], None]) -> None:
    """Run what a schedule started; `WorkFailedError` when it fails."""
    with flushed():
        try:
            run()
        except Exception as error:
            failed(error, f"{name} failed")
            # Without the cause: Lambda logs the exception that leaves a function, with its message.
            raise WorkFailedError(name) from None


@contextmanager
def isolated(has_to_wait: tuple[type[Exception], ...] = ()) -> Iterator[Isolation]:
    """Work for several campaigns: a failure does not affect the rest. It is named and counted, and
    tried again by the next run; a run that failed with it would ring a second time.
    """
    yield Isolation(not_handled, has_to_wait)


def not_handled(failure: Failure) -> None:
    """A line and a metric for what could not be handled while the rest was."""
    failed(failure.error, "not handled", kind=failure.kind, item=failure.name)
    if isinstance(failure.error, OtherContentError):
        warn("file has other content", campaign=failure.name, path=failure.error.path)
        count("FileDiffers")
    else:
        count("NotHandled")
