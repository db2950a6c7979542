"""How a command fails: with lines that say what to do, and exit code 1."""

from __future__ import annotations


class CommandError(Exception):
    """The problems, one line each."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
