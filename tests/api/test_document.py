"""The published document is enough to call the API by: whatever may be sent or answered is
described, with an example that is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib.api import fields
from chalicelib.api.examples import example_of
from chalicelib.api.gateway import GATEWAY_PROBLEMS
from chalicelib.api.openapi import FAILURES, document
from chalicelib.api.operations import OPERATIONS, Operation
from chalicelib.api.problems import problem_of
from chalicelib.domain.codes import candidates
from chalicelib.domain.vouchers import VoucherProblem
from chalicelib.services.errors import RefusedError

DOCUMENT = document()
COMPONENTS = DOCUMENT["components"]
SCHEMAS: dict[str, Any] = COMPONENTS["schemas"]
FILE = {"type": "string", "format": "binary"}
CHECKER = Draft202012Validator.FORMAT_CHECKER


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def contents(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation, by where it stands."""
    of = described(operation)
    for media in of.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, response in of["responses"].items():
        for media in response.get("content", {}).values():
            yield status, media


def wrong_with(example: Any, schema: dict[str, Any]) -> list[str]:
    whole = {**schema, "components": COMPONENTS}
    errors = Draft202012Validator(whole, format_checker=CHECKER).iter_errors(example)
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_body_has_an_example_and_each_is_valid(operation: Operation) -> None:
    for where, media in contents(operation):
        # A page, a file, what nobody plans.
        if media["schema"] in ({"type": "string"}, FILE) or where == FAILURES:
            continue
        examples = [media["example"]] if "example" in media else []
        examples += [resolved(one)["value"] for one in media.get("examples", {}).values()]
        assert examples, where
        for example in examples:
            assert wrong_with(example, media["schema"]) == [], (where, example)


def resolved(reference: dict[str, str]) -> dict[str, Any]:
    kind, name = reference["$ref"].removeprefix("#/components/").split("/")
    found: dict[str, Any] = COMPONENTS[kind][name]
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_every_problem_of_a_status_has_that_status(operation: Operation) -> None:
    for status, response in described(operation)["responses"].items():
        for content in response.get("content", {}).values():
            for example in content.get("examples", {}).values():
                assert resolved(example)["value"]["status"] == int(status)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_what_may_refuse_a_call_is_in_its_answers(operation: Operation) -> None:
    statuses = set(described(operation)["responses"])
    assert statuses >= {str(one) for one in (*operation.answers, *operation.refusals)}
    assert statuses >= {"429", FAILURES}
    if operation.security == "client":
        assert statuses >= {"403", "404"}
    if operation.security == "ops":
        assert statuses >= {"401", "403"}
    if operation.reasons:
        [content] = described(operation)["responses"]["409"]["content"].values()
        named = {resolved(one)["value"]["reason"] for one in content["examples"].values()}
        assert named == set(operation.reasons)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_parts_of_a_path_are_described(operation: Operation) -> None:
    parts = [one for one in described(operation)["parameters"] if one["in"] == "path"]
    assert [one["name"] for one in parts] == re.findall(r"{(\w+)}", operation.path)
    for part in parts:
        assert wrong_with(part["example"], part["schema"]) == []


def strings(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a text, by where it stands."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            yield path, schema
        if "examples" in schema:
            return
        for name, each in schema.items():
            yield from strings(each, f"{path}.{name}")
    elif isinstance(schema, list):
        for each in schema:
            yield from strings(each, path)


def test_every_text_says_what_it_may_be() -> None:
    """By its values, its format or a pattern, or by an example at least: of itself, or of what it
    is part of.
    """
    members = {"enum", "const", "format", "pattern", "examples", "default"}
    bare = [
        path
        for name, schema in SCHEMAS.items()
        for path, text in strings(schema, name)
        if not members & set(text)
    ]
    assert bare == []


def test_an_order_of_a_call_is_described_as_one_of_the_file() -> None:
    item = SCHEMAS["OrdersRequest"]["properties"]["orders"]["items"]
    assert item == {"$ref": "#/components/schemas/OrderItem"}
    assert SCHEMAS["OrderItem"]["properties"]["status"]["enum"] == [
        "placed", "kept", "returned", "cancelled",
    ]  # fmt: skip


def test_a_field_without_an_example_is_an_error() -> None:
    with pytest.raises(ValueError, match="without an example"):
        example_of({"type": "string"}, {})


def test_the_example_of_a_code_is_one() -> None:
    code = example_of(SCHEMAS["VoucherAnswer"], SCHEMAS)["code"]
    assert len(candidates(code)) == 2  # as one of ours, and as one of the client's own


def test_problems_of_the_gateway_are_of_known_types() -> None:
    assert {name for _, _, name, _ in GATEWAY_PROBLEMS} <= set(fields.PROBLEMS)


@pytest.mark.parametrize("reason", VoucherProblem)
def test_each_refusal_of_a_voucher_is_explained_in_words_of_its_own(reason: VoucherProblem) -> None:
    details = [getattr(problem_of(RefusedError(one)), "detail", "") for one in VoucherProblem]
    detail = details[list(VoucherProblem).index(reason)]
    assert details.count(detail) == 1
    assert "state" not in detail
