"""Whether an answer is one that the OpenAPI document promises: status, headers, type, body.

Every answer of every test here is held against it, so a test has only its own point to make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from chalicelib.api.openapi import document
from chalicelib.api.operations import Operation

PROBLEM = "application/problem+json"


@cache
def _described() -> dict[str, Any]:
    return document()


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(
        {**json.loads(schema), "components": _described()["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def disagreement(
    operation: Operation, status: int, headers: Mapping[str, str], body: bytes, method: str
) -> str | None:
    """What is not as described; None when all is."""
    described = _described()["paths"][operation.path][operation.method.lower()]
    if status not in {*operation.answers, *operation.refusals}:  # others are API Gateway's
        return f"{operation.name} does not promise {status}: {body.decode()[:200]}"
    if headers.get("cache-control") != "no-store":
        return "an answer that may be stored"
    if headers.get("x-content-type-options") != "nosniff":
        return "an answer whose type may be guessed"
    content = described["responses"][str(status)].get("content")
    if content is None:
        return "a body where none is promised" if body or "content-type" in headers else None
    content_type = headers.get("content-type", "").partition(";")[0]
    media = content.get(content_type)
    if media is None:
        return f"{content_type} in place of {', '.join(content)}"
    if method == "HEAD" and body:
        return "a body in answer to HEAD"
    if content_type == operation.binary:
        return None if body.startswith(b"PK") else "a file that is no zip"
    if content_type == "text/html":
        return _problem_of_page(headers)
    if method == "HEAD":
        return None
    found = next(_validator(json.dumps(media["schema"])).iter_errors(json.loads(body)), None)
    return f"{operation.name} {status}: {found.message} at {found.json_path}" if found else None


def _problem_of_page(headers: Mapping[str, str]) -> str | None:
    """A page of the API has itself what CloudFront adds to the others."""
    if headers.get("referrer-policy") != "no-referrer":
        return "a page that may tell its address, which has a token"
    policy = headers.get("content-security-policy", "")
    wanted = ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'")
    return None if all(one in policy for one in wanted) else "a page without a policy"
