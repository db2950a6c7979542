"""`tandem journal`: whether the journal of a campaign is what was written."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.operations.verify_journal import Verified, verify_journal
from chalicelib.services.ports import Agenda
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError
from cli.printing import Json, print_json
from cli.reconcile import ports_of

READERS = 8  # botocore keeps 10 connections
SHOWN = 50  # findings of a campaign

app = typer.Typer(help="The journal.", no_args_is_help=True)

Campaign = Annotated[
    str | None, typer.Option("--campaign", help="This one alone. The default is all of them.")
]


@app.callback()
def _journal() -> None:
    """The journal."""


@app.command()
def verify(campaign: Campaign = None, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Verify chain, roots, counts, and that the facts in the table agree. Changes nothing."""
    connection = connect(stage)
    if not connection.place.roots_bucket:
        raise CommandError("this stack keeps no roots yet", "deploy this version first")
    ports = ports_of(connection)
    connection.prepare_for_threads()
    current = ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS)
    found = [one for one in current if campaign in {None, one.campaign}]
    if not found:
        raise CommandError(f"no campaign {campaign}" if campaign else "no campaigns")
    columns = SpinnerColumn(), TextColumn("{task.description} {task.completed}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        done = []
        for one in found:
            task = bar.add_task(one.campaign, total=None)
            progress = partial(_advance, bar, task, one.campaign)
            done.append(verify_journal(ports, one, readers=READERS, progress=progress))
    if as_json:
        print_json([_record(verified) for verified in done])
    else:
        for verified in done:
            _show(verified)
    if any(verified.findings for verified in done):
        raise typer.Exit(1)


def _advance(bar: Progress, task: TaskID, campaign: str, what: str, number: int) -> None:
    bar.update(task, description=f"{campaign}: {what}", completed=number)


def _record(done: Verified) -> dict[str, Any]:
    return {
        **asdict(done),
        "unreadable": sorted(done.unreadable),
        "agrees": not done.findings,
    }


def _show(done: Verified) -> None:
    verdict = "does not agree" if done.findings else "agrees"
    typer.echo(
        f"{done.campaign}: {verdict}: {done.facts} facts, {done.files} files, {done.roots} roots, "
        f"{max(0, done.after_root)} files since the last root"
    )
    for one in done.findings[:SHOWN]:
        typer.echo(f"  {one.what}: {one.where}")
    if len(done.findings) > SHOWN:
        typer.echo(f"  and {len(done.findings) - SHOWN} more")
