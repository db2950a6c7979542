"""The OpenAPI 3.1 document, generated from the operations and their models.

`python -m chalicelib.api.openapi > docs/openapi.json` updates the published one.
"""

from __future__ import annotations

import json
import re
import sys
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.api.models import Problem
from chalicelib.api.operations import OPERATIONS, Operation

Schemas = dict[tuple[Any, JsonSchemaMode], dict[str, Any]]

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
    413: "The body is too large",
    415: "The body is not of a type that is read",
    422: "A field is not valid; `errors` names it",
    429: "Too many: try again later",
    503: "Try again later",
}


def document() -> dict[str, Any]:
    """The whole document, always in the same order."""
    schemas, definitions = models_json_schema(_models(), ref_template=_REF)
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": "1",
            "description": "Referrals and vouchers of a campaign.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": _security_schemes(),
        },
    }


def text() -> str:
    """The document as published in docs/openapi.json."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _models() -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in OPERATIONS:
        if operation.request:
            used[operation.request, "validation"] = None
        for answer in operation.answers.values():
            if answer:
                used[answer, "serialization"] = None
    return list(used)


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _SECURITY[operation.security],
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.request:
        schema = schemas[operation.request, "validation"]
        described["requestBody"] = {
            "description": f"At most {operation.max_body_kb} KB.",
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.name == "invite":
        key = {"type": "string", "minLength": 1, "maxLength": 200}
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": key})
    return parameters


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        responses[str(status)] = {"description": MEANINGS[status]}
        if answer:
            content = {"application/json": {"schema": schemas[answer, "serialization"]}}
            responses[str(status)]["content"] = content
        if status == HTTPStatus.OK and operation.html:
            page = {"text/html": {"schema": {"type": "string"}}}
            responses[str(status)]["content"] = {
                **responses[str(status)].get("content", {}),
                **page,
            }
        if status == HTTPStatus.SEE_OTHER:
            location = {"schema": {"type": "string", "format": "uri-reference"}}
            responses[str(status)]["headers"] = {"Location": location}
    problem = {"application/problem+json": {"schema": schemas[Problem, "serialization"]}}
    for status in operation.refusals:
        meaning = MEANINGS[status]
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            meaning += f": larger than {operation.max_body_kb} KB"
        if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
            meaning += ": a body without `Content-Type: application/json`"
        if status == HTTPStatus.FORBIDDEN:
            reasons = {
                "not called at the address of the pages": operation.at_pages_address_alone,
                "sent by a browser for a page of another site": operation.acts_for_own_site,
                f"by an account without the role {' or '.join(operation.roles)}": operation.roles,
            }
            meaning += ": " + ", or ".join(reason for reason, holds in reasons.items() if holds)
        responses[str(status)] = {"description": meaning, "content": problem}
    return responses


def _security_schemes() -> dict[str, Any]:
    return {
        "session": {"type": "http", "scheme": "bearer"},
        "wall": {"type": "http", "scheme": "bearer", "description": "The token of a wall link"},
        "iam": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "AWS Signature Version 4",
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
