"""`tandem campaign`: check a file, simulate it, put it in force, list and show those in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.adapters.s3 import BucketFiles
from chalicelib.domain.campaign.brand import CONTENT_TYPES, Picture
from chalicelib.domain.campaign.differences import reward_differences
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.campaigns.put import RECORDS_ENDED, put_campaign
from chalicelib.services.errors import InvalidError
from chalicelib.services.ports import Agenda
from cli.campaign_file import (
    Known,
    campaign_text,
    pictures_of,
    read_campaign_and_warnings,
    schema_text,
)
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.keys import require_keys, require_own_key
from cli.simulation.command import simulate

app = typer.Typer(help="Campaign files: check, simulate, put, list, show.", no_args_is_help=True)
app.command()(simulate)

File = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The campaign file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Name what would change, and put nothing.")]


@app.command()
def check(file: File) -> None:
    """Check a campaign file and report every problem; warn of what is probably not meant. Nothing
    is stored.
    """
    campaign = _read(file)
    typer.echo(f"{file}: campaign {campaign.id} is valid")


@app.command()
def put(file: File, dry_run: DryRun = False, stage: Stage = LOCAL) -> None:
    """Put a campaign file in force, as the next version of its campaign. What
    changes for rewards is named first: rules, templates, caps and what else decides them.
    """
    campaign = _read(file, lambda name: _stored_pictures(connect(stage), name))
    connection = connect(stage)
    require_keys(connection, campaign.digests)
    require_own_key(connection)
    before = connection.repository.get(CurrentCampaign, campaign=campaign.id)
    for line in reward_differences(before.document, campaign) if before else ():
        typer.echo(line, err=True)
    if dry_run:
        typer.echo(f"campaign {campaign.id}: nothing was put")
        return
    store_pictures(connection, campaign, file)
    try:
        after = put_campaign(connection, campaign)
    except InvalidError as error:
        if any(problem.reason == RECORDS_ENDED for problem in error.problems):
            raise CommandError(
                "campaign: its records have ended, so nobody knows any more who was invited in it: "
                "choose a new id"
            ) from error
        raise CommandError(
            "digests.algorithm: cannot change under the same key id: choose a new key id"
        ) from error
    unchanged = before is not None and before.version == after.version
    state = "already in force" if unchanged else "in force"
    typer.echo(f"campaign {after.campaign}: {state} as version {after.version}")


def store_pictures(connection: Connection, campaign: Campaign, file: Path) -> None:
    """Store what a campaign shows, before the version that names it. A picture never changes: its
    name is made of its bytes.
    """
    files = BucketFiles(connection.clients, connection.place.bucket)
    for _, name, path in pictures_of(campaign, file):
        if not path.is_file():
            continue  # stored with a version before this one
        picture = campaign.pictures[name]
        files.write(
            picture.path(campaign.id), path.read_bytes(), content_type=CONTENT_TYPES[picture.kind]
        )


def _stored_pictures(connection: Connection, name: str) -> Mapping[str, Picture]:
    current = connection.repository.get(CurrentCampaign, campaign=name)
    return current.document.pictures if current else {}


def _read(file: Path, known: Known | None = None) -> Campaign:
    campaign, warnings = read_campaign_and_warnings(file, *([known] if known else []))
    for line in warnings:
        typer.echo(line, err=True)
    return campaign


@app.command("list")
def list_campaigns(stage: Stage = LOCAL) -> None:
    """List the campaigns in force."""
    repository = connect(stage).repository
    table = Table("campaign", "version", "brand", "starts on", "ends on", "put at", box=None)
    for current in repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS):
        document = current.document
        table.add_row(
            current.campaign,
            str(current.version),
            document.brand.name,
            document.starts_on.isoformat(),
            document.ends_on.isoformat(),
            f"{current.put_at:%Y-%m-%d %H:%M:%S}",
        )
    Console(soft_wrap=True).print(table)


@app.command()
def show(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")],
    stage: Stage = LOCAL,
) -> None:
    """Print the campaign in force as a file, which can be edited and put in force again."""
    current = connect(stage).repository.get(CurrentCampaign, campaign=campaign)
    if current is None:
        raise CommandError(f"no campaign {campaign}: list them with: tandem campaign list")
    typer.echo(f"# version {current.version}, put at {current.put_at.isoformat()}")
    typer.echo(campaign_text(current.document), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the campaign file, for editors."""
    typer.echo(schema_text(), nl=False)
