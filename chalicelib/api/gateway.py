"""What is answered before any code of ours runs: by API Gateway, and by what limits each caller at
the edge (infra/edge.yaml). The template has API Gateway answer so; the document describes it.
"""

from __future__ import annotations

from typing import Any, Final

from chalicelib.api.fields import PROBLEM
from chalicelib.api.operations import Operation

# The kind of API Gateway's answer; status, name and title of the problem. Without a status it is
# the one that API Gateway gives.
GATEWAY_PROBLEMS: Final = (
    ("UNAUTHORIZED", 401, "unauthorised", "A valid token is needed"),
    ("ACCESS_DENIED", 403, "unauthorised", "This caller may not do this"),
    ("INVALID_SIGNATURE", 403, "unauthorised", "The signature is refused"),
    ("EXPIRED_TOKEN", 403, "unauthorised", "The credentials of this session have expired"),
    # The gateway says this of an unknown route, of a method that a route does not have, and of an
    # unsigned call to a signed one alike.
    ("MISSING_AUTHENTICATION_TOKEN", 404, "not-found", "No such resource, or it must be signed"),
    ("RESOURCE_NOT_FOUND", 404, "not-found", "No such resource"),
    ("REQUEST_TOO_LARGE", 413, "too-large", "The body is too large"),
    ("THROTTLED", 429, "unavailable", "Too many requests: try again later"),
    ("DEFAULT_4XX", None, "invalid-request", "The request could not be processed"),
    ("DEFAULT_5XX", None, "unavailable", "Try again later"),
)

_OF_ALL = ("THROTTLED",)
_OF_SIGNED = ("ACCESS_DENIED", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "MISSING_AUTHENTICATION_TOKEN")
_OF_THE_POOL = ("UNAUTHORIZED", "EXPIRED_TOKEN")


def gateway_problem(kind: str) -> dict[str, Any]:
    """The problem that API Gateway answers for `kind`."""
    [(status, name, title)] = [found for of, *found in GATEWAY_PROBLEMS if of == kind]
    given = {} if status is None else {"status": status}
    return {"type": f"{PROBLEM}{name}", "title": title, **given}


def gateway_refusals(operation: Operation) -> dict[str, dict[str, Any]]:
    """By kind, how API Gateway may refuse a call of the operation."""
    kinds = {"client": _OF_SIGNED, "ops": _OF_THE_POOL}.get(operation.security, ())
    return {kind: gateway_problem(kind) for kind in (*kinds, *_OF_ALL)}
