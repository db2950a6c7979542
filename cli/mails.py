"""`tandem mail`: show the mails that did not arrive, have a voucher's sent once more, resume
invitations.

No command shows an address. Who decided is recorded.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from chalicelib.domain.mails import Mail
from chalicelib.services.isolation import raised
from chalicelib.services.mails.resend import ResendOutcome, undelivered_mails
from chalicelib.services.mails.resend import resend as send_again
from chalicelib.services.ports import Agenda, OnFailure
from chalicelib.services.protection import resume
from cli.asking import Yes, ask
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json, print_records
from cli.unreadable import naming_unreadable

STUCK_AFTER = timedelta(minutes=15)

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


Stuck = Annotated[
    bool,
    typer.Option("--stuck", help="Those that are on their way to the sender for too long instead."),
]


@app.command("list")
def list_mails(
    campaign: Name, stuck: Stuck = False, as_json: Json = False, stage: Stage = LOCAL
) -> None:
    """Show the vouchers' mails that did not arrive, and all mails that nobody knows of."""
    connection = connect(stage)
    known = _known(connection, campaign)
    with naming_unreadable() as on_failure:
        find = stuck_mails if stuck else undelivered_mails
        records = [
            {
                "mail": mail.mail_id,
                "kind": mail.mail_kind,
                "problem": mail.problem or mail.state,
                "since": mail.problem_at or mail.leased_at,
                "voucher": mail.voucher_id,
            }
            for mail in find(connection, known, on_failure)
        ]
        print_records(records, as_json=as_json)


def stuck_mails(
    connection: Connection, campaign: str, on_failure: OnFailure = raised
) -> list[Mail]:
    """The mails that the sender was given a while ago and of which nothing is known since. One that
    cannot be read goes to `on_failure`.
    """
    until = connection.clock() - STUCK_AFTER
    leased = connection.repository.agenda(Mail, Agenda.LEASED, until=until, on_failure=on_failure)
    return [mail for mail in leased if mail.campaign == campaign]


@app.command()
def resend(campaign: Name, which: Which, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Have a voucher's mail that did not arrive sent once more."""
    connection = connect(stage)
    known = _known(connection, campaign)
    ask(f"send {which} of {campaign} once more?", yes=yes, otherwise="nothing was sent")
    outcome = send_again(connection, known, which, connection.principal())
    if outcome is not ResendOutcome.QUEUED:
        raise CommandError(f"{which}: {_PROBLEMS[outcome]}")
    typer.echo(f"{which}: will be sent again")


@app.command("resume")
def resume_invitations(campaign: Name, yes: Yes = False, stage: Stage = LOCAL) -> None:
    """Send the campaign's invitations again, after bounces or complaints had stopped them."""
    connection = connect(stage)
    question = f"send the invitations of {campaign} again? fix what stopped them first"
    ask(question, yes=yes, otherwise="they are stopped still")
    if not resume(connection, _known(connection, campaign), connection.principal()):
        raise CommandError(f"the invitations of {campaign} are not stopped")
    typer.echo(f"{campaign}: invitations are sent again, with those that were held")


def _known(connection: Connection, name: str) -> str:
    return current_campaign(connection, name).campaign
