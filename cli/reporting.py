"""What a command says when it fails: plain lines on stderr and exit code 1, never a traceback.

CommandError and errors of files are known here. Anything else is a bug and shows its traceback.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from cli.errors import CommandError


class ReportingGroup(TyperGroup):
    """A group whose commands fail with lines that say what to do."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run a command; report why it failed."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            lines = self.lines_of(error)
            if lines is None:
                raise
        for line in lines:
            typer.echo(line, err=True)
        raise typer.Exit(1)

    def lines_of(self, error: Exception) -> tuple[str, ...] | None:
        """What to say of an error; None when it is a bug."""
        if isinstance(error, CommandError):
            return error.lines
        if isinstance(error, OSError) and error.strerror:
            return (": ".join(str(part) for part in (error.filename, error.strerror) if part),)
        return None
