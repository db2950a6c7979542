"""What a use case may answer instead of a result. The HTTP edge gives each its status and type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field of a request, and what was probably meant."""

    field: str
    reason: str
    suggestion: str | None = None


class TandemError(Exception):
    """All refusals; `str()` of one never holds an address, a name, a code or a token."""


class InvalidError(TandemError):
    """Fields of the request are wrong."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(", ".join(f"{p.field}: {p.reason}" for p in problems))
        self.problems = tuple(problems)


class UnknownError(TandemError):
    """There is no such thing."""


class UnauthorisedError(TandemError):
    """No session, or one that is over."""


class OverError(TandemError):
    """The invitation is over, was never there, or is not the bearer's to answer."""


class ClosedError(TandemError):
    """The campaign is not open."""


class QuotaError(TandemError):
    """More than the campaign allows."""


class RefusedError(TandemError):
    """Against the state of a voucher; `reason` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnavailableError(TandemError):
    """No trustworthy answer now; nothing was changed, trying again later is right."""


class NotYetError(TandemError):
    """Work from a queue that cannot be done yet: the queue brings it again."""
