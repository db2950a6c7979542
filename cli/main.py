"""`tandem`: campaigns, keys, lists, digests. Wires the commands together and words their failures.

A command raises CommandError, or lets an error of AWS or of a file pass; they all end here as plain
lines on stderr and exit code 1. Anything else is a bug and shows its trace.
"""

from __future__ import annotations

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from chalicelib.services.ports import ContentionError
from cli import campaigns, keys, lists, status
from cli.connection import explained
from cli.errors import CommandError
from cli.hashing.command import hash_addresses


class _PlainlyFailing(TyperGroup):
    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except CommandError as error:
            lines = error.lines
        except ContentionError:
            lines = ("others are writing the same thing: try again",)
        except ClientError as error:
            said = error.response["Error"]
            lines = (f"{error.operation_name}: {said.get('Message') or said.get('Code')}",)
        except OSError as error:
            if not error.strerror:
                raise
            lines = (": ".join(str(one) for one in (error.filename, error.strerror) if one),)
        except BotoCoreError as error:
            lines = (explained(error),)
        for line in lines:
            typer.echo(line, err=True)
        raise typer.Exit(1)


app = typer.Typer(
    cls=_PlainlyFailing,
    help="Campaigns, keys, lists and digests of Tandem.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold addresses and keys
)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(keys.app, name="key")
app.add_typer(lists.app, name="list")
app.command("hash")(hash_addresses)
app.command("status")(status.show_status)
