"""`tandem status`: which stack the commands talk to. No secret is shown."""

from __future__ import annotations

from dataclasses import asdict

import typer

from cli.connection import LOCAL, Stage, connect


def show_status(stage: Stage = LOCAL) -> None:
    """Show which stack the other commands talk to."""
    for name, value in asdict(connect(stage).place).items():
        typer.echo(f"{name:10}{value or 'AWS'}")
