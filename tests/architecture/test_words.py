"""Retired words stay retired: each has a word that replaced it, the field's own or the glossary's.

Only identifiers are checked: stored names, reasons and public file words are permanent strings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, defined, name_of, sources, tree

# A word, or several in a row, of an identifier in snake_case → what to call it instead.
RETIRED: Mapping[str, str] = {
    # What earlier versions called things that have a term of their own now.
    "concerned": "matches",
    "crew": "pool",
    "decided_again": "retry_on_conflict",
    "deliver": "send",
    "drafts": "compose",
    "drop_order": "drop_position",
    "last_order": "last_position",
    "listed": "ListFile, ListState, or a noun",
    "overrule": "review",
    "overruled": "reviewed",
    "printed": "code (its key: code_key)",
    "set_aside": "move",
    "standing": "ListState",
    "steps": "facts, retry or lookups",
    "take_back": "revoke",
    "take_in": "ingest, record or apply",
    "take_up": "requeue",
    "taken": "processed_at, or a noun",
    "taken_back": "revoked",
    "taken_in": "processed or accepted",
    "taken_up": "requeued",
    "topic": "Agenda",
    "turn_down": "reject",
    "turned_down": "rejected",
    "withdraw": "revoke",
    "withdrawn": "revoked",
    # English that has to be read twice.
    "anew": "again",
    "begun": "started",
    "graver": "more_serious",
    "laid": "applied",
    "lest": "a condition",
    "mend": "fix",
    "not_yet_error": "RetryLaterError",
    "overtaken": "replaced",
    "said": "answer, or a noun",
    "says": "a noun",
    "spoken": "a noun",
    "stands": "is, or a noun",
    "tell": "report",
    "tells": "reports",
    "told": "reported, or a noun",
    "unforeseen": "unexpected",
    "whoever": "a noun",
    # Riddles of the page scripts.
    "absolve": "clearFieldError",
    "blame": "showFieldError",
    "hush": "clear",
    "wear": "applyBrand",
}

# Where a retired word has its ordinary meaning: the stored name in an upgrade, the schema name of
# the API, SNS's topic, the ranking of a benchmark, the lines a program printed.
ALLOWED = frozenset(
    {
        ("bench/lists/processes.py", "printed"),
        ("bench/lists/results.py", "Standing"),
        ("bench/lists/results.py", "standing"),
        ("chalicelib/adapters/dynamodb/upgrades.py", "taken_at"),
        ("chalicelib/api/models.py", "InvitationTaken"),
        ("local/stack.py", "topic"),
    }
)

SCRIPTS = sorted((ROOT / "web").rglob("*.js"))
_DEFINED_IN_SCRIPT = re.compile(r"\b(?:function|const|let|class)\s+(\w+)")


def snake_case(identifier: str) -> str:
    """`_TakeInList` → `take_in_list`."""
    spaced = "".join(
        f"_{c}" if c.isupper() and not before.isupper() else c
        for before, c in zip("_" + identifier, identifier, strict=False)
    )
    return "_".join(part for part in spaced.lower().split("_") if part)


def retired_in(identifier: str) -> list[str]:
    """The retired words of an identifier."""
    name = f"_{snake_case(identifier)}_"
    return [word for word in RETIRED if f"_{word}_" in name]


def complaints(file: str, named: Iterator[tuple[str, int]]) -> list[str]:
    """One line for each retired word: where it is, and what to use instead."""
    return [
        f"{file}:{line}: {identifier}: {word} is retired, use {RETIRED[word]}"
        for identifier, line in named
        if (file, identifier) not in ALLOWED
        for word in retired_in(identifier)
    ]


def names_in(file: Path, module: ast.Module) -> Iterator[tuple[str, int]]:
    yield file.stem, 0
    yield from defined(module)


def names_in_script(text: str) -> Iterator[tuple[str, int]]:
    for line, content in enumerate(text.splitlines(), 1):
        for found in _DEFINED_IN_SCRIPT.finditer(content):
            yield found[1], line


@pytest.mark.parametrize("file", sources(), ids=name_of)
def test_no_identifier_uses_a_retired_word(file: Path) -> None:
    found = complaints(name_of(file), names_in(file, tree(file)))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", SCRIPTS, ids=name_of)
def test_no_identifier_of_a_page_script_uses_a_retired_word(file: Path) -> None:
    found = complaints(name_of(file), names_in_script(file.read_text()))
    assert not found, "\n".join(found)


def test_exceptions_are_still_needed() -> None:
    for file, identifier in ALLOWED:
        path = ROOT / file
        assert identifier in {name for name, _ in names_in(path, tree(path))}, (file, identifier)
        assert retired_in(identifier), identifier


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def take_in_list(): pass", ["take_in"]),
        ("class TakenBackError(Exception): pass", ["taken", "taken_back"]),
        ("def f(self): self._told = 1", ["told"]),
        ("LAST_ORDER = 1", ["last_order"]),
        ("from x import y as overruled", ["overruled"]),
        ("def f(*, withdrawn_at): pass", ["withdrawn"]),
        ("def f(mistaken, order, last, topical, retold): pass", []),
    ],
)
def test_a_retired_word_is_found_however_it_is_written(source: str, found: list[str]) -> None:
    """The test above has teeth."""
    names = [name for name, _ in defined(ast.parse(source))]
    assert [word for name in names for word in retired_in(name)] == found


def test_a_complaint_names_the_place_and_the_word_to_use() -> None:
    assert complaints("x.py", iter([("_told", 7)])) == [
        "x.py:7: _told: told is retired, use reported, or a noun"
    ]


def test_a_retired_word_is_found_in_a_script() -> None:
    script = "function hush(element) {}\nexport const asked = 1; let toldOf = 2;\n"
    assert complaints("x.js", names_in_script(script)) == [
        "x.js:1: hush: hush is retired, use clear",
        "x.js:2: toldOf: told is retired, use reported, or a noun",
    ]
