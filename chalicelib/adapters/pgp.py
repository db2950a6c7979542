"""PGP by Sequoia: what is written for the client's key, and read with our own.

Everything is encrypted to both: the client reads it, and so can we, who may have to look at what an
attempt before this one has written. Only functions with the layer `pgp` can import this; whatever
fails here (no layer, no key, a key that has expired) raises, so nothing leaves as plain text
instead.

Errors of the library hold a trace with paths of the machine: of them only a line is kept. What it
was not made for makes it panic, a message of GnuPG's that was cut for one; a panic is no
`Exception` and would pass every handler, so each call of the library is within `_library`.
"""

from __future__ import annotations

import base64
import binascii
import errno
import mmap
import re
import resource
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import IO, Final

import pysequoia
from pysequoia.packet import PacketPile, Tag

from chalicelib.adapters.clients import Clients
from chalicelib.services.cipher_ports import NoKeyOfOursError, NotDecryptableError, UnusableKeyError

LARGEST: Final = 1 << 30  # bytes of a dropped file, before and after it is decrypted
_CHUNK: Final = 1 << 20
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
# Of a message: the ids of the keys that it is for are in it, and what stands before its armour.
_HEAD: Final = 8192  # bytes
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")  # as the library words it
_ARMOUR: Final = b"-----BEGIN PGP MESSAGE-----"
_ARMOUR_END: Final = b"-----END PGP MESSAGE-----"
# What an encrypted message begins with: a session key for a recipient or a password, or a marker.
_FIRST_TAGS: Final = frozenset({1, 3, 10})


@dataclass(frozen=True)
class ClientKey:
    """A public key that can be encrypted to now; `expires_at` is None for one that never does."""

    certificate: pysequoia.Cert
    expires_at: datetime | None


def client_key(armoured: str, now: datetime) -> ClientKey:
    """The key in an armoured text. `UnusableKeyError` says why nothing can be encrypted to it.

    The library encrypts to what has expired or was revoked without a word: that is asked here.
    """
    try:
        with _library():
            certificate = pysequoia.Cert.from_bytes(armoured.encode())
            ends = [certificate.expiration]
            is_revoked = certificate.is_revoked
            trial = pysequoia.encrypt(b"", recipients=[certificate], armor=False)[:_HEAD]
            ends += [ends_at for name, ends_at in _subkeys(certificate) if name in trial]
    except LibraryError as error:
        raise UnusableKeyError(f"cannot be encrypted to: {error}") from None
    if is_revoked:
        raise UnusableKeyError("was revoked by its owner")
    expires_at = min((end for end in ends if end), default=None)
    if expires_at and expires_at <= now:
        raise UnusableKeyError(f"has expired on {expires_at.astimezone(UTC).date()}")
    return ClientKey(certificate, expires_at)


def _subkeys(certificate: pysequoia.Cert) -> Iterator[tuple[bytes, datetime | None]]:
    """The id of each key in a certificate, and when it ends by the newest signature after it."""
    packets = list(PacketPile.from_bytes(bytes(certificate)))
    for place, key in enumerate(packets):
        if key.key_id:
            after = takewhile(lambda one: one.tag == Tag.Signature, packets[place + 1 :])
            newest = max(after, key=lambda one: one.signature_created or _LONG_AGO, default=None)
            valid_for = newest.key_validity_period if newest else None
            made = key.key_created or _LONG_AGO
            yield bytes.fromhex(key.key_id), made + valid_for if valid_for else None


class LibraryError(Exception):
    """The library has refused something, or has panicked; the message is a line."""


@contextmanager
def _library() -> Iterator[None]:
    """Within it whatever the library raises is a `LibraryError`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise LibraryError(_line(error)) from None


def _line(error: BaseException) -> str:
    cause = str(error).partition("\n\nStack backtrace")[0]
    return " ".join(cause.split())[:200]


class SequoiaCipher:
    """`services.cipher_ports.Cipher`. `secret` reads our own key, armoured, when it is first
    needed; what it raises passes.
    """

    def __init__(self, secret: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock
        self._own: pysequoia.Tsk | None = None

    def encrypt(self, content: bytes, armoured: str) -> bytes:
        """`content` for an armoured public key and our own. `UnusableKeyError`."""
        return self._encrypt(content, client_key(armoured, self._clock()).certificate)

    def encrypt_beside(self, content: bytes, armoured: str) -> bytes:
        """The same where a file with it is for that key already: whatever became of the key."""
        with _library():
            client = pysequoia.Cert.from_bytes(armoured.encode())
        return self._encrypt(content, client)

    def decrypt(self, content: bytes) -> bytes:
        """What is in a file that is encrypted to us. `NotDecryptableError`; `OSError` when there is
        no room for it here.
        """
        return b"".join(self.decrypted([content]))

    def decrypted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same of a large file: nothing comes before all of it was read and found whole.

        Both files lie on the function's disk without a name: they are gone with this process,
        however it ends.
        """
        with tempfile.TemporaryFile() as sealed, tempfile.TemporaryFile() as plain:
            size = 0
            for chunk in chunks:
                size += len(chunk)
                if size > LARGEST:
                    raise NotDecryptableError("encrypted_file_too_large")
                sealed.write(chunk)
            sealed.flush()
            self._decrypt(sealed, plain)
            sealed.truncate(0)
            plain.seek(0)
            while chunk := plain.read(_CHUNK):
                yield chunk

    def is_for(self, content: bytes, armoured: str) -> bool:
        """Whether a file is encrypted to that public key."""
        with _library():
            certificate = pysequoia.Cert.from_bytes(armoured.encode())
            return any(name in content[:_HEAD] for name, _ in _subkeys(certificate))

    def _encrypt(self, content: bytes, client: pysequoia.Cert) -> bytes:
        own = self._key()
        with _library():
            recipients = [client, own.extract_certificate()]
            return pysequoia.encrypt(content, recipients=recipients, armor=False)

    def _decrypt(self, sealed: IO[bytes], plain: IO[bytes]) -> None:
        sealed.seek(0)
        head = sealed.read(_HEAD)
        if _first_tag(head) not in _FIRST_TAGS:
            raise NotDecryptableError("not_encrypted")
        if head.lstrip().startswith(_ARMOUR) and not _is_one_armour(sealed):
            raise NotDecryptableError("not_decryptable")
        own = self._key()
        try:
            with _library(), _at_most(LARGEST):
                pysequoia.decrypt_file(_path(sealed), _path(plain), own.decryptor())
        except LibraryError as error:
            fault = _OS_ERROR.search(str(error))
            if fault and int(fault[1]) != errno.EFBIG:  # a full disk is no fault of the file
                raise OSError(int(fault[1]), str(error)) from None
            reason = "encrypted_file_too_large" if fault else "not_decryptable"
            raise NotDecryptableError(reason) from None

    def _key(self) -> pysequoia.Tsk:
        if self._own is None:
            armoured = self._secret().encode()
            with _library():
                self._own = pysequoia.Tsk.from_bytes(armoured)
        return self._own


class ParameterKey:
    """Our own secret key in the parameter store, armoured."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def __call__(self) -> str:
        """`NoKeyOfOursError` where none was made; any other error may pass by itself."""
        parameters = self._clients.ssm
        try:
            answer = parameters.get_parameter(Name=self._name, WithDecryption=True)
        except parameters.exceptions.ParameterNotFound:
            raise NoKeyOfOursError(self._name) from None
        return answer["Parameter"]["Value"]


def new_key(name: str) -> str:
    """A secret key of our own, armoured, in the form that every GnuPG reads."""
    with _library():
        return str(pysequoia.Tsk.generate(user_id=name, profile=pysequoia.Profile.RFC4880))


def public_part(armoured: str) -> str:
    """The public key of a secret one, armoured."""
    with _library():
        return str(pysequoia.Tsk.from_bytes(armoured.encode()).extract_certificate())


def _is_one_armour(file: IO[bytes]) -> bool:
    """Whether an armour has an end and nothing after it: the library reads the first message and
    ignores what follows, a second one too. Where there is no end, the armour itself follows.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        after = whole.find(_ARMOUR_END) + len(_ARMOUR_END)
        return re.compile(rb"\S").search(whole, after) is None


def _path(file: IO[bytes]) -> str:
    return f"/proc/self/fd/{file.fileno()}"


@contextmanager
def _at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond `size`: a message may unpack to any amount. Python ignores the signal
    that comes with it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = size if soft == resource.RLIM_INFINITY else min(size, soft)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _first_tag(head: bytes) -> int | None:
    """The tag of the first packet; None for what is no PGP."""
    begins = head.lstrip()
    if begins.startswith(_ARMOUR):
        lines = [line.strip() for line in begins.splitlines()[1:]]
        text = next((line for line in lines if line and b":" not in line), b"")
        try:
            head = base64.b64decode(text[:4], validate=True)
        except binascii.Error:
            return None
    if not head or not head[0] & 0x80:
        return None
    return head[0] & 0x3F if head[0] & 0x40 else head[0] >> 2 & 0xF
