"""`tandem status`: which stack the commands talk to, and how it is.

Of each campaign in force: its lists, what waits for the client and since when, what ops have
stopped, mails that are stuck. Of the stack: its queues. The exit code is 1 where something needs
somebody. No secret is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.list_status import list_statuses
from chalicelib.services.ports import Agenda, OnFailure
from chalicelib.services.watch import watched
from cli.connection import LOCAL, Connection, Stage, connect
from cli.mails import stuck_mails
from cli.printing import Json, print_json, print_records
from cli.queues import queue_lengths
from cli.reconcile import ports_of
from cli.unreadable import naming_unreadable


def show_status(as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show which stack the other commands talk to, and how it is; exit code 1 if something needs
    somebody.
    """
    connection = connect(stage)
    place = asdict(connection.place)
    if not as_json:
        for name, value in place.items():
            typer.echo(f"{name:14}{value or 'AWS'}")
        typer.echo()
    queues = [one for one in queue_lengths(connection) if one["waiting"] or one["dead"]]
    with naming_unreadable() as on_failure:
        findings = [*_findings(connection, on_failure)]
        needs = [one for one in findings if one["needs_somebody"]]
        needs += [one for one in queues if one["dead"]]
        if as_json:
            print_json({"stack": place, "campaigns": findings, "queues": queues})
        else:
            print_records(findings, as_json=False)
            typer.echo()
            typer.echo("queues that are not empty:")
            print_records(queues, as_json=False)
    if needs:
        raise typer.Exit(1)


def _findings(connection: Connection, on_failure: OnFailure) -> Iterator[dict[str, Any]]:
    ports, now = ports_of(connection), connection.clock()
    for current in ports.repository.agenda(
        CurrentCampaign, Agenda.CAMPAIGNS, on_failure=on_failure
    ):
        campaign = current.document
        for name, status in list_statuses(ports, campaign).items():
            state = (
                f"version {status.version}, {status.rows} rows" if status.version else "none yet"
            )
            is_needed = campaign.is_open(now) and not status.in_force
            yield _finding(campaign, f"list {name}", state, status.accepted_at, is_needed)
        for each in watched(ports, campaign):
            about = f"{each.watch} of {each.template}" if each.template else str(each.watch)
            state = "" if each.left is None else f"{each.left} left"
            yield _finding(campaign, about, state, each.since, each.overdue)
        stuck = stuck_mails(connection, campaign.id, on_failure)
        if stuck:
            oldest = min(mail.leased_at for mail in stuck)
            yield _finding(campaign, "mails on their way for too long", len(stuck), oldest, True)


def _finding(
    campaign: Campaign, about: str, state: object, since: datetime | None, needs: bool
) -> dict[str, Any]:
    return {
        "campaign": campaign.id,
        "about": about,
        "state": state,
        "since": since,
        "needs_somebody": needs,
    }
