"""How a command says no: lines a person can act on, and exit code 1."""

from __future__ import annotations


class CommandError(Exception):
    """What is wrong, one line a problem."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
