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


def surplus_words(command: Any, words: list[str]) -> list[str]:
    """The words that are neither a command, nor an option with its value, nor an argument."""
    options = {name: each for each in command.params for name in each.opts if name[0] == "-"}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if any(each.nargs == -1 for each in arguments):
        return []
    depth = 0
    found: Any = APP
    while depth < len(words) and words[depth] in within(found):
        found, depth = within(found)[words[depth]], depth + 1
    left, place = [], depth
    while place < len(words):
        option = options.get(words[place])
        left += [] if option else [words[place]]
        place += 1 if option is None or option.is_flag else 2
    return left[len(arguments) :]


def every_command(of: Any = APP, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    for name, each in within(of).items():
        if within(each):
            yield from every_command(each, *words, name)
        else:
            yield (*words, name)
