"""Examples for the OpenAPI document: of each body, composed of the examples of its fields; of each
problem, made as the API makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from chalicelib.api import problems
from chalicelib.api.gateway import gateway_refusals
from chalicelib.api.operations import Operation
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

Schema = Mapping[str, Any]

_MISTYPED = FieldProblem("email", "probably_mistyped", "jeanne@gmail.com")


def example_of(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """An example of a schema; `schemas` has what it refers to. `ValueError` for a field without."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if "properties" in schema:
        fields = schema["properties"].items()
        return {name: example_of(field, schemas) for name, field in fields}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if schema.get("type") == "boolean":
        return False
    if isinstance(schema.get("additionalProperties"), Mapping):
        return {"welcome": example_of(schema["additionalProperties"], schemas)}
    raise ValueError(f"a field without an example: {dict(schema)}")


def problems_of(operation: Operation) -> dict[int, dict[str, dict[str, Any]]]:
    """Every problem that a call of the operation may be answered, by status and name."""
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for error in _errors(operation):
        problem = problems.problem_of(error)
        if problem is not None and problem.status in operation.refusals:
            body = problem.model_dump(mode="json", exclude_none=True)
            found.setdefault(problem.status, {})[_name(body)] = body
    for kind, body in gateway_refusals(operation).items():
        found.setdefault(body["status"], {})[kind.lower().replace("_", "-")] = body
    return dict(sorted(found.items()))


def _name(problem: Mapping[str, Any]) -> str:
    """The name of a problem's type, which is unique among those of one operation and status."""
    return str(problem["type"]).rpartition(":")[2]


def _errors(operation: Operation) -> Iterator[Exception]:
    """What the API may raise for a call of the operation, and more: others have other statuses."""
    yield problems.malformed_json()
    yield problems.too_large(operation.max_body_kb)
    yield problems.other_type()
    if operation.binary:
        yield problems.other_answer(operation.binary)
    if operation.at_pages_address_alone:
        yield problems.wrong_address()
    if operation.acts_for_own_site:
        yield problems.cross_site()
    if operation.roles:
        yield problems.no_role(operation.roles)
    yield UnauthorisedError("session")
    yield UnknownError(_named(operation))
    yield from map(RefusedError, operation.reasons)
    if not operation.reasons:
        yield ClosedError("campaign")
    yield GoneError()
    yield InvalidError([FieldProblem(_first_field(operation.request), "missing")])
    if operation.request and "as_typed" in operation.request.model_fields:
        yield InvalidError([_MISTYPED])
    yield QuotaError()
    yield UnavailableError()


def _named(operation: Operation) -> str:
    """What a call of the operation names: a voucher, a campaign, a reward, …"""
    parts = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    last = parts[-1] if parts else "campaign"
    return {"code": "voucher", "order_id": "voucher", "link_code": "link"}.get(last, last)


def _first_field(request: type[BaseModel] | None) -> str:
    return next(iter(request.model_fields)) if request else "body"
