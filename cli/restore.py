"""`tandem restore`: bringing a restored table into service, step by step.

    stop ──► (AWS restores into a table of another name) ──► copy ──► plan, adopt ──► start

The runbook says when and how. Each step may be stopped and run again; nothing else may run from
`stop` to `start`. The table of the stack keeps its name, stream, expiry and backups, because the
restored items are copied into it: no resource of the stack changes.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote_plus

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import AlteredBundleError, BrokenChainError
from chalicelib.services.ports import FACT_SHARDS, Failure, hours
from chalicelib.services.restoring.adopt import (
    Adopted,
    CampaignMissingError,
    adopt,
    dropped_since,
    look,
)
from cli.asking import Yes, ask
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.reconcile import ports_of
from cli.tables import KEPT, Copied, copy_items

PROJECT = "project"
DRAINED_WITHIN = timedelta(minutes=5)
LOOK_AGAIN_S = 2.0
COUNTED_HOURS = timedelta(hours=2)
NAMED = 10  # of what is lost, in the table that is printed
MOMENTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]

app = typer.Typer(help="A restored table.", no_args_is_help=True)

Moment = Annotated[
    datetime,
    typer.Option("--moment", formats=MOMENTS, help="What the table was restored to, UTC."),
]
Source = Annotated[str, typer.Option("--from", help="The table that AWS restored into.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what differs.")]
AtOnce = Annotated[bool, typer.Option("--at-once", help="Do not wait until all facts are counted.")]


@app.callback()
def _restore() -> None:
    """A restored table."""


@app.command()
def stop(at_once: AtOnce = False, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Stop all functions; the one that journals last, when it has counted every fact."""
    connection = connect(stage)
    question = f"stop every function of tandem-{stage}? nothing is answered, sent or counted then"
    ask(question, yes=yes, otherwise="nothing was stopped")
    for function in connection.functions():
        if function != PROJECT:
            connection.halt(function)
    if not at_once:
        _wait_until_counted(connection)
    connection.halt(PROJECT)
    typer.echo("stopped: nothing is answered, sent or counted until: tandem restore start")


def _wait_until_counted(connection: Connection) -> None:
    until = connection.clock() + DRAINED_WITHIN
    while left := _uncounted(connection):
        if connection.clock() > until:
            raise CommandError(
                f"{left} facts of the last hours are not counted yet",
                "if the function project cannot count them any more: --at-once",
            )
        time.sleep(LOOK_AGAIN_S)


def _uncounted(connection: Connection) -> int:
    now = connection.clock()
    unreadable: list[Failure] = []
    uncounted = sum(
        not fact.counted
        for hour in hours(now - COUNTED_HOURS, now)
        for shard in range(FACT_SHARDS)
        for fact in connection.repository.facts_in(hour, shard, unreadable.append)
    )
    return uncounted + len(unreadable)


@app.command()
def start(stage: Stage = LOCAL) -> None:
    """Let all functions run again."""
    connection = connect(stage)
    for function in connection.functions():
        connection.resume(function)
    typer.echo("started")


@app.command()
def copy(source: Source, dry_run: DryRun = False, stage: Stage = LOCAL) -> None:
    """Make the items of the stack's table those of another one; safe to repeat."""
    connection = connect(stage)
    _require_stopped(connection)
    with Progress(
        SpinnerColumn(), TextColumn("{task.fields[read]} items read"), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("copy", total=None, read=0)
        copied = Copied()
        for copied in copy_items(
            connection.clients.dynamodb, source, connection.place.table, dry_run=dry_run
        ):
            bar.update(task, read=copied.read)
    verb = "would be " if dry_run else ""
    typer.echo(f"{copied.written} items {verb}written, {copied.removed} {verb}removed")
    typer.echo(f"{copied.kept} kept that only forbid something: {', '.join(sorted(KEPT))}")


@app.command()
def plan(moment: Moment, stage: Stage = LOCAL) -> None:
    """Show what happened since the moment and is to be brought back. Changes nothing."""
    connection = connect(stage)
    at = moment.replace(tzinfo=UTC)
    try:
        found = look(ports_of(connection), at)
    except (BrokenChainError, CampaignMissingError) as error:
        raise _explained(error) from error
    for known in found:
        outside, lost = known.outside, known.lost
        typer.echo(f"{outside.campaign}: {len(lost)} facts since then are not in the table")
        _show_names(Counter(fact.name for fact in lost))
        _show_unreadable(known.unreadable)
        typer.echo(f"  files of the journal: {len(outside.sealed)}")
        typer.echo(f"  exports: {_numbers(outside.exports)}")
        typer.echo(f"  files of changes: {_numbers(outside.changes)}")
    typer.echo(f"files in in/ to process again: {len(dropped_since(ports_of(connection), at))}")


@app.command(name="adopt")
def adopt_command(moment: Moment, stage: Stage = LOCAL) -> None:
    """Bring back what happened since the moment, with what it did; safe to repeat."""
    connection = connect(stage)
    _require_stopped(connection)
    at, ports = moment.replace(tzinfo=UTC), ports_of(connection)
    try:
        done = adopt(ports, at)
    except (BrokenChainError, AlteredBundleError, CampaignMissingError) as error:
        raise _explained(error) from error
    for one in done:
        _show_adopted(one)
    dropped = dropped_since(ports, at)
    queue = connection.queue_url("ingest")
    for written in dropped:
        version = {"versionId": written.version} if written.version else {}
        record = {
            "eventTime": written.at.isoformat(),
            # As S3 says it.
            "s3": {"object": {"key": quote_plus(written.path, safe="/")} | version},
        }
        body = json.dumps({"Records": [record]})
        connection.clients.sqs.send_message(QueueUrl=queue, MessageBody=body)
    typer.echo(f"files in in/ queued to be processed again: {len(dropped)}")


def _require_stopped(connection: Connection) -> None:
    running = [name for name in connection.functions() if not connection.is_halted(name)]
    if running:
        raise CommandError(
            f"these functions may run: {', '.join(running)}", "stop them: tandem restore stop"
        )


def _explained(error: Exception) -> CommandError:
    if isinstance(error, CampaignMissingError):
        return CommandError(
            f"put since the moment, and not in the table: {error}",
            "put these campaign files again, in their order: tandem campaign put",
        )
    return CommandError(
        f"the journal in the bucket does not follow from the table: {error}",
        'nothing was brought back: see the runbook, "Taking the table back"',
    )


# --- printing -------------------------------------------------------------------------------------


def _numbers(numbered: Iterable[int]) -> str:
    numbers = sorted(numbered)
    return f"{len(numbers)} ({numbers[0]} to {numbers[-1]})" if numbers else "none"


def _show_names(names: Counter[str]) -> None:
    for name, number in sorted(names.items()):
        typer.echo(f"  {name} {number}")


def _show_adopted(done: Adopted) -> None:
    typer.echo(f"{done.campaign}: {done.facts.total()} facts brought back")
    _show_names(done.facts)
    typer.echo(f"  files of the journal: {done.sealed}")
    typer.echo(f"  exports: {_numbers(done.exports)}, files of changes: {_numbers(done.changes)}")
    _show_unreadable(done.unreadable)
    if done.without_state:
        typer.echo("  of these only the fact is back; what it was about is lost:")
        _show_lost(done.without_state)
    if done.unknown_vouchers:
        typer.echo("  vouchers that only a file has; the client must block them:")
        typer.echo(f"    {' '.join(sorted(done.unknown_vouchers))}")
    if done.unreachable:
        typer.echo("  referrals whose address is lost; their referees get no more mails:")
        typer.echo(f"    {' '.join(done.unreachable)}")
    if done.called:
        typer.echo("  orders that calls reported; have the client report them again:")
        typer.echo(f"    {len(done.called)}")


def _show_unreadable(ids: Sequence[str]) -> None:
    if ids:
        typer.echo("  facts that the table has and nobody can read; they are left as they are:")
        typer.echo(f"    {' '.join(ids)}")


def _show_lost(facts: Sequence[Fact]) -> None:
    subjects: dict[str, list[str]] = {}
    for fact in facts:
        subjects.setdefault(fact.name, []).append(fact.subject)
    for name, ids in sorted(subjects.items()):
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        typer.echo(f"    {name} {len(ids)}: {' '.join(ids[:NAMED])}{more}")
