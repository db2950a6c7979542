"""`tandem status`: which stack the commands talk to, and how it is.

Of each campaign in force: its lists and those that are held, what waits for the client and since
when, stopped invitations, mails that are stuck, held rewards. Of the stack: its queues. The exit
code is 1 where something needs somebody. No secret is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.list_status import ListStatus, list_statuses
from chalicelib.services.operations.reconcile import DECIDED_BEFORE
from chalicelib.services.ports import Agenda, OnFailure
from chalicelib.services.vouchers.review_rewards import held_rewards
from chalicelib.services.watch import Watch, watched
from cli.connection import LOCAL, Connection, Stage, connect
from cli.lists import undecided_lists
from cli.mails import stuck_mails
from cli.printing import Json, print_json, print_records
from cli.queues import queue_lengths
from cli.reconcile import ports_of
from cli.unreadable import naming_unreadable

# What `left` and `since` of a thing that is watched say.
_STATES = {
    Watch.ACKNOWLEDGEMENTS: "{left} exports wait",
    Watch.ORDERS: "last file",
    Watch.CODES: "{left} left",
    Watch.INVITATIONS: "stopped",
}


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
    lengths = queue_lengths(connection)
    missing = [one["queue"] for one in lengths if one["dead"] is None]
    queues = [one for one in lengths if one["waiting"] or one["dead"]]
    with naming_unreadable() as on_failure:
        findings = [*_findings(connection, on_failure)]
        needs = [one for one in findings if one["needs_somebody"]]
        needs += [one for one in queues if one["dead"]]
        if as_json:
            print_json(
                {
                    "stack": place,
                    "campaigns": findings,
                    "queues": queues,
                    "queues_not_there": missing,
                }
            )
        else:
            print_records(findings, as_json=False)
            typer.echo()
            typer.echo("queues that are not empty:")
            print_records(queues, as_json=False)
            if missing:
                names = ", ".join(missing)
                typer.echo(f"queues that this stack does not have, of an earlier version: {names}")
    if needs:
        raise typer.Exit(1)


def _findings(connection: Connection, on_failure: OnFailure) -> Iterator[dict[str, Any]]:
    ports, now = ports_of(connection), connection.clock()
    for current in ports.repository.agenda(
        CurrentCampaign, Agenda.CAMPAIGNS, on_failure=on_failure
    ):
        campaign = current.document
        for name, status in list_statuses(ports, campaign).items():
            state = _list_state(status)
            is_needed = campaign.is_open(now) and not status.in_force
            yield _finding(campaign, f"list {name}", state, status.accepted_at, is_needed)
            undecided = undecided_lists(connection, campaign.id, name)
            if undecided:
                state, since = f"{len(undecided)} held", undecided[0].held_at
                yield _finding(campaign, f"list {name}", state, since, True)
        for each in watched(ports, campaign):
            about = f"{each.watch} of {each.template}" if each.template else str(each.watch)
            state = _STATES[each.watch].format(left=each.left)
            if each.watch is Watch.ORDERS and each.since is None:
                state = "none yet"
            yield _finding(campaign, about, state, each.since, each.overdue)
        held = held_rewards(connection, campaign.id, on_failure)
        if held:
            first = held[0].hold.ends_at
            state = f"{len(held)} held, the first until {first:%Y-%m-%d}"
            yield _finding(campaign, "rewards", state, None, first - now < DECIDED_BEFORE)
        stuck = stuck_mails(connection, campaign.id, on_failure)
        if stuck:
            oldest = min(mail.leased_at for mail in stuck)
            yield _finding(campaign, "mails on their way for too long", len(stuck), oldest, True)


def _list_state(status: ListStatus) -> str:
    if not status.version:
        return "none yet"
    found = f"version {status.version}, {status.rows} rows"
    return found if status.in_force else f"{found}, older than {status.max_age_days} days"


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
