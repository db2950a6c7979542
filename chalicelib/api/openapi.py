"""The OpenAPI 3.1 document, generated from the operations and their models.

`python -m chalicelib.api.openapi > docs/openapi.json` updates the published one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.api import fields
from chalicelib.api.client_models import OrderItem
from chalicelib.api.examples import example_of, problems_of
from chalicelib.api.models import Problem
from chalicelib.api.operations import OPERATIONS, Operation

_REF = "#/components/schemas/{model}"
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "session": [{"session": []}],
    "wall": [{"wall": []}],
    "client": [{"iam": []}],
    "ops": [{"ops": []}],
    "public": [],
}

# Our own words: those of the standard library differ from one version of python to the next.
MEANINGS = {
    200: "Done",
    201: "Created",
    202: "Accepted: the work is done later",
    204: "Done, without a body",
    207: "A result for each item",
    303: "The page is there",
    400: "The request is not valid",
    401: "A valid session or token is needed",
    403: "The caller may not do this",
    404: "There is no such thing",
    409: "What is there forbids it; `reason` says why",
    410: "It has ended",
    406: "The call does not ask for the type of the answer: by `Accept`, which names it alone",
    413: "The body is too large",
    415: "The body is not of a type that is read",
    422: "A field is not valid; `errors` names it",
    429: "Too many: try again later",
    503: "Try again later",
}
# Beside those: an error of ours, or API Gateway did not reach the function in time.
FAILURES = "5XX"
FAILURE = "Nobody knows whether it was done: ask, or send the same again"

_DESCRIPTION = """Referrals and vouchers of a campaign.

Errors are RFC 9457 problem details with a stable `type`. More fields, reasons and problems may be
added: pass over what you do not know. A method that a path does not have is answered 404, as an
unknown path is."""

_PAGE = {"schema": {"type": "string"}}
# What stands in a path.
_PARTS = {
    "campaign": fields.Slug,
    "code": fields.Code,
    "link_code": fields.LinkCode,
    "order_id": fields.OrderId,
    "reward": fields.Id,
    "token": fields.Token,
    "voucher": fields.Id,
}
_RETRY_AFTER = {
    "description": "Seconds to wait",
    "schema": {"type": "integer", "minimum": 0},
    "example": 30,
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {
        "WWW-Authenticate": {
            "description": "Left out by API Gateway",
            "schema": {"type": "string"},
            "example": "Bearer",
        }
    },
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}


def document() -> dict[str, Any]:
    """The whole document, always in the same order."""
    made = _Document()
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = made.operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": "1",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": made.schemas,
            "examples": made.examples,
            "securitySchemes": _security_schemes(),
        },
    }


def text() -> str:
    """The document as published in docs/openapi.json."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


class _Document:
    """What operations share: the schemas of bodies, and the examples of problems by name."""

    def __init__(self) -> None:
        self._schemas, definitions = models_json_schema(_models(), ref_template=_REF)
        self.schemas: dict[str, Any] = definitions["$defs"]
        self.examples: dict[str, Any] = {}

    def operation(self, operation: Operation) -> dict[str, Any]:
        """The description of one operation."""
        described: dict[str, Any] = {
            "operationId": operation.name,
            "summary": operation.summary,
            "security": _SECURITY[operation.security],
            "parameters": _parameters(operation),
            "responses": {
                **{
                    str(status): self._answer(operation, status, answer)
                    for status, answer in operation.answers.items()
                },
                **{
                    str(status): self._refusal(operation, status, bodies)
                    for status, bodies in problems_of(operation).items()
                },
                FAILURES: {"description": FAILURE, "content": _problem_content(self._problem)},
            },
        }
        if "HEAD" in operation.methods:
            described["description"] = "Answered to HEAD as well, without a body."
        if operation.request:
            described["requestBody"] = {
                "description": f"At most {operation.max_body_kb} KB.",
                "required": True,
                "content": {"application/json": self._body(operation.request, "validation")},
            }
        return described

    def _answer(
        self, operation: Operation, status: int, answer: type[BaseModel] | None
    ) -> dict[str, Any]:
        described: dict[str, Any] = {"description": MEANINGS[status]}
        content: dict[str, Any] = {}
        if answer:
            content["application/json"] = self._body(answer, "serialization")
        if operation.html:
            content["text/html"] = _PAGE
        if operation.binary:
            content[operation.binary] = {"schema": {"type": "string", "format": "binary"}}
        if content:
            described["content"] = content
        if status == HTTPStatus.SEE_OTHER:
            location = {"schema": {"type": "string", "format": "uri-reference"}}
            described["headers"] = {"Location": location}
        return described

    def _refusal(
        self, operation: Operation, status: int, bodies: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        examples = {name: self._shared(operation, name, body) for name, body in bodies.items()}
        is_page = operation.html and status in {*operation.answers, 503}  # as any failure is
        described: dict[str, Any] = {
            "description": _meaning(operation, status),
            "content": {
                **({"text/html": _PAGE} if is_page else {}),
                **_problem_content(self._problem, examples=examples),
            },
        }
        if status in _HEADERS:
            described["headers"] = _HEADERS[status]
        return described

    @property
    def _problem(self) -> Any:
        return self._schemas[Problem, "serialization"]

    def _body(self, model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        schema = self._schemas[model, mode]
        return {"schema": schema, "example": example_of(schema, self.schemas)}

    def _shared(self, operation: Operation, name: str, body: Mapping[str, Any]) -> dict[str, str]:
        """A reference to the example, which is written once."""
        for key in (name, f"{name}-{operation.name}"):
            if self.examples.setdefault(key, {"value": body}) == {"value": body}:
                return {"$ref": f"#/components/examples/{key}"}
        raise ValueError(f"two examples of {operation.name} are called {name}")


def _problem_content(schema: Any, **members: Any) -> dict[str, Any]:
    return {"application/problem+json": {"schema": schema, **members}}


def _models() -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (Problem, "serialization"): None,
        (OrderItem, "validation"): None,
    }
    for operation in OPERATIONS:
        if operation.request:
            used[operation.request, "validation"] = None
        for answer in operation.answers.values():
            if answer:
                used[answer, "serialization"] = None
    return list(used)


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = TypeAdapter(_PARTS[name]).json_schema()
        [example] = schema.pop("examples")
        parameters.append(
            {"name": name, "in": "path", "required": True, "schema": schema, "example": example}
        )
    if operation.name == "invite":
        key = {"type": "string", "minLength": 1, "maxLength": 200}
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "schema": key, "example": "draft-7f3a"}
        )
    return parameters


def _meaning(operation: Operation, status: int) -> str:
    """What a refusal says of a call of this operation."""
    meaning = MEANINGS[status]
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        meaning += f": larger than {operation.max_body_kb} KB"
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        meaning += ": a body without `Content-Type: application/json`"
    if status == HTTPStatus.NOT_FOUND and operation.security == "client":
        meaning += ", or the call is not signed"
    if status == HTTPStatus.FORBIDDEN:
        reasons = {
            "not called at the address of the pages": operation.at_pages_address_alone,
            "sent by a browser for a page of another site": operation.acts_for_own_site,
            f"by an account without the role {' or '.join(operation.roles)}": operation.roles,
            "not signed by who may call it": operation.security == "client",
        }
        meaning += ": " + ", or ".join(reason for reason, holds in reasons.items() if holds)
    return meaning


def _security_schemes() -> dict[str, Any]:
    return {
        "session": {"type": "http", "scheme": "bearer"},
        "wall": {"type": "http", "scheme": "bearer", "description": "The token of a wall link"},
        "iam": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AWS Signature Version 4, service `execute-api`",
        },
        "ops": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "An ID token of the ops user pool: `Bearer …`",
        },
    }


if __name__ == "__main__":
    sys.stdout.write(text())
