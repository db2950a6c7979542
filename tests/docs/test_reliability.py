"""The page of reliability has a row for every law, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

from bench.capacity.rows import COLUMNS
from tests.reliability.figures import COLUMNS as FIGURE_COLUMNS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
LAWS = (ROOT / "docs/laws.md").read_text(encoding="utf-8")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = PAGE.split(f"## {heading}\n")[1].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_law_has_a_row_under_its_number_and_name() -> None:
    laws = re.findall(r"^## (\d+\. .+)$", LAWS, re.MULTILINE)
    assert len(laws) == 12
    assert [row[0] for row in _rows("The laws")] == laws


def test_every_promise_names_its_mechanism_and_tests_that_are_there() -> None:
    for row in _rows("The laws") + _rows("Nothing is lost"):
        assert row[1], row[0]
        tests = re.findall(r"`(tests/[\w/]+\.py)`", row[2])
        assert tests, row[0]
        for test in tests:
            assert (ROOT / test).is_file(), test


def test_the_figures_are_tables_as_the_commands_print_them() -> None:
    assert f"| {' | '.join(FIGURE_COLUMNS)} |" in PAGE
    assert f"| {' | '.join(COLUMNS)} |" in PAGE
