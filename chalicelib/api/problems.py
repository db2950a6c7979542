"""Errors as RFC 9457 problem details: the one place that gives each its status, type and text.

No problem quotes its input or reveals internal errors to the public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.api.fields import PROBLEM
from chalicelib.api.models import FieldProblemAnswer, Problem
from chalicelib.domain.first_names import FirstNameError
from chalicelib.domain.vouchers import VoucherProblem
from chalicelib.services.errors import (
    ClosedError,
    FieldProblem,
    GoneError,
    InvalidError,
    QuotaError,
    RefusedError,
    UnauthorisedError,
    UnavailableError,
    UnknownError,
)
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import ContentionError

_REFUSALS: Mapping[str, str] = {
    VoucherProblem.REVOKED: "The voucher was revoked.",
    VoucherProblem.EXHAUSTED: "The voucher was used on another order.",
    VoucherProblem.REFUSED_BY_CLIENT: "You refused this code in an acknowledgement.",
    VoucherProblem.EXPIRED: "The voucher had ended, or the order is reported too late.",
    VoucherProblem.NOT_YET_VALID: "The order was made before the voucher's first day.",
    VoucherProblem.WRONG_CURRENCY: "The order is in another currency than the voucher.",
    VoucherProblem.BELOW_MINIMUM_BASKET: "The order is below the voucher's minimum basket.",
    VoucherProblem.NOT_THE_HOLDER: "Its holder alone may use it: send the digest of her address.",
    VoucherProblem.NOT_WITH_OTHER_VOUCHER: "Another voucher on this order excludes this one.",
    VoucherProblem.DIFFERS: "It is used on this order with another amount or currency.",
    VoucherProblem.ROLLED_BACK: "Its use on this order was rolled back, and cannot be repeated.",
    VoucherProblem.NOT_REDEEMED: "It is not used on this order.",
}


class RequestError(Exception):
    """A malformed request, refused before any use case is called."""

    def __init__(self, status: int, name: str, detail: str) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.detail = detail


def malformed_json() -> RequestError:
    """For a body that is no JSON."""
    return RequestError(400, "malformed-json", "The body is not well-formed JSON.")


def wrong_address() -> RequestError:
    """For a call that did not come by way of the pages' address."""
    return RequestError(403, "wrong-address", "Call this at the address of the pages.")


def cross_site() -> RequestError:
    """For what the page of another site has a browser send."""
    return RequestError(403, "cross-site", "Pages of other sites may not call this.")


def no_role(roles: Sequence[str]) -> RequestError:
    """For an account of the pool in none of the groups `roles`."""
    return RequestError(
        403, "no-role", f"Your account has none of the roles for this: {', '.join(roles)}."
    )


def too_large(limit_kb: int) -> RequestError:
    """For a body that is too large."""
    return RequestError(413, "too-large", f"The body is larger than {limit_kb} KB.")


def other_answer(media_type: str) -> RequestError:
    """For a call that asks for another type than the one it is answered with."""
    return RequestError(406, "not-acceptable", f"Ask with Accept: {media_type}, and nothing else.")


def other_type() -> RequestError:
    """For a body that does not say that it is JSON."""
    return RequestError(415, "unsupported-media-type", "The body must be application/json.")


def problem_of(error: Exception) -> Problem | None:
    """The problem for a known error; None for an unexpected one."""
    match error:
        case RequestError():
            return problem(error.status, error.name, error.detail)
        case InvalidError():
            return invalid(error.problems)
        case FirstNameError():
            return invalid([FieldProblem("first_name", error.reason)])
        case UnknownError():
            return problem(404, "not-found", f"This {error} does not exist.")
        case UnauthorisedError():
            return problem(
                401, "unauthorised", "Sign in first: this token is unknown or has expired."
            )
        case GoneError():
            return problem(410, "over", "What this link led to has ended.")
        case ClosedError():
            return problem(409, "closed", f"This {error} is not open now.")
        case QuotaError():
            return problem(429, "over-quota", "The quota is used up.")
        case RefusedError():
            detail = _REFUSALS.get(error.reason, "Its state does not allow this.")
            return problem(409, error.reason.replace("_", "-"), detail, reason=error.reason)
        case UnavailableError() | ListUnavailableError() | ContentionError():
            return problem(
                503,
                "unavailable",
                "Not possible at the moment; nothing was changed. Try again later.",
            )
    return None


def unexpected_problem() -> Problem:
    """The problem for an unexpected error."""
    return problem(500, "internal", "An internal error occurred.")


def problem(status: int, name: str, detail: str, *, reason: str | None = None) -> Problem:
    """A problem of the stable type `name`."""
    title = name.replace("-", " ").capitalize()
    return Problem(type=PROBLEM + name, title=title, status=status, detail=detail, reason=reason)


def invalid(problems: Sequence[FieldProblem]) -> Problem:
    """The problem for wrong fields, each with its reason and a suggestion for a typo."""
    suggestions = [each.suggestion for each in problems if each.suggestion]
    address = any(each.field.endswith("email") for each in problems)
    return Problem(
        type=PROBLEM + ("invalid-address" if address else "invalid-request"),
        title="Invalid address" if address else "Invalid request",
        status=422,
        detail="; ".join(f"{each.field}: {each.reason}" for each in problems),
        errors=[
            FieldProblemAnswer(field=each.field, reason=each.reason, suggestion=each.suggestion)
            for each in problems
        ],
        suggestion=suggestions[0] if suggestions else None,
    )
