"""`tandem facts`: what happened to one thing, oldest first.

Facts are stored by the hour, so each hour is asked for on its own; some hours at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Annotated

import typer

from chalicelib.domain.facts import Fact
from chalicelib.services.ports import Repository, hours
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError
from cli.printing import Json, print_json

HOURS_AT_ONCE = 8  # botocore keeps 10 connections
DAYS = 30

Subject = Annotated[
    str, typer.Argument(help="The id of an invitation, referral, voucher, contact, …")
]
Since = Annotated[
    datetime | None,
    typer.Option(help=f"From this moment on (UTC). The default is {DAYS} days before the end."),
]
Until = Annotated[
    datetime | None, typer.Option(help="Up to this moment (UTC). The default is now.")
]


def show_facts(
    subject: Subject,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
    stage: Stage = LOCAL,
) -> None:
    """Show the facts of one invitation, referral, voucher or contact."""
    connection = connect(stage)
    last = until.replace(tzinfo=UTC) if until else connection.clock()
    first = since.replace(tzinfo=UTC) if since else last - timedelta(days=DAYS)
    if first > last:
        raise CommandError("--since is later than --until")
    found = facts_between(connection.repository, subject, first, last)
    if as_json:
        print_json([record_of(fact) for fact in found])
        return
    if not found:
        typer.echo("none")
    if not since:
        typer.echo(f"(since {first:%Y-%m-%d %H:%M} UTC; further back with --since)", err=True)
    for fact in found:
        typer.echo("  ".join([fact.at.isoformat(), fact.name, _about(fact)]).rstrip())


def record_of(fact: Fact) -> dict[str, object]:
    """A fact as it is printed."""
    return {"at": fact.at, "fact": fact.name, "about": _about(fact)}


def _about(fact: Fact) -> str:
    about = sorted({**fact.ids, **fact.details}.items())
    return "  ".join(f"{name}={value}" for name, value in about)


def facts_between(
    repository: Repository, subject: str, first: datetime, last: datetime
) -> list[Fact]:
    """The facts of a subject, oldest first."""
    found = [one for one in _facts(repository, subject, first, last) if first <= one.at <= last]
    return sorted(found, key=lambda one: (one.at, one.fact_id))


def _facts(repository: Repository, subject: str, first: datetime, last: datetime) -> list[Fact]:
    def of_hour(hour: datetime) -> list[Fact]:
        return list(repository.facts_of(subject, hour, hour))

    with ThreadPoolExecutor(HOURS_AT_ONCE) as readers:
        found = chain.from_iterable(readers.map(of_hour, hours(first, last)))
        # Those that 0.2.0 stored are found with every hour.
        return list({fact.fact_id: fact for fact in found}.values())
