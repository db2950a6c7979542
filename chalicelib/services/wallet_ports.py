"""What signs passes for the wallets of phones, as use cases and routes need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.wallets import Wallet
    from chalicelib.wallets.messages import ApplePass, GooglePass


class PassNotSignedError(Exception):
    """A pass was not signed; why is in the log of what signs."""


class Wallets(Protocol):
    """What signs passes for the wallets of phones."""

    @property
    def offered(self) -> tuple[Wallet, ...]:
        """The wallets that this stage has certificates or keys for."""

    def sign_apple(self, unsigned: ApplePass) -> bytes:
        """The pass, whole. `PassNotSignedError`."""

    def sign_google(self, unsigned: GooglePass) -> str:
        """The link that adds the pass. `PassNotSignedError`."""
