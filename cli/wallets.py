"""What passes for the wallets of phones are signed with, stored as secrets and never printed.

It is looked at before it is stored: that the parts belong together, and until when they are good.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from chalicelib.wallets.signing import AppleCredentials, CredentialsError, GoogleCredentials
from cli.connection import LOCAL, Connection, Stage, connect
from cli.errors import CommandError

APPLE = ("certificate", "key", "intermediate")

app = typer.Typer(help="Passes for the wallets of phones.", no_args_is_help=True)


@app.command()
def apple(
    certificate: Annotated[
        Path, typer.Option(help="The certificate of the pass type, from Apple.")
    ],
    key: Annotated[Path, typer.Option(help="Its private key, PEM, without a password.")],
    intermediate: Annotated[
        Path, typer.Option(help="Apple's WWDR certificate that has issued it, such as G4.")
    ],
    stage: Stage = LOCAL,
) -> None:
    """Store what passes for Apple Wallet are signed with, in place of what was there."""
    texts = dict(
        zip(APPLE, (_certificate(certificate), _text(key), _certificate(intermediate)), strict=True)
    )
    try:
        credentials = AppleCredentials.of(*texts.values())
    except CredentialsError as error:
        raise CommandError(str(error)) from error
    connection = connect(stage)
    if credentials.ends_at <= connection.clock():
        raise CommandError(f"it has ended on {_day(credentials.ends_at)}: make another one")
    for name, text in texts.items():
        _store(connection, f"apple/{name}", text)
    typer.echo(
        f"stored: {credentials.pass_type} of team {credentials.team}, "
        f"good until {_day(credentials.ends_at)}"
    )


@app.command()
def google(
    account: Annotated[
        Path, typer.Option(help="The key of the service account, as Google gives it: JSON.")
    ],
    stage: Stage = LOCAL,
) -> None:
    """Store what links for Google Wallet are signed with, in place of what was there."""
    text = _text(account)
    try:
        credentials = GoogleCredentials.of("", text)
    except CredentialsError as error:
        raise CommandError(str(error)) from error
    _store(connect(stage), "google/account", text)
    typer.echo(f"stored: the key of {credentials.account}")


def stored_apple(connection: Connection) -> AppleCredentials:
    """What is stored. `CredentialsError` says what is wrong with it."""
    return AppleCredentials.of(*(_stored(connection, f"apple/{name}") for name in APPLE))


def stored_google(connection: Connection, issuer: str) -> GoogleCredentials:
    """What is stored. `CredentialsError` says what is wrong with it."""
    return GoogleCredentials.of(issuer, _stored(connection, "google/account"))


def _store(connection: Connection, name: str, text: str) -> None:
    connection.clients.ssm.put_parameter(
        Name=f"{connection.place.wallets_path}{name}",
        Value=text,
        Type="SecureString",
        Overwrite=True,
    )


def _stored(connection: Connection, name: str) -> str:
    parameters, path = connection.clients.ssm, f"{connection.place.wallets_path}{name}"
    try:
        found = parameters.get_parameter(Name=path, WithDecryption=True)["Parameter"]
    except parameters.exceptions.ParameterNotFound:
        raise CredentialsError(f"there is no {path}") from None
    return str(found.get("Value"))


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise CommandError(f"{file}: not a text: a key is PEM, an account JSON") from None


def _certificate(file: Path) -> str:
    """A certificate as PEM. Apple's downloads (`.cer`) are DER."""
    content = file.read_bytes()
    if content.startswith(b"-----BEGIN"):
        return content.decode("ascii", errors="replace")
    try:
        found = x509.load_der_x509_certificate(content)
    except ValueError:
        raise CommandError(f"{file}: not a certificate, neither PEM nor DER") from None
    return found.public_bytes(Encoding.PEM).decode()
