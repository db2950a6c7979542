"""Digest keys stored as secrets, never printed. How one is read: key_files.py.

The key of an id never changes: digests made with the two keys would look alike but never match.

Our own key is generated here, once for a stack, and never shown or shared. It finds a person even
after the client's keys have changed.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.addresses import OWN_KEY
from chalicelib.domain.campaign.lists import DigestKeys
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.key_files import digest_key

OWN_KEY_BYTES = 32

app = typer.Typer(help="Digest keys shared with a client.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Makes `put` a subcommand, although it is the only one."""


@app.command()
def put(
    key_id: Annotated[str, typer.Argument(help="The key's id, as in the campaign file.")],
    file: Annotated[
        Path | None, typer.Option(help="A file with the key in hex, 16 to 64 bytes.")
    ] = None,
    from_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A variable with the key in hex, 16 to 64 bytes."),
    ] = None,
    stage: Stage = LOCAL,
) -> None:
    """Store a digest key as a secret parameter of the stack."""
    key = digest_key(key_id, file, from_env)
    connection = connect(stage)
    require_own_key(connection)
    name = f"{connection.place.keys_path}{key_id}"
    parameters = connection.clients.ssm
    try:
        parameters.put_parameter(
            Name=name, Value=key.secret.hex(), Type="SecureString", Overwrite=False
        )
    except parameters.exceptions.ParameterAlreadyExists as error:
        stored = parameters.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        if stored.get("Value") != key.secret.hex():
            raise CommandError(
                f"there is another key at {name}, and the key of an id never changes: "
                "choose a new id and put it in the campaign file"
            ) from error
        typer.echo(f"key {key_id}: already at {name}")
    else:
        typer.echo(f"key {key_id}: stored at {name}")


def require_keys(connection: Connection, digests: DigestKeys) -> None:
    """Raises CommandError when a key that a campaign names is not stored on the stack."""
    if digests.algorithm == "sha256":
        return
    parameters = connection.clients.ssm
    for key_id in digests.key_ids:
        try:
            parameters.get_parameter(Name=f"{connection.place.keys_path}{key_id}")
        except parameters.exceptions.ParameterNotFound as error:
            raise CommandError(
                f"digests.key_ids: the stack has no key {key_id}: store it with: "
                f"tandem key put {key_id} --file HEXFILE"
            ) from error


def require_own_key(connection: Connection) -> None:
    """Generates our own key if the stack has none; never replaces it."""
    parameters = connection.clients.ssm
    name = f"{connection.place.keys_path}{OWN_KEY}"
    try:
        parameters.get_parameter(Name=name)
    except parameters.exceptions.ParameterNotFound:
        try:
            parameters.put_parameter(
                Name=name,
                Value=secrets.token_hex(OWN_KEY_BYTES),
                Type="SecureString",
                Overwrite=False,
            )
        except parameters.exceptions.ParameterAlreadyExists:
            return  # somebody else has just generated it
