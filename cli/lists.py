"""`tandem list`: show the lists in force and held; release, refuse, roll back.

A decision is recorded with who made it; the ingest function then processes the held file, and its
receipt has the result.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.domain.campaign.file import Campaign as CampaignFile
from chalicelib.domain.campaign.lists import ListLimits, ListName
from chalicelib.domain.lists.drops import position_of_held
from chalicelib.domain.lists.model import CurrentList, HeldList, ListVersion
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.list_status import list_statuses
from chalicelib.services.lists.review_held import (
    approve_held_list,
    held_lists,
    reject_held_list,
)
from chalicelib.services.lists.roll_back import roll_back_list
from cli.asking import Yes, ask
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_json

VERSIONS_SHOWN = 10
ID_SHOWN = 12
WIDTH = 160

app = typer.Typer(help="Customer and VIP lists: in force and held.", no_args_is_help=True)


Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Name = Annotated[ListName, typer.Argument(metavar="LIST", help=" or ".join(ListName))]
Which = Annotated[
    str,
    typer.Option(
        "--id",
        metavar="ID",
        help="The held list, as `status` shows it; needed if there are several.",
    ),
]


@app.command()
def status(campaign: Campaign, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show both lists: the version in force, its age, held lists, earlier versions."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    if as_json:
        print_json(
            {name.value: _record(connection, rules, name) for name, _ in rules.lists.items()}
        )
        return
    for name, limits in rules.lists.items():
        _show(connection, campaign, name, limits)


@app.command()
def release(
    campaign: Campaign, name: Name, which: Which = "", yes: Yes = False, stage: Stage = LOCAL
) -> None:
    """Approve a held list: it is put in force as it would have been without the limit."""
    connection = connect(stage)
    held = _held(connection, campaign, name, which)
    _ask(f"release {_described(held)}?", yes=yes)
    approve_held_list(connection, held, by=connection.principal())
    typer.echo(f"{held.path}: released; its receipt will say when it is in force")


@app.command()
def refuse(
    campaign: Campaign, name: Name, which: Which = "", yes: Yes = False, stage: Stage = LOCAL
) -> None:
    """Reject a held list: the same content is refused from now on."""
    connection = connect(stage)
    held = _held(connection, campaign, name, which)
    _ask(f"refuse {_described(held)}?", yes=yes)
    reject_held_list(connection, held, by=connection.principal())
    typer.echo(f"{held.path}: refused; its receipt will say so")


@app.command()
def rollback(
    campaign: Campaign,
    name: Name,
    to: Annotated[int, typer.Option("--to", metavar="VERSION", help="The version to restore.")],
    yes: Yes = False,
    stage: Stage = LOCAL,
) -> None:
    """Put the content of an earlier version in force again, as a new version."""
    connection = connect(stage)
    _ask(f"put the content of version {to} of {name.value} in force in {campaign}?", yes=yes)
    try:
        restored = roll_back_list(connection, campaign, name, to, by=connection.principal())
    except UnknownError as error:
        raise CommandError(
            f"no version {to} of {name.value} in {campaign}: list them with: "
            f"tandem list status {campaign}"
        ) from error
    except RefusedError as error:
        raise CommandError(_REFUSALS[error.reason].format(to=to)) from error
    typer.echo(
        f"{name.value}: version {restored.version} is in force, with the content of version {to}"
    )


_REFUSALS = {
    "in_force_already": "the content of version {to} is already in force",
    "key_not_in_force": "version {to} was made with a key that the campaign no longer names",
    "older_than_the_campaign_allows": "version {to} is older than the campaign allows "
    "(lists.….max_age_days): ask the client for a new list",
}


def _held(connection: Connection, campaign: str, name: ListName, which: str) -> HeldList:
    held = [
        each
        for each in held_lists(connection, campaign, name.value)
        # Without an id, only undecided lists; a decision may be changed by giving the id.
        if (_id(each, whole=True).startswith(which) if which else each.decision is None)
    ]
    if not held:
        current_campaign(connection, campaign)
        suffix = f" under the id {which}" if which else ""
        raise CommandError(f"no list {name.value} is held in {campaign}{suffix}")
    if len(held) > 1:
        raise CommandError(
            "several lists are held: choose one with --id:",
            *(f"{_id(each)}  {each.path}" for each in held),
        )
    return held[0]


def _ask(question: str, *, yes: bool) -> None:
    ask(question, yes=yes, otherwise="nothing was changed")


def _described(held: HeldList) -> str:
    return f"{held.path} in {held.campaign}, {held.rows:,} digests ({held.reason}, {held.detail})"


def _id(held: HeldList, *, whole: bool = False) -> str:
    """The id of a held list, with its mode: one content may be held as full list and as delta."""
    sha256 = held.sha256 if whole else held.sha256[:ID_SHOWN]
    return sha256 if held.mode == "full" else f"{held.mode}-{sha256}"


def _record(connection: Connection, rules: CampaignFile, name: ListName) -> dict[str, Any]:
    repository = connection.repository
    current = repository.get(CurrentList, campaign=rules.id, name=name.value)
    return {
        **asdict(list_statuses(connection, rules)[name.value]),
        "held": [
            {
                "id": _id(each),
                "file": each.path,
                "mode": each.mode,
                "digests": each.rows,
                "reason": each.reason,
                "detail": each.detail,
                "since": each.held_at,
                "decision": each.decision or _pending_text(each, current),
            }
            for each in held_lists(connection, rules.id, name.value)
        ],
        "versions": [
            {
                "version": each.version,
                "made_by": each.mode,
                "digests": each.rows,
                "as_of": each.accepted_at,
                "key": each.key_id,
                "sha256": each.source_sha256,
            }
            for each in repository.within(ListVersion, campaign=rules.id, name=name.value)
        ],
    }


def _show(connection: Connection, campaign: str, name: ListName, limits: ListLimits) -> None:
    repository = connection.repository
    current = repository.get(CurrentList, campaign=campaign, name=name.value)
    typer.echo(f"{name.value}: {_state(current, limits, connection.clock())}")
    console = Console(width=max(WIDTH, Console().width))  # nothing is truncated in a pipe
    held = held_lists(connection, campaign, name.value)
    if held:
        table = Table("held", "file", "mode", "digests", "reason", "since", "decision", box=None)
        for each in held:
            table.add_row(
                _id(each),
                each.path,
                each.mode,
                f"{each.rows:,}",
                f"{each.reason} ({each.detail})",
                _moment(each.held_at),
                each.decision or _pending_text(each, current),
            )
        console.print(table)
    versions = list(repository.within(ListVersion, campaign=campaign, name=name.value))
    if versions:
        table = Table("version", "made by", "digests", "as of", "key", "file's SHA-256", box=None)
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


def undecided_lists(connection: Connection, campaign: str, name: str) -> list[HeldList]:
    """The held lists that wait for somebody, oldest first."""
    current = connection.repository.get(CurrentList, campaign=campaign, name=name)
    return [
        each
        for each in held_lists(connection, campaign, name)
        if each.decision is None and not _is_replaced(each, current)
    ]


def _is_replaced(held: HeldList, current: CurrentList | None) -> bool:
    return current is not None and position_of_held(held) < current.full.position


def _pending_text(held: HeldList, current: CurrentList | None) -> str:
    return "replaced by a later list" if _is_replaced(held, current) else "undecided"


def _state(current: CurrentList | None, limits: ListLimits, now: datetime) -> str:
    if current is None:
        return "no list yet: nothing is sent"
    age = now - current.accepted_at
    days = age / timedelta(days=1)
    found = f"version {current.version}, {current.rows:,} digests, {days:.1f} days old"
    if age > timedelta(days=limits.max_age_days):
        return f"{found}: OLDER THAN {limits.max_age_days} DAYS, not in force: nothing is sent"
    return f"{found} (at most {limits.max_age_days}): in force"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
