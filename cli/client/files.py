"""`tandem file` of the retailer's wheel: a file is checked by a campaign file, without a stack.

The campaign file is read only when it is asked for: hashing starts without a parser of YAML.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.printing import Json


class Kind(StrEnum):
    """What a file is about."""

    ORDERS = "orders"
    CONSENTS = "consents"
    COHORTS = "cohorts"
    CODES = "codes"
    ACKS = "acks"


KindArgument = Annotated[Kind, typer.Argument(metavar="KIND", help=", ".join(Kind))]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file, as it will be dropped.")
]


def file_commands() -> typer.Typer:
    """The group `file`, without its commands yet."""
    group = typer.Typer(help="The files that the client drops.", no_args_is_help=True)

    @group.callback()
    def _files() -> None:
        """Makes `check` a subcommand, although it is the only one."""

    return group


app = file_commands()


@app.command()
def check(
    kind: KindArgument,
    file: FileArgument,
    campaign_file: Annotated[
        Path, typer.Option(metavar="FILE.yaml", help="The campaign file that you got from us.")
    ],
    as_json: Json = False,
) -> None:
    """Say what a file would do before it is dropped: how it is read, and which lines are rejected
    why. Nothing is written or sent; exit code 1 if anything would be rejected.
    """
    from cli.campaign_file import read_rules
    from cli.client.file_check import print_check

    print_check(kind, file, read_rules(campaign_file), as_json=as_json)
