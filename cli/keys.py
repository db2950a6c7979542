"""Digest keys stored as secrets, never printed. How one is read: key_files.py.

The key of an id never changes: digests made with the two keys would look alike but never match.

Our own key is generated here, once for a stack, and never shown or shared. It finds a person even
after the client's keys have changed. Our PGP key, too: what the client encrypts to us is read with
it, and what is encrypted for the client can be read back.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from chalicelib.domain.addresses import OWN_KEY
from chalicelib.domain.campaign.lists import DigestKeys
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError
from cli.key_files import digest_key

OWN_KEY_BYTES = 32

app = typer.Typer(help="Digest keys shared with a client, and our PGP key.", no_args_is_help=True)


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


@app.command()
def pgp(stage: Stage = LOCAL) -> None:
    """Print the public PGP key of the stack, which the client encrypts to; it is made the first
    time.
    """
    from chalicelib.adapters.pgp import public_part  # a large library, for this one command

    typer.echo(public_part(require_own_pgp_key(connect(stage))), nl=False)


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


def require_own_pgp_key(connection: Connection) -> str:
    """Our own secret PGP key, armoured; generated if the stack has none, never replaced."""
    from chalicelib.adapters.pgp import new_key  # a large library, for a key that is made once

    parameters, name = connection.clients.ssm, connection.place.pgp_key
    with suppress(parameters.exceptions.ParameterNotFound):
        return _secret_of(connection)
    made = new_key(f"Tandem {connection.place.stage}")
    with suppress(parameters.exceptions.ParameterAlreadyExists):  # somebody else has just made it
        parameters.put_parameter(Name=name, Value=made, Type="SecureString", Overwrite=False)
    return _secret_of(connection)


def _secret_of(connection: Connection) -> str:
    answer = connection.clients.ssm.get_parameter(
        Name=connection.place.pgp_key, WithDecryption=True
    )
    return answer["Parameter"]["Value"]
