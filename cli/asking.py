"""A question before a command changes what is in force."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.errors import CommandError

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def ask(question: str, *, yes: bool, otherwise: str) -> None:
    """Ask at a terminal; a script has decided. Raises CommandError with `otherwise` after a no."""
    if yes or not _is_terminal():
        return
    if not typer.confirm(question, err=True):
        raise CommandError(otherwise)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
