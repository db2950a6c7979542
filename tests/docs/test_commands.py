"""The table of docs/operations.md from questions to commands: each command, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.commands import command, every_command, surplus_words, unknown_options, within

OPERATIONS = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
TABLE = OPERATIONS.split("| question | command |")[1].split("\n\n")[0]
NAMED = sorted(set(re.findall(r"`tandem ([^`]+)`", TABLE)))


@pytest.mark.parametrize("line", NAMED)
def test_a_command_of_the_table_exists_with_its_options(line: str) -> None:
    words = line.split()
    assert unknown_options(command(words), words) == set()
    assert surplus_words(command(words), words) == []


@pytest.mark.parametrize("words", [*every_command()], ids=" ".join)
def test_every_command_answers_a_question_of_the_table(words: tuple[str, ...]) -> None:
    line = " ".join(words)
    groups = [named for named in NAMED if within(command(named.split()))]
    assert any(f"{named} ".startswith(f"{line} ") for named in NAMED) or words[0] in groups
