"""`tandem campaign`: check a file, simulate it, compare it, put it in force; list and show those in
force, their versions, and go back to one.

What is put or gone back to is named by field first, with a warning where a change reaches what was
granted before. At a terminal a question follows, unless `--yes` answers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from chalicelib.adapters.s3 import BucketFiles
from chalicelib.domain.campaign.brand import CONTENT_TYPES, Picture
from chalicelib.domain.campaign.differences import field_differences, reward_differences
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.services.campaigns.put import RECORDS_ENDED, put_campaign
from chalicelib.services.errors import InvalidError
from chalicelib.services.ports import Agenda
from cli.asking import Yes, ask
from cli.campaign_check import Known, key_problems, pictures_of, read_campaign_and_warnings
from cli.campaign_file import campaign_text, schema_text
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.keys import require_keys, require_own_key, require_own_pgp_key
from cli.lookups import current_campaign
from cli.printing import Json, print_json, print_records
from cli.simulation.command import simulate

NOTHING_PUT = "nothing was put"

app = typer.Typer(help="Campaign files and the campaigns in force.", no_args_is_help=True)
app.command()(simulate)

File = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The campaign file.")]
Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Name what would change, and put nothing.")]


@app.command()
def check(file: File) -> None:
    """Check a campaign file and report every problem; warn of what is probably not meant. Nothing
    is stored.
    """
    campaign = _read(file)
    typer.echo(f"{file}: campaign {campaign.id} is valid")


@app.command()
def diff(file: File, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show what a campaign file would change, field by field; exit code 1 if anything."""
    connection = connect(stage)
    campaign = _read(file, lambda name: _stored_pictures(connection, name))
    before = connection.repository.get(CurrentCampaign, campaign=campaign.id)
    if before is None:
        raise CommandError(f"campaign {campaign.id}: new on this stack")
    records = [*_differences(before.document, campaign)]
    if as_json:
        print_json(records)
    elif records:
        _show_differences(before.document, campaign)
    else:
        typer.echo(f"campaign {campaign.id}: no difference from version {before.version}, in force")
    if records:
        raise typer.Exit(1)


@app.command()
def put(file: File, dry_run: DryRun = False, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Put a campaign file in force, as the next version of its campaign. What it changes is named
    first, field by field, and what that means for rewards.
    """
    campaign = _read(file, lambda name: _stored_pictures(connect(stage), name))
    connection = connect(stage)
    require_keys(connection, campaign.digests)
    before = connection.repository.get(CurrentCampaign, campaign=campaign.id)
    if before:
        _show_differences(before.document, campaign)
    if dry_run:
        typer.echo(f"campaign {campaign.id}: nothing was put")
        return
    if before and field_differences(before.document, campaign):
        question = f"put it in force in place of version {before.version}?"
        ask(question, yes=yes, otherwise=NOTHING_PUT)
    require_own_key(connection)
    if campaign.encrypt_to:
        require_own_pgp_key(connection)
    store_pictures(connection, campaign, file)
    _put(connection, campaign, before)


@app.command()
def rollback(
    campaign: Name,
    to: Annotated[int, typer.Option("--to", metavar="VERSION", help="The version to go back to.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    stage: Stage = LOCAL,
) -> None:
    """Put an earlier version of a campaign in force again, as its next version."""
    connection = connect(stage)
    before = current_campaign(connection, campaign)
    document = _version(connection, campaign, to).document
    require_keys(connection, document.digests)
    if problem := key_problems(document, connection.clock()).problem:
        raise CommandError(f"files.encrypt_to: {problem}")
    _show_differences(before.document, document)
    if dry_run:
        typer.echo(f"campaign {campaign}: nothing was put")
        return
    question = f"put version {to} in force in place of version {before.version}?"
    ask(question, yes=yes, otherwise=NOTHING_PUT)
    _put(connection, document, before)


def _put(connection: Connection, campaign: Campaign, before: CurrentCampaign | None) -> None:
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


def _differences(before: Campaign, after: Campaign) -> Iterator[dict[str, Any]]:
    for each in field_differences(before, after):
        yield {
            "field": each.field,
            "before": each.before,
            "after": each.after,
            "warning": each.warning,
        }


def _show_differences(before: Campaign, after: Campaign) -> None:
    for each in field_differences(before, after):
        typer.echo(f"{each.field}: {_value(each.before)} → {_value(each.after)}", err=True)
        if each.warning:
            typer.echo(f"  {each.warning}", err=True)
    for line in reward_differences(before, after):
        typer.echo(line, err=True)


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)


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
def list_campaigns(as_json: Json = False, stage: Stage = LOCAL) -> None:
    """List the campaigns in force."""
    repository = connect(stage).repository
    records = [
        {
            "campaign": current.campaign,
            "version": current.version,
            "brand": current.document.brand.name,
            "starts_on": current.document.starts_on,
            "ends_on": current.document.ends_on,
            "put_at": current.put_at,
        }
        for current in repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS)
    ]
    print_records(records, as_json=as_json)


@app.command()
def history(campaign: Name, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show the versions of a campaign, and which fields each one changed."""
    connection = connect(stage)
    current_campaign(connection, campaign)
    found = connection.repository.within(CampaignVersion, campaign=campaign)
    versions = sorted(found, key=lambda one: one.version)
    before = [None, *versions]
    records = [
        {
            "version": one.version,
            "put_at": one.put_at,
            "changed": [each.field for each in field_differences(last.document, one.document)]
            if last
            else ["new"],
        }
        for last, one in zip(before, versions, strict=False)
    ]
    print_records(records, as_json=as_json)


@app.command()
def show(
    campaign: Name,
    version: Annotated[
        int | None, typer.Option("--version", help="An earlier version; that in force without it.")
    ] = None,
    stage: Stage = LOCAL,
) -> None:
    """Print a campaign as a file, which can be edited and put in force again."""
    connection = connect(stage)
    shown: CampaignVersion = current_campaign(connection, campaign)
    if version is not None:
        shown = _version(connection, campaign, version)
    typer.echo(f"# version {shown.version}, put at {shown.put_at.isoformat()}")
    typer.echo(campaign_text(shown.document), nl=False)


def _version(connection: Connection, campaign: str, number: int) -> CampaignVersion:
    found = connection.repository.get(CampaignVersion, campaign=campaign, version=number)
    if found is None:
        raise CommandError(
            f"no version {number} of {campaign}: list them with: tandem campaign history {campaign}"
        )
    return found


@app.command()
def schema() -> None:
    """Print the JSON Schema of the campaign file, for editors."""
    typer.echo(schema_text(), nl=False)
