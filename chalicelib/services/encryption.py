"""Files for the client alone, of a campaign with `files.encrypt_to`: exports, changes, statements.

They are encrypted to the client's key and to our own, so that an attempt after a killed one can see
what that one has written. Encryption gives other bytes each time: a file that is there is never
made again, and for whom it is follows from the file, not from the campaign as it is now.

What the client drops may be encrypted to our key, and is read as if it were not.

Neighbours: written_files.py (writes them), adapters/pgp.py (the library, of a few functions alone).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.files.armour import fingerprint_of
from chalicelib.domain.files.paths import PGP
from chalicelib.domain.files.reading import FileRefusedError
from chalicelib.domain.files.writing import Encrypted, sha256_of
from chalicelib.services.cipher_ports import Cipher, NotDecryptableError, UnusableKeyError
from chalicelib.services.ports import Ports


@dataclass(frozen=True)
class Envelope:
    """How the files of a campaign are encrypted; `key` is the armoured one, None for not at all."""

    cipher: Callable[[], Cipher]
    key: str | None
    earlier: Callable[[], Iterable[str]]  # keys of earlier versions, the newest first

    def seal(self, content: bytes) -> bytes:
        """`content` for the key. `UnusableKeyError`."""
        if self.key is None:
            raise UnusableKeyError("the campaign has none any more")
        return self.cipher().encrypt(content, self.key)

    def open(self, stored: bytes) -> bytes:
        """What is in a file that was sealed."""
        return self.cipher().decrypt(stored)

    def described(self, stored: bytes, plain: bytes) -> Encrypted:
        """What a manifest says of a sealed file."""
        now = [self.key] if self.key else []
        keys = (key for some in (now, self.earlier()) for key in some)
        cipher = self.cipher()
        found = next((key for key in keys if cipher.is_for(stored, key)), None)
        return Encrypted(sha256_of(plain), fingerprint_of(found) if found else None)


def opened(ports: Ports, path: str, chunks: Iterable[bytes]) -> tuple[str, Iterable[bytes]]:
    """The path and the content of a dropped file as they were before it was encrypted to us; any
    other file as it is. `FileRefusedError`, before the first chunk.
    """
    if not path.endswith(PGP):
        return path, chunks
    return path.removesuffix(PGP), _decrypted(ports, chunks)


def _decrypted(ports: Ports, chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from ports.cipher().decrypted(chunks)
    except NotDecryptableError as error:
        raise FileRefusedError(error.reason) from error


def envelope_of(ports: Ports, campaign: Campaign) -> Envelope:
    """How the files of a campaign are encrypted now."""

    def earlier() -> Iterator[str]:
        versions = ports.repository.within(CampaignVersion, campaign=campaign.id)
        for version in sorted(versions, key=lambda one: one.version, reverse=True):
            if key := version.document.encrypt_to:
                yield key

    return Envelope(ports.cipher, campaign.encrypt_to, earlier)
