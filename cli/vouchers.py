"""`tandem voucher`: show the vouchers that the client refused, and replace one of them.

Refused vouchers are replaced by themselves, unless three codes of one holder were refused. A
decision to replace one all the same is recorded with who made it.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.vouchers.replace_refused import refused_vouchers, replace_refused
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

WIDTH = 160

app = typer.Typer(help="Vouchers whose codes the client refused.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Which = Annotated[str, typer.Argument(metavar="VOUCHER", help="Its id, as `refused` shows it.")]


@app.command()
def refused(campaign: Name, stage: Stage = LOCAL) -> None:
    """Show the refused vouchers that nothing has replaced yet, and the client's reasons."""
    connection = connect(stage)
    found = refused_vouchers(connection, _campaign(connection, campaign).id)
    if not found:
        typer.echo("none")
        return
    table = Table("voucher", "holder", "template", "export", "the client's reason", box=None)
    for voucher in found:
        export = str(voucher.export or "")
        reason = voucher.refused_reason or ""
        table.add_row(voucher.voucher_id, voucher.holder, voucher.template, export, reason)
    Console(width=max(WIDTH, Console().width)).print(table)  # nothing is truncated in a pipe


@app.command()
def replace(campaign: Name, which: Which, stage: Stage = LOCAL) -> None:
    """Replace a refused voucher, however often codes of its holder were refused."""
    connection = connect(stage)
    rules = _campaign(connection, campaign)
    found = [one for one in refused_vouchers(connection, rules.id) if one.voucher_id == which]
    if not found:
        raise CommandError(f"no refused voucher {which}: see: tandem voucher refused {campaign}")
    outcome = replace_refused(connection, rules, found[0].code_key, by=connection.principal())
    if outcome is not ReplacementOutcome.REPLACED:
        raise CommandError(f"{which}: {_PROBLEMS[outcome]}")
    typer.echo(f"{which}: replaced; the new voucher is in the next export")


_PROBLEMS = {
    ReplacementOutcome.NOT_OWED: "it has ended, or it was revoked or replaced meanwhile",
    ReplacementOutcome.WAITS_FOR_CODES: "the template has no code left: the client must drop some",
}


def _campaign(connection: Connection, name: str) -> Campaign:
    current = connection.repository.get(CurrentCampaign, campaign=name)
    if current is None:
        raise CommandError(f"no campaign {name}: list them with: tandem campaign list")
    return current.document
