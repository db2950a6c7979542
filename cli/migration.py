"""`tandem migrate`: writes again what an earlier version stored."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from chalicelib.services.operations.migrate import write_again
from chalicelib.services.ports import Key
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

# Two calls an item, some 20 ms: a million in a quarter of an hour.
AT_ONCE = 24
PAGE = 1_000

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")]


def migrate(dry_run: DryRun = False, stage: Stage = LOCAL) -> None:
    """Write again what an earlier version stored, beside all other work. Run it after an update; it
    may be stopped and run again at any time.
    """
    connection = connect(stage)
    number = sum(1 for _ in connection.repository.of_before())
    if dry_run or not number:
        typer.echo(f"{number} items to write again")
        return
    failed = _write_all(connection, number)
    if failed:
        names = ", ".join(sorted(set(failed)))
        raise CommandError(f"{len(failed)} items could not be written: {names}", "run it again")
    typer.echo(f"{number} items written again")


def _write_all(connection: Connection, number: int) -> list[str]:
    """Write them all, some at once; what went wrong, by the type of the error."""
    failed: list[str] = []
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=number)
        with ThreadPoolExecutor(AT_ONCE) as workers:
            for page in _pages(connection.repository.of_before()):
                for error in workers.map(lambda key: _written(connection, key), page):
                    failed += [error] if error else []
                    progress.advance(task)
    return failed


def _pages(keys: Iterator[Key[Any]]) -> Iterator[list[Key[Any]]]:
    while page := list(islice(keys, PAGE)):
        yield page


def _written(connection: Connection, key: Key[Any]) -> str | None:
    """None, or the type of the error: its message may hold what must not be printed."""
    try:
        write_again(connection, key)
    except Exception as error:  # one item stops no other
        return type(error).__name__
    return None
