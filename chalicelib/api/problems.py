"""Refusals as RFC 9457 problem details: one place gives each error its status, stable type and
words.

No problem quotes its input, and none tells the public what went wrong inside.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.api.models import FieldProblemAnswer, Problem
from chalicelib.domain.addresses import FirstNameError
from chalicelib.services.errors import (
    ClosedError,
    FieldProblem,
    InvalidError,
    OverError,
    QuotaError,
    RefusedError,
    UnauthorisedError,
    UnavailableError,
    UnknownError,
)
from chalicelib.services.ports import ContentionError, ListUnavailableError

TYPE = "urn:tandem:problem:"


class RequestError(Exception):
    """A request that is wrong before any use case sees it."""

    def __init__(self, status: int, name: str, detail: str) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.detail = detail


def problem_of(error: Exception) -> Problem | None:
    """The problem for a known refusal; None for an error nobody foresaw."""
    match error:
        case RequestError():
            return problem(error.status, error.name, error.detail)
        case InvalidError():
            return invalid(error.problems)
        case FirstNameError():
            return invalid([FieldProblem("first_name", error.reason)])
        case UnknownError():
            return problem(404, "not-found", f"There is no such {error}.")
        case UnauthorisedError():
            return problem(401, "unauthorised", "Sign in first: this token is unknown or over.")
        case OverError():
            return problem(410, "over", "This invitation is over.")
        case ClosedError():
            return problem(409, "closed", f"This {error} is not open now.")
        case QuotaError():
            return problem(429, "over-quota", "No more can be taken in.")
        case RefusedError():
            return problem(409, error.reason.replace("_", "-"), "The voucher does not allow this.",
                           reason=error.reason)  # fmt: skip
        case UnavailableError() | ListUnavailableError() | ContentionError():
            return problem(
                503, "unavailable", "Not possible right now; nothing was changed. Try again."
            )
    return None


def unforeseen() -> Problem:
    """The problem for an error nobody foresaw."""
    return problem(500, "internal", "Something went wrong; nothing can be told about it here.")


def problem(status: int, name: str, detail: str, *, reason: str | None = None) -> Problem:
    """A problem of the stable type `name`."""
    title = name.replace("-", " ").capitalize()
    return Problem(type=TYPE + name, title=title, status=status, detail=detail, reason=reason)


def invalid(problems: Sequence[FieldProblem]) -> Problem:
    """Fields that are wrong, each with its reason and, for a typo, what was probably meant."""
    suggestions = [one.suggestion for one in problems if one.suggestion]
    address = any(one.field.endswith("email") for one in problems)
    return Problem(
        type=TYPE + ("invalid-address" if address else "invalid-request"),
        title="Invalid address" if address else "Invalid request",
        status=422,
        detail="; ".join(f"{one.field}: {one.reason}" for one in problems),
        errors=[
            FieldProblemAnswer(field=one.field, reason=one.reason, suggestion=one.suggestion)
            for one in problems
        ],
        suggestion=suggestions[0] if suggestions else None,
    )
