"""`tandem export`: the numbered voucher files of a campaign, and one of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import Export
from chalicelib.domain.watch import is_unacknowledged
from chalicelib.services.written_files import files_of
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_record, print_records
from cli.unreadable import naming_unreadable

app = typer.Typer(help="The voucher files that the client takes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The number of the export.")]
Waiting = Annotated[
    bool, typer.Option("--unacknowledged", help="Only those that the client has not acknowledged.")
]
COLUMNS = ("export", "state", "vouchers", "written_at", "acknowledged_at", "overdue")


@app.command("list")
def list_exports(
    campaign: Name, unacknowledged: Waiting = False, as_json: Json = False, stage: Stage = LOCAL
) -> None:
    """Show the exports, the newest last, and which acknowledgements are overdue."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    with naming_unreadable() as on_failure:
        found = connection.repository.within(Export, on_failure, campaign=campaign)
        records = [
            _record(connection, rules, one)
            for one in sorted(found, key=lambda one: one.number)
            if not (unacknowledged and one.acknowledged_at)
        ]
        print_records(records, as_json=as_json, columns=COLUMNS)


@app.command()
def show(campaign: Name, number: Number, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Show one export: its file with its hash, and when it was acknowledged."""
    connection = connect(stage)
    rules = current_campaign(connection, campaign).document
    found = connection.repository.get(Export, campaign=campaign, number=number)
    if found is None:
        raise CommandError(f"no export {number}: list them with: tandem export list {campaign}")
    print_record(_record(connection, rules, found), as_json=as_json)


def _record(connection: Connection, rules: Campaign, export: Export) -> dict[str, Any]:
    folder = f"out/{export.campaign}/vouchers/{export.number:08}"
    return {
        "export": export.number,
        "state": export.state,
        "vouchers": export.rows,
        "opened_at": export.opened_at,
        "sealed_at": export.sealed_at,
        "written_at": export.written_at,
        "acknowledged_at": export.acknowledged_at,
        "overdue": is_unacknowledged(rules, export, connection.clock()),
        "file": files_of(folder, is_encrypted=export.is_encrypted)[0]
        if export.written_at
        else None,
        "sha256": export.sha256,
    }
