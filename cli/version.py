"""`--version`: the same for the command of our own machines and that of the retailer's wheel."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer


def add_version(app: typer.Typer, distribution: str) -> None:
    """Let `--version` show the version of the distribution that is installed."""

    def show(asked: bool) -> None:
        if asked:
            typer.echo(f"tandem {version(distribution)}")
            raise typer.Exit

    option = typer.Option("--version", callback=show, is_eager=True, help="Show it and exit.")

    def tandem(shown: bool = False) -> None:
        pass

    # Not in the signature: with postponed evaluation an annotation cannot name a local option.
    tandem.__annotations__["shown"] = Annotated[bool, option]
    app.callback(help=app.info.help)(tandem)
