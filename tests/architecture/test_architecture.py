"""What holds for all of the code: its words, its sizes, its docstrings, and the app itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import app
from chalicelib.api.operations import OPERATIONS
from tests.architecture.sources import ROOT, defined, name_of, sources, tree, words

LONGEST = 400  # lines, blank ones not counted

# PRODUCT's words have one meaning each; these have none of their own.
FORBIDDEN = frozenset(
    word + ending
    for word in ("coupon", "promo", "gift", "friend", "user", "data", "manager", "helper", "util")
    for ending in ("", "s")
)


def test_every_operation_is_a_route_and_every_route_an_operation() -> None:
    routes = {(path, method) for path, methods in app.app.routes.items() for method in methods}
    assert routes == {(one.path, method) for one in OPERATIONS for method in one.methods}


def test_operations_have_names_of_their_own() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_every_route_of_the_clients_systems_and_of_ops_is_guarded_and_no_other() -> None:
    for operation in OPERATIONS:
        route = app.app.routes[operation.path][operation.method]
        guarded = operation.security in {"client", "ops"}
        assert (route.authorizer is not None) is guarded, operation.name
        assert operation.path.startswith(("/v1/client/", "/v1/ops/")) is guarded


def test_the_app_has_one_statement_a_handler() -> None:
    handlers = [node for node in tree(ROOT / "app.py").body if isinstance(node, ast.FunctionDef)]
    assert len(handlers) == 16
    assert [len(handler.body) for handler in handlers] == [1] * len(handlers)


def test_the_app_holds_handlers_and_registration_alone() -> None:
    kinds = {type(node) for node in tree(ROOT / "app.py").body}
    assert kinds == {ast.Expr, ast.ImportFrom, ast.Assign, ast.FunctionDef}


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_a_module_says_what_it_is_for(file: Path) -> None:
    module = tree(file)
    assert not module.body or ast.get_docstring(module)


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_a_module_is_of_a_size_to_be_read(file: Path) -> None:
    assert sum(map(bool, map(str.strip, file.read_text().splitlines()))) <= LONGEST


@pytest.mark.parametrize("file", [ROOT / "app.py", *sources("chalicelib", "cli")], ids=name_of)
def test_names_are_the_words_of_the_glossary(file: Path) -> None:
    named = [*defined(tree(file)), (file.stem, 0)]
    found = {f"line {line}: {name}" for name, line in named if words(name) & FORBIDDEN}
    assert not found


def test_the_words_of_a_name_are_found_however_it_is_written() -> None:
    """The test above has teeth."""
    source = "class GiftBox:\n    def of(self, user_id, *, x): self.data = y = promo_of(x)"
    names = {name for name, _ in defined(ast.parse(source)) if words(name) & FORBIDDEN}
    assert names == {"GiftBox", "user_id", "data"}
    assert not words("dataclass database promotion") & FORBIDDEN
