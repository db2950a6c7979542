"""The page of the laws names tests that are there, and leaves out no law."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAWS = (ROOT / "docs/laws.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", LAWS)


def _tests_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    assert test in _tests_in(ROOT / file)


def test_each_law_names_its_enforcement_and_its_proof() -> None:
    sections = re.split(r"^## ", LAWS, flags=re.MULTILINE)[1:]
    assert [int(section.partition(".")[0]) for section in sections] == list(range(1, 13))
    for section in sections:
        assert "**Enforced**" in section
        assert re.search(r"\*\*Tests\*\*\n\n- `tests/", section)
