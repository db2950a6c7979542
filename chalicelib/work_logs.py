"""Log lines and metrics of messages that go back to their queue: which one, at which try, and why.

SQS leaves a message that was received three times or more out of the age of its queue. So work that
is tried again and again tells by itself, each time, how long it has waited.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from chalicelib.events import Message
from chalicelib.observability import Value, count, count_seconds, failed, warn
from chalicelib.services.errors import RetryLaterError, SenderBusyError, WaitsFor
from chalicelib.services.list_ports import ListUnavailableError

# What has an alarm of its own is counted there too, so that one cause rings once; rows are named
# and counted as not handled before. All else rings once it has waited long.
_ALARMED: Final[Mapping[WaitsFor, str | None]] = {
    WaitsFor.A_LIST: "ListUnavailable",
    WaitsFor.CODES: "CodesLow",
    WaitsFor.ROWS: None,
}


def delivery(message: Message) -> dict[str, Value]:
    """What names one delivery of a message in a log line."""
    return {"message_id": message.message_id, "attempt": message.receives}


def log_put_off(function: str, message: Message, error: Exception, now: datetime) -> None:
    """A message that has to wait: a line, and how long it has waited by function and reason."""
    reason = _waits_for(error)
    about = {"error": type(error).__name__, "waits_for": reason.value, **delivery(message)}
    if isinstance(error, SenderBusyError):
        warn("the sender is busy", correlation=None, **about)
    else:
        warn("retry later", correlation=None, **about)
    seconds = max(0, round((now - message.sent_at).total_seconds()))
    count_seconds("WorkPutOff", seconds, function=function, reason=reason.value)
    if reason not in _ALARMED:
        count_seconds("WorkWaits", seconds)
    elif metric := _ALARMED[reason]:
        count(metric)


def log_failed(message: Message, error: Exception) -> None:
    """A message that failed with an error that nobody foresaw. What the next try puts right wakes
    nobody, so it is counted from the second one on.
    """
    failed(error, "message failed", correlation=None, **delivery(message))
    if message.receives > 1:
        count("WorkFailed")


def _waits_for(error: Exception) -> WaitsFor:
    if isinstance(error, RetryLaterError):
        return error.waits_for
    is_of_a_list = isinstance(error, ListUnavailableError)
    return WaitsFor.A_LIST if is_of_a_list else WaitsFor.OTHER_WORK
