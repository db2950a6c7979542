"""`tandem mail`: show the mails that did not arrive, have a voucher's sent once more, resume
invitations.

No command shows an address. Who decided is recorded.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.services.mails.resend import ResendOutcome, undelivered_mails
from chalicelib.services.mails.resend import resend as send_again
from chalicelib.services.protection import resume
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

WIDTH = 160

app = typer.Typer(
    help="Mails that did not arrive, and invitations that are stopped.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name.")]
Which = Annotated[
    str, typer.Argument(metavar="MAIL", help="Its id as `list` shows it, or its voucher's.")
]

_PROBLEMS = {
    ResendOutcome.UNKNOWN: "no such mail: see: tandem mail list",
    ResendOutcome.NOT_A_VOUCHERS: "only a voucher's mail is sent again",
    ResendOutcome.BEING_SENT: "it is being sent already",
    ResendOutcome.NOT_UNDELIVERED: "nothing says that it did not arrive",
    ResendOutcome.VOUCHER_ENDED: "its voucher has been used, has ended or was revoked",
    ResendOutcome.ADDRESS_GONE: "its address has been removed",
    ResendOutcome.OBJECTED: "its holder wants no mail at all; the voucher stays valid",
}


@app.command("list")
def list_mails(campaign: Name, stage: Stage = LOCAL) -> None:
    """Show the vouchers' mails that did not arrive, and all mails that nobody knows of."""
    connection = connect(stage)
    found = undelivered_mails(connection, _known(connection, campaign))
    if not found:
        typer.echo("none")
        return
    table = Table("mail", "kind", "problem", "since", "voucher", box=None)
    for mail in found:
        since = mail.problem_at.isoformat(timespec="seconds") if mail.problem_at else ""
        table.add_row(mail.mail_id, mail.mail_kind, mail.problem, since, mail.voucher_id or "")
    Console(width=max(WIDTH, Console().width)).print(table)  # nothing is truncated in a pipe


@app.command()
def resend(campaign: Name, which: Which, stage: Stage = LOCAL) -> None:
    """Have a voucher's mail that did not arrive sent once more."""
    connection = connect(stage)
    known = _known(connection, campaign)
    outcome = send_again(connection, known, which, connection.principal())
    if outcome is not ResendOutcome.QUEUED:
        raise CommandError(f"{which}: {_PROBLEMS[outcome]}")
    typer.echo(f"{which}: will be sent again")


@app.command("resume")
def resume_invitations(campaign: Name, stage: Stage = LOCAL) -> None:
    """Send the campaign's invitations again, after bounces or complaints had stopped them."""
    connection = connect(stage)
    if not resume(connection, _known(connection, campaign), connection.principal()):
        raise CommandError(f"the invitations of {campaign} are not stopped")
    typer.echo(f"{campaign}: invitations are sent again, with those that were held")


def _known(connection: Connection, name: str) -> str:
    if connection.repository.get(CurrentCampaign, campaign=name) is None:
        raise CommandError(f"no campaign {name}: list them with: tandem campaign list")
    return name
