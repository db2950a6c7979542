"""Called by the API: signs a pass for the wallet of a phone, with keys that it alone may read.

It reads what it signs with once a process, so a certificate put in place of another is used by
processes that start after that; both are good meanwhile. What cannot be signed fails here, with a
line that says why, and the API answers that it is not possible at the moment.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib import bootstrap
from chalicelib.domain.wallets import Wallet
from chalicelib.invocations import WorkFailedError
from chalicelib.observability import failed, flushed, log
from chalicelib.wallets.messages import ApplePass, GooglePass

if TYPE_CHECKING:
    from chalicelib.wallets.signing import AppleCredentials, GoogleCredentials


def wallet(event: dict[str, Any], *_: object) -> dict[str, str]:
    """The signed pass that the API asked for."""
    with flushed():
        try:
            asked = Wallet(event["wallet"])
            sign = _signed_for_apple if asked is Wallet.APPLE else _signed_for_google
            signed = sign(event["pass"])
        except Exception as error:
            failed(error, "pass not signed")
            # Without the cause: Lambda logs the exception that leaves a function.
            raise WorkFailedError("wallet") from None
        log("pass signed", wallet=asked.value)
    return {"signed": signed}


def _signed_for_apple(message: dict[str, Any]) -> str:
    from chalicelib.wallets.signing import signed_pass  # its library is in the layer

    made = signed_pass(ApplePass.of(message), apple_credentials(), bootstrap.now())
    return b64encode(made).decode()


def _signed_for_google(message: dict[str, Any]) -> str:
    from chalicelib.wallets.signing import signed_link

    return signed_link(GooglePass.of(message), google_credentials(), bootstrap.now())


@cache
def google_credentials() -> GoogleCredentials:
    """What links for Google Wallet are signed with."""
    from chalicelib.wallets.signing import GoogleCredentials

    secret = bootstrap.wallet_secrets()
    return GoogleCredentials.of(bootstrap.settings().google_issuer, secret("google/account"))


@cache
def apple_credentials() -> AppleCredentials:
    """What passes for Apple Wallet are signed with."""
    from chalicelib.wallets.signing import AppleCredentials

    secret = bootstrap.wallet_secrets()
    names = ("certificate", "key", "intermediate")
    return AppleCredentials.of(*(secret(f"apple/{name}") for name in names))
