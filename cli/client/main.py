"""`tandem` as the retailer's wheel installs it: what hashing and checking need, and nothing else.

Whatever this module imports goes into the wheel, and nothing else does (infra/wheel.py). The
command of our own machines has the same commands, by `add_client_commands`.
"""

from __future__ import annotations

import typer

from cli.client import files
from cli.client.check import check_client
from cli.client.manifest import write_manifest
from cli.hashing.command import hash_addresses
from cli.reporting import ReportingGroup
from cli.version import add_version

DISTRIBUTION = "tandem-client"

app = typer.Typer(
    cls=ReportingGroup,
    help="Digests, manifests and checks for the client's own systems.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may contain addresses and keys
)
client = typer.Typer(help="The connection of the client's systems.", no_args_is_help=True)
client.command("check")(check_client)


@client.callback()
def _client() -> None:
    """Makes `check` a subcommand, although it is the only one."""


def add_client_commands(to: typer.Typer) -> None:
    """What a retailer's machine and ours both have. `file check` of ours asks a stack as well."""
    to.command("hash")(hash_addresses)
    to.command("manifest")(write_manifest)
    to.add_typer(client, name="client")


add_client_commands(app)
add_version(app, DISTRIBUTION)
app.add_typer(files.app, name="file")
