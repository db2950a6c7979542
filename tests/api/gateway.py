"""What API Gateway does with a request: finds the resource, hands on an event. It decodes nothing:
a REST API hands the path and its parameters over as they were sent.

It is reached by way of CloudFront, which has added the origin key, unless a request says otherwise.

It takes the request as on the wire (raw path, header lines, bytes) and gives back what the public
would see. Who may call the client's and the ops routes is API Gateway's affair on AWS, and nobody's
here; it hands on what the token of an account of the pool says. A body that is no text comes
base64-encoded, as for the binary types that Chalice declares.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chalice.app import Chalice

from chalicelib.api.operations import OPERATIONS, Operation
from tests.api.agreement import disagreement

CALLER = "198.51.100.7"  # what API Gateway sees: CloudFront, or who calls directly

ACCOUNT = "an-account"  # of the pool

ORIGIN_KEY_HEADER, ORIGIN_KEY = "X-Origin-Key", "an-origin-key"

_BINARY = {one.binary for one in OPERATIONS if one.binary}
_OPERATIONS: dict[tuple[str, str], Operation] = {
    (one.path, method): one for one in OPERATIONS for method in one.methods
}


@dataclass(frozen=True)
class Answer:
    """What the caller sees. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The name of the problem, without what all names begin with."""
        return str(self.json()["type"]).removeprefix("urn:tandem:problem:")

    @property
    def fields(self) -> dict[str, str]:
        """The wrong fields and their reasons."""
        return {one["field"]: one["reason"] for one in self.json()["errors"]}


@dataclass(frozen=True)
class Request:
    """A request as on the wire; `path` percent-encoded."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    groups: str | None = "ops"  # of the account that calls an ops route

    def with_body(self, body: bytes | None, **headers: str) -> Request:
        """The same call with another body and more headers (underscores for hyphens)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, body=body, headers={**self.headers, **named})


class NoSuchResourceError(LookupError):
    """API Gateway itself answers such a path, with 403; no function is called."""


class Gateway:
    """Calls the API function of one app."""

    def __init__(self, app: Chalice) -> None:
        self._app = app

    def call(self, request: Request) -> Answer:
        """The answer, which is one that the OpenAPI document promises."""
        method, headers = request.method, {ORIGIN_KEY_HEADER: ORIGIN_KEY, **request.headers}
        resource, parameters = self._resource(request.path, method)
        text, is_base64 = _as_text(request.body)
        event = {
            "resource": resource,
            "path": request.path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {k: [v] for k, v in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "stage": "api",
                "identity": {"sourceIp": CALLER},
                **_authorizer(request),
            },
            "body": text,
            "isBase64Encoded": is_base64,
        }
        # There and back as JSON: nothing else passes between API Gateway and Lambda.
        reported = json.loads(json.dumps(self._app(json.loads(json.dumps(event)), None)))
        answer = Answer(
            status=reported["statusCode"],
            headers={name.lower(): value for name, value in reported["headers"].items()},
            body=_body_of(reported, {name.lower(): value for name, value in headers.items()}),
        )
        wrong = disagreement(
            _OPERATIONS[resource, method], answer.status, answer.headers, answer.body, method
        )
        assert wrong is None, wrong
        return answer

    def _resource(self, path: str, method: str) -> tuple[str, dict[str, str]]:
        given = path.split("/")
        for resource, methods in self._app.routes.items():
            wanted = resource.split("/")
            if method in methods and len(wanted) == len(given):
                pairs = list(zip(wanted, given, strict=True))
                if all((_is_parameter(one) and got) or one == got for one, got in pairs):
                    return resource, {one[1:-1]: got for one, got in pairs if _is_parameter(one)}
        raise NoSuchResourceError(f"{method} {path[:40]}")


def _body_of(reported: dict[str, Any], asked: Mapping[str, str]) -> bytes:
    """A file where the function says that it is one and the call's first type is a binary one."""
    body: str = reported["body"]
    first = asked.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    if reported.get("isBase64Encoded") and first in _BINARY:
        return b64decode(body)
    return body.encode()


def _authorizer(request: Request) -> dict[str, Any]:
    if not request.path.startswith("/v1/ops/"):
        return {}
    groups = {} if request.groups is None else {"cognito:groups": request.groups}
    return {"authorizer": {"claims": {"sub": ACCOUNT, "token_use": "id", **groups}}}


def _is_parameter(part: str) -> bool:
    return part.startswith("{")


def _as_text(body: bytes | None) -> tuple[str | None, bool]:
    if body is None:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return b64encode(body).decode(), True
