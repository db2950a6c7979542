"""`tandem reconcile`: whether facts, counts, journal, mails and vouchers of a day agree.

The same as the daily report in `out/{campaign}/reports/`, on demand and for any local day.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from chalicelib import bootstrap
from chalicelib.domain.files.balance import BALANCE_COLUMNS
from chalicelib.services.operations.balance import balances
from chalicelib.services.ports import Ports
from chalicelib.settings import Settings
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_json, print_table

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=["%Y-%m-%d"], help="A local day; yesterday without it."),
]


def reconcile(campaign: Name, day: Day = None, as_json: Json = False, stage: Stage = LOCAL) -> None:
    """Print what does not agree of a day; exit code 1 if anything."""
    connection = connect(stage)
    document = current_campaign(connection, campaign).document
    yesterday = document.local_date(connection.clock()) - timedelta(days=1)
    asked = day.date() if day else yesterday
    [(_, _, findings)] = balances(ports_of(connection), [(document, asked)])
    if as_json:
        records = [asdict(one) for one in sorted(findings)]
        print_json({"campaign": campaign, "day": asked, "findings": records})
    elif not findings:
        typer.echo(f"{campaign}, {asked}: all agrees")
    else:
        table = Table(*BALANCE_COLUMNS, box=None)
        for one in sorted(findings):
            table.add_row(one.what.value, one.about, one.expected, one.found)
        print_table(table)
    if findings:
        raise CommandError(f"{campaign}, {asked}: {len(findings)} do not agree")


def ports_of(connection: Connection) -> Ports:
    """The ports of the use cases on the stack, to read: they name no queue and no sender."""
    place = connection.place
    settings = Settings(
        stage=place.stage,
        table=place.table,
        bucket=place.bucket,
        roots_bucket=place.roots_bucket,
        queues={},
        origin=place.origin,
        sender="",
        configuration_set="",
        keys_path=place.keys_path,
        pgp_key=place.pgp_key,
    )
    return bootstrap.wire(settings, connection.clients)
