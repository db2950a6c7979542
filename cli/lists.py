"""`tandem list`: what is in force and what is held; release, refuse, roll back.

A decision is recorded with who took it; the ingest function then processes the held file, and its
receipt says what came of that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.domain.campaign.lists import ListLimits, ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.lists.drops import position_of_held
from chalicelib.domain.lists.model import CurrentList, HeldList, ListVersion
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.lists.review_held import (
    approve_held_list,
    held_lists,
    reject_held_list,
)
from chalicelib.services.lists.roll_back import roll_back_list
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

VERSIONS_SHOWN = 10
ID_SHOWN = 12
WIDTH = 160

app = typer.Typer(
    help="Customer and VIP lists: what is in force, what is held.", no_args_is_help=True
)


Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Name = Annotated[ListName, typer.Argument(metavar="LIST", help=" or ".join(ListName))]
Which = Annotated[
    str,
    typer.Option(
        "--id", metavar="ID", help="Which held list, as `status` shows it; needed when several are."
    ),
]


@app.command()
def status(campaign: Campaign, stage: Stage = LOCAL) -> None:
    """Show both lists: the version in force, its age, what is held, the versions before."""
    connection = connect(stage)
    rules = connection.repository.get(CurrentCampaign, campaign=campaign)
    if rules is None:
        raise CommandError(f"no campaign {campaign}: see them with: tandem campaign list")
    for name, limits in rules.document.lists.items():
        _show(connection, campaign, name, limits)


@app.command()
def release(campaign: Campaign, name: Name, which: Which = "", stage: Stage = LOCAL) -> None:
    """Approve a held list: it comes in force as it would have without the limit."""
    connection = connect(stage)
    one = _held(connection, campaign, name, which)
    approve_held_list(connection, one, by=connection.principal())
    typer.echo(f"{one.path}: released; its receipt says when it is in force")


@app.command()
def refuse(campaign: Campaign, name: Name, which: Which = "", stage: Stage = LOCAL) -> None:
    """Reject a held list: the same content is refused from now on."""
    connection = connect(stage)
    one = _held(connection, campaign, name, which)
    reject_held_list(connection, one, by=connection.principal())
    typer.echo(f"{one.path}: refused; its receipt says so")


@app.command()
def rollback(
    campaign: Campaign,
    name: Name,
    to: Annotated[int, typer.Option("--to", metavar="VERSION", help="The version to go back to.")],
    stage: Stage = LOCAL,
) -> None:
    """Put the content of an earlier version in force again, as a new version."""
    connection = connect(stage)
    try:
        now = roll_back_list(connection, campaign, name, to, by=connection.principal())
    except UnknownError as error:
        raise CommandError(
            f"no version {to} of {name.value} in {campaign}: see them with: "
            f"tandem list status {campaign}"
        ) from error
    except RefusedError as error:
        raise CommandError(_WHY_NOT[error.reason].format(to=to)) from error
    typer.echo(f"{name.value}: version {now.version} is in force, with the content of version {to}")


_WHY_NOT = {
    "in_force_already": "the content of version {to} is in force already",
    "key_not_in_force": "version {to} was made with a key that the campaign no longer names",
    "older_than_the_campaign_allows": "version {to} is older than the campaign allows "
    "(lists.….max_age_days): ask the client for a list",
}


def _held(connection: Connection, campaign: str, name: ListName, which: str) -> HeldList:
    held = [
        one
        for one in held_lists(connection, campaign, name.value)
        # Without an id, one that waits; one decided on may be decided on again by its id.
        if (_id(one, whole=True).startswith(which) if which else one.decision is None)
    ]
    if not held and connection.repository.get(CurrentCampaign, campaign=campaign) is None:
        raise CommandError(f"no campaign {campaign}: see them with: tandem campaign list")
    if not held:
        asked = f": {which}" if which else ""
        raise CommandError(f"nothing of {name.value} is held in {campaign}{asked}")
    if len(held) > 1:
        raise CommandError(
            "several lists are held: say which one with --id:",
            *(f"{_id(one)}  {one.path}" for one in held),
        )
    return held[0]


def _id(held: HeldList, *, whole: bool = False) -> str:
    """What names a held list: one content may be held as a full list and as a delta."""
    sha256 = held.sha256 if whole else held.sha256[:ID_SHOWN]
    return sha256 if held.mode == "full" else f"{held.mode}-{sha256}"


def _show(connection: Connection, campaign: str, name: ListName, limits: ListLimits) -> None:
    repository = connection.repository
    current = repository.get(CurrentList, campaign=campaign, name=name.value)
    typer.echo(f"{name.value}: {_state(current, limits, connection.clock())}")
    console = Console(width=max(WIDTH, Console().width))  # nothing is cut where it is piped
    held = held_lists(connection, campaign, name.value)
    if held:
        table = Table("held", "file", "mode", "digests", "reason", "since", "decision", box=None)
        for one in held:
            table.add_row(
                _id(one),
                one.path,
                one.mode,
                f"{one.rows:,}",
                f"{one.reason} ({one.detail})",
                _moment(one.held_at),
                one.decision or _prospect(one, current),
            )
        console.print(table)
    versions = list(repository.within(ListVersion, campaign=campaign, name=name.value))
    if versions:
        table = Table(
            "version", "made by", "digests", "speaks of", "key", "file's SHA-256", box=None
        )
        for version in reversed(versions[-VERSIONS_SHOWN:]):
            table.add_row(
                str(version.version),
                version.mode + (f" on {version.base_version}" if version.base_version else ""),
                f"{version.rows:,}",
                _moment(version.accepted_at),
                version.key_id,
                version.source_sha256[:ID_SHOWN],
            )
        console.print(table)


def _prospect(held: HeldList, current: CurrentList | None) -> str:
    overtaken = current is not None and position_of_held(held) < current.full.position
    return "overtaken by a later list" if overtaken else "waits for one"


def _state(current: CurrentList | None, limits: ListLimits, now: datetime) -> str:
    if current is None:
        return "no list yet: nothing is sent"
    age = now - current.accepted_at
    days = age / timedelta(days=1)
    found = f"version {current.version}, {current.rows:,} digests, {days:.1f} days old"
    if age > timedelta(days=limits.max_age_days):
        return f"{found}: OLDER THAN {limits.max_age_days} DAYS, not in force: nothing is sent"
    return f"{found} of {limits.max_age_days} at most: in force"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
