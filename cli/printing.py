"""How commands print what they found: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

WIDTH = 160  # of a table in a pipe, so that nothing is truncated there

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Record = Mapping[str, Any]


def print_records(records: Sequence[Record], *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print things of one kind. `columns` are those of the table, by default all; JSON has all."""
    if as_json:
        print_json(records)
        return
    if not records:
        typer.echo("none")
        return
    names = columns or list(records[0])
    table = Table(*(name.replace("_", " ") for name in names), box=None)
    for record in records:
        table.add_row(*(_cell(record.get(name)) for name in names))
    print_table(table)


def print_record(record: Record, *, as_json: bool) -> None:
    """Print one thing, a line for each of its fields that has a value."""
    if as_json:
        print_json(record)
        return
    shown = {name.replace("_", " "): _cell(value) for name, value in record.items()}
    width = max(map(len, shown), default=0) + 2
    for name, value in shown.items():
        if value:
            typer.echo(f"{name:{width}}{value}")


def print_table(table: Table) -> None:
    """Print a table; in a pipe nothing is truncated."""
    Console(width=max(WIDTH, Console().width)).print(table)


def print_json(value: object) -> None:
    """Print JSON: times in ISO 8601, with their zone."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S %Z}".rstrip()
        case list() | tuple():
            return ", ".join(map(_cell, value))
        case _:
            return str(value)
