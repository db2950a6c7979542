"""Files for the client alone, of a campaign with `files.encrypt_to`: exports, changes, statements.

They are encrypted to the client's key and to our own, so that an attempt after a killed one can see
what that one has written. Encryption gives other bytes each time: a file that is there is never
made again, and for whom it is follows from the file, not from the campaign as it is now. What is
written beside it later is for whom it is.

Whether a new file is encrypted follows from the campaign in force when it is written, never from
the one that a run began with.

What the client drops may be encrypted to our key, and is read as if it were not.

Neighbours: written_files.py (writes them), adapters/pgp.py (the library, of a few functions alone).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.files.armour import fingerprint_of
from chalicelib.domain.files.paths import PGP
from chalicelib.domain.files.reading import FileRefusedError
from chalicelib.domain.files.writing import Encrypted, sha256_of
from chalicelib.services.cipher_ports import Cipher, NotDecryptableError, UnusableKeyError
from chalicelib.services.errors import UnknownError
from chalicelib.services.ports import Ports

# Longer than any function runs: a run that read the version before has ended by then.
OTHERS_ENDED_AFTER = timedelta(minutes=20)


@dataclass(frozen=True)
class Envelope:
    """How the files of a campaign are encrypted; `key` is the armoured one, None for not at all."""

    cipher: Callable[[], Cipher]
    key: str | None
    earlier: Callable[[], Iterable[str]]  # keys of earlier versions, the newest first
    in_force: CurrentCampaign
    is_beside: bool = False  # something for the same key is there already

    @property
    def encrypts(self) -> bool:
        """Whether a new file is encrypted."""
        return self.key is not None

    def encrypts_now(self) -> bool:
        """The same; `UnusableKeyError` where a new file has to be encrypted and cannot be."""
        if self.key is not None:
            self.cipher().encrypt(b"", self.key)
        return self.encrypts

    def seal(self, content: bytes) -> bytes:
        """`content` for the key. `UnusableKeyError`."""
        if self.key is None:
            raise UnusableKeyError("the campaign has none any more")
        cipher = self.cipher()
        return (cipher.encrypt_beside if self.is_beside else cipher.encrypt)(content, self.key)

    def beside(self, stored: bytes) -> Envelope:
        """The one for what is written beside a sealed file: for the same key, whatever became of it
        since. Where no version of the campaign has that key, for the one in force.
        """
        found = self._key_of(stored)
        return replace(self, key=found, is_beside=True) if found else self

    def open(self, stored: bytes) -> bytes:
        """What is in a file that was sealed."""
        return self.cipher().decrypt(stored)

    def described(self, stored: bytes, plain: bytes) -> Encrypted:
        """What a manifest says of a sealed file."""
        found = self._key_of(stored)
        return Encrypted(sha256_of(plain), fingerprint_of(found) if found else None)

    def _key_of(self, stored: bytes) -> str | None:
        now = [self.key] if self.key else []
        keys = (key for some in (now, self.earlier()) for key in some)
        cipher = self.cipher()
        return next((key for key in keys if cipher.is_for(stored, key)), None)


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


def envelope_of(ports: Ports, campaign: str) -> Envelope:
    """How the files of a campaign are encrypted now, read from the table: a run may have begun
    before the version in force was put.
    """
    current = ports.repository.get(CurrentCampaign, campaign=campaign)
    if current is None:
        raise UnknownError("campaign")

    def earlier() -> Iterator[str]:
        versions = ports.repository.within(CampaignVersion, campaign=campaign)
        for version in sorted(versions, key=lambda one: one.version, reverse=True):
            if key := version.document.encrypt_to:
                yield key

    return Envelope(ports.cipher, current.document.encrypt_to, earlier, current)


def others_have_ended(ports: Ports, envelope: Envelope) -> bool:
    """Whether no run goes on that has read an earlier version of the campaign. Until then such a
    run may write a file under its other name.
    """
    return ports.clock() >= envelope.in_force.put_at + OTHERS_ENDED_AFTER
