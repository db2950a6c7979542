"""What use cases need of PGP. Only functions with the layer `pgp` have it: see encryption.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class UnusableKeyError(Exception):
    """Nothing can be encrypted to a client's key; the message says why."""


class NoKeyOfOursError(Exception):
    """The stage has no PGP key of its own: whatever needs it raises this."""


class NotDecryptableError(Exception):
    """A file is not encrypted, not to our key, not whole or too large; `reason` says which, as
    receipts do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Cipher(Protocol):
    """PGP with our own key."""

    def encrypt(self, content: bytes, armoured: str) -> bytes:
        """`content` for an armoured public key and our own. `UnusableKeyError`."""

    def encrypt_beside(self, content: bytes, armoured: str) -> bytes:
        """The same where a file with it is for that key already: whatever became of the key."""

    def decrypt(self, content: bytes) -> bytes:
        """What is in a file that is encrypted to us. `NotDecryptableError`."""

    def decrypted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same of a large file: nothing comes before all of it was read and found whole."""

    def is_for(self, content: bytes, armoured: str) -> bool:
        """Whether a file is encrypted to that public key."""
