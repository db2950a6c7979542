"""What passes for wallets are signed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from cli.connection import Connection
from cli.doctor.findings import RENEWAL_DAYS, Finding, good, look, wrong


def wallets(connection: Connection, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """What passes are signed with, where pages offer them: that it is good, and for how long."""
    issuer = parameters.get("GoogleIssuer", "")
    offers_apple = parameters.get("AppleWallet", "no") == "yes"
    if not offers_apple and not issuer:
        yield from good("no passes are offered")
    if offers_apple:
        yield from _apple_wallet(connection)
    if issuer:
        yield from _google_wallet(connection, issuer)


def _apple_wallet(connection: Connection) -> Iterator[Finding]:
    from chalicelib.wallets.signing import CredentialsError  # loads cryptography
    from cli.wallets import stored_apple

    renew = f"tandem wallet apple --stage {connection.place.stage} ..., see infra/README.md"
    try:
        found = stored_apple(connection)
    except CredentialsError as error:
        return wrong(f"passes for Apple Wallet are offered and not signed: {error}", renew)
    until = f"{found.pass_type} of team {found.team} until {found.ends_at.date().isoformat()}"
    left = found.ends_at - connection.clock()
    if left <= timedelta(0):
        return wrong(f"the certificate has ended: {until}", renew)
    if left < timedelta(days=RENEWAL_DAYS):
        return look(f"the certificate ends in {left.days} days: {until}", renew)
    return good(f"Apple Wallet: {until}")


def _google_wallet(connection: Connection, issuer: str) -> Iterator[Finding]:
    from chalicelib.wallets.signing import CredentialsError
    from cli.wallets import stored_google

    try:
        found = stored_google(connection, issuer)
    except CredentialsError as error:
        return wrong(
            f"passes for Google Wallet are offered and not signed: {error}",
            f"tandem wallet google --stage {connection.place.stage} ..., see infra/README.md",
        )
    return good(f"Google Wallet: issuer {found.issuer}, by {found.account}")
