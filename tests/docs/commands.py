"""The commands of `tandem`, to compare documents with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from cli.main import app

APP: Any = typer.main.get_command(app)


def within(command: Any) -> Mapping[str, Any]:
    """The commands of a group of commands, none of a single one."""
    return getattr(command, "commands", {})


def command(words: list[str]) -> Any:
    """The command that the words after `tandem` call."""
    found: Any = typer.main.get_command(app)
    for word in words:
        if not within(found):
            break
        assert word in within(found), f"tandem has no {' '.join(words)}"
        found = within(found)[word]
    return found


def unknown_options(command: Any, words: list[str]) -> set[str]:
    """The options among `words` that a command does not have."""
    known = {option for each in command.params for option in each.opts}
    return {word for word in words if word.startswith("--")} - known


def every_command(of: Any = APP, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    for name, each in within(of).items():
        if within(each):
            yield from every_command(each, *words, name)
        else:
            yield (*words, name)
