"""`tandem file`: what a file of the client's would do, said before it is dropped.

By the campaign in force on a stack, or by a campaign file as in the retailer's wheel
(cli/client/files.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.campaign_file import read_rules
from cli.client.file_check import print_check
from cli.client.files import FileArgument, KindArgument, file_commands
from cli.connection import LOCAL, Stage, connect
from cli.errors import CommandError
from cli.lookups import current_campaign
from cli.printing import Json

app = file_commands()


@app.command()
def check(
    kind: KindArgument,
    file: FileArgument,
    campaign: Annotated[
        str | None, typer.Option(metavar="CAMPAIGN", help="The campaign in force on the stack.")
    ] = None,
    campaign_file: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="A campaign file, without a stack.")
    ] = None,
    as_json: Json = False,
    stage: Stage = LOCAL,
) -> None:
    """Say what a file would do before it is dropped: how it is read, and which lines are rejected
    why. Nothing is written; exit code 1 if anything would be rejected.
    """
    if (campaign is None) == (campaign_file is None):
        raise CommandError("say either --campaign or --campaign-file")
    if campaign_file:
        rules = read_rules(campaign_file)
    else:
        rules = current_campaign(connect(stage), str(campaign)).document
    print_check(kind, file, rules, as_json=as_json)
