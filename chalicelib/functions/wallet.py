"""Called by the API: signs a pass for the wallet of a phone, with keys that it alone may read.

What it signs with is kept for five minutes, so a certificate put in place of another is used after
that; both are good meanwhile. Where nothing can be signed with what is kept, it is read once more
at once. What cannot be signed then fails here, with a line that says why, and the API answers that
it is not possible at the moment.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from chalicelib import bootstrap
from chalicelib.domain.wallets import Wallet
from chalicelib.invocations import WorkFailedError
from chalicelib.observability import failed, flushed, log
from chalicelib.wallets.messages import ApplePass, GooglePass

if TYPE_CHECKING:
    from chalicelib.wallets.signing import AppleCredentials, GoogleCredentials

KEPT_FOR: Final = timedelta(minutes=5)  # so long a new certificate or key may go unnoticed
C = TypeVar("C")
S = TypeVar("S")


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

    unsigned = ApplePass.of(message)
    made = apple_credentials.used(lambda owned: signed_pass(unsigned, owned, bootstrap.now()))
    return b64encode(made).decode()


def _signed_for_google(message: dict[str, Any]) -> str:
    from chalicelib.wallets.signing import signed_link

    unsigned = GooglePass.of(message)
    return google_credentials.used(lambda owned: signed_link(unsigned, owned, bootstrap.now()))


class Kept(Generic[C]):
    """Credentials as they are in the parameter store, read again after a while."""

    def __init__(self, read: Callable[[], C]) -> None:
        self._read = read
        self._kept: tuple[datetime, C] | None = None

    def __call__(self) -> C:
        """The credentials. `CredentialsError` where those that are stored are not fit."""
        now = bootstrap.now()
        if self._kept is None or now - self._kept[0] >= KEPT_FOR:
            self._kept = now, self._read()
        return self._kept[1]

    def used(self, sign: Callable[[C], S]) -> S:
        """What is signed with them; others may be stored since what is kept was read."""
        from chalicelib.wallets.signing import CredentialsError

        try:
            return sign(self())
        except CredentialsError:
            self.cache_clear()
        return sign(self())

    def cache_clear(self) -> None:
        """Read them again at the next use."""
        self._kept = None


@Kept
def google_credentials() -> GoogleCredentials:
    """What links for Google Wallet are signed with."""
    from chalicelib.wallets.signing import GoogleCredentials

    secret = bootstrap.wallet_secrets()
    return GoogleCredentials.of(bootstrap.settings().google_issuer, secret("google/account"))


@Kept
def apple_credentials() -> AppleCredentials:
    """What passes for Apple Wallet are signed with."""
    from chalicelib.wallets.signing import AppleCredentials

    secret = bootstrap.wallet_secrets()
    names = ("certificate", "key", "intermediate")
    return AppleCredentials.of(*(secret(f"apple/{name}") for name in names))
