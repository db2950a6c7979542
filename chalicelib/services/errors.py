"""The errors of use cases, each with its status at the HTTP edge; those of ports are in ports.py.

TandemError
├─ InvalidError        422    ├─ ClosedError        409
├─ UnknownError        404    ├─ QuotaError         429
├─ UnauthorisedError   401    ├─ RefusedError       409
├─ GoneError           410    ├─ UnavailableError   503
└─ RetryLaterError     queues only: the message is delivered again
   └─ SenderBusyError  soon: the sender had no room for a mail
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field of a request, and what was probably meant."""

    field: str
    reason: str
    suggestion: str | None = None


class TandemError(Exception):
    """Any refusal; its `str()` never contains an address, a name, a code or a token."""


class InvalidError(TandemError):
    """Fields of the request are wrong."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(", ".join(f"{p.field}: {p.reason}" for p in problems))
        self.problems = tuple(problems)


class UnknownError(TandemError):
    """What the request names does not exist."""


class UnauthorisedError(TandemError):
    """No session, or an expired one."""


class GoneError(TandemError):
    """What a link leads to has ended or never existed, or its token is for something else."""


class ClosedError(TandemError):
    """The campaign is not open."""


class QuotaError(TandemError):
    """More than the campaign allows."""


class RefusedError(TandemError):
    """The state of a voucher, a reward or a list does not allow it; `reason` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnavailableError(TandemError):
    """No trustworthy answer now; nothing was changed, and a later attempt may succeed."""


class WaitsFor(StrEnum):
    """What work that goes back to its queue waits for; a value of a metric."""

    ROOM_AT_THE_SENDER = "room_at_the_sender"
    AN_ANSWER_OF_THE_SENDER = "an_answer_of_the_sender"
    A_LIST = "a_list"
    CODES = "codes"
    AN_ERASURE = "an_erasure"
    OTHER_WORK = "other_work"  # on the same thing at the same time
    THE_INDEX = "the_index"
    ROWS = "rows"  # of a part of a file that could not be handled, each named in the log


class RetryLaterError(TandemError):
    """Work from a queue that cannot be done yet: the queue delivers it again."""

    def __init__(self, waits_for: WaitsFor) -> None:
        super().__init__(waits_for.value)
        self.waits_for = waits_for


class SenderBusyError(RetryLaterError):
    """The sender took no mail for now (its rate, its quota of the day, a pause): nothing was sent
    and nothing is leased.
    """

    def __init__(self) -> None:
        super().__init__(WaitsFor.ROOM_AT_THE_SENDER)
