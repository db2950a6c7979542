"""`tandem`: campaigns, codes, exports, files, invitations, keys, lists, mails, persons, rewards,
vouchers, walls, reports, facts, queues.

Wires the commands together.

Errors of AWS are reported here, those of files in reporting.py: plain lines on stderr, exit code 1.
"""

from __future__ import annotations

import typer
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.services.ports import ContentionError
from cli import (
    campaigns,
    codes,
    doctor,
    exports,
    facts,
    files,
    invitations,
    journal,
    keys,
    lists,
    mails,
    migration,
    ops,
    persons,
    queues,
    reconcile,
    replay,
    reports,
    restore,
    rewards,
    status,
    vouchers,
    wallets,
    walls,
)
from cli.client.main import add_client_commands
from cli.connection import explained
from cli.reporting import ReportingGroup
from cli.version import add_version


class _ReportingGroup(ReportingGroup):
    def lines_of(self, error: Exception) -> tuple[str, ...] | None:
        if isinstance(error, ContentionError):
            return ("somebody else is changing the same data: try again",)
        if isinstance(error, ClientError):
            details = error.response["Error"]
            return (f"{error.operation_name}: {details.get('Message') or details.get('Code')}",)
        if isinstance(error, BotoCoreError):
            return (explained(error),)
        return super().lines_of(error)


app = typer.Typer(
    cls=_ReportingGroup,
    help="Campaigns, keys, lists, mails, rewards, vouchers, walls, facts and digests of Tandem.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may contain addresses and keys
)

add_version(app, "tandem")
app.add_typer(campaigns.app, name="campaign")
app.add_typer(codes.app, name="codes")
app.add_typer(exports.app, name="export")
app.add_typer(files.app, name="file")
app.add_typer(invitations.app, name="invitation")
app.add_typer(keys.app, name="key")
app.add_typer(lists.app, name="list")
app.add_typer(mails.app, name="mail")
app.add_typer(ops.app, name="ops")
app.add_typer(persons.app, name="person")
app.add_typer(rewards.app, name="reward")
app.add_typer(vouchers.app, name="voucher")
app.add_typer(wallets.app, name="wallet")
app.add_typer(walls.app, name="wall")
app.command("report")(reports.report)
app.add_typer(journal.app, name="journal")
app.add_typer(queues.app, name="queue")
app.add_typer(restore.app, name="restore")
app.command("doctor")(doctor.run_doctor)
add_client_commands(app)
app.command("facts")(facts.show_facts)
app.command("replay")(replay.replay)
app.command("reconcile")(reconcile.reconcile)
app.command("status")(status.show_status)
app.command("migrate")(migration.migrate)
