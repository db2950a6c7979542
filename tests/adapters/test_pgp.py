"""PGP by Sequoia: what keys are taken, what is read, and what is never left behind."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pysequoia
import pytest

from chalicelib.adapters import pgp
from chalicelib.adapters.pgp import SequoiaCipher, client_key
from chalicelib.services.cipher_ports import NotDecryptableError, UnusableKeyError
from tests.fakes.pgp import as_gnupg_writes, client_public, client_secret, opened, own_key

KEYS = Path(__file__).parent / "keys"
GPG = shutil.which("gpg")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def cipher() -> SequoiaCipher:
    return SequoiaCipher(own_key, now)


def for_us(content: bytes, armor: bool = False) -> bytes:
    ours = pysequoia.Tsk.from_bytes(own_key().encode()).extract_certificate()
    return pysequoia.encrypt(content, recipients=[ours], armor=armor)


def revoked() -> str:
    secret = pysequoia.Tsk.generate(user_id="revoked")
    certificate = secret.extract_certificate()
    revocation = certificate.revoke(secret.certifier())
    return str(pysequoia.Cert.from_bytes(bytes(certificate) + bytes(revocation)))


@pytest.mark.parametrize("size", [0, 8, 3 << 20])
def test_what_is_encrypted_is_read_by_the_client_and_by_us(
    cipher: SequoiaCipher, size: int
) -> None:
    content = os.urandom(size)
    sealed = cipher.encrypt(content, client_public())
    assert opened(sealed) == content
    assert cipher.decrypt(sealed) == content
    assert sealed != cipher.encrypt(content, client_public())
    assert cipher.is_for(sealed, client_public())
    assert not cipher.is_for(sealed, client_public("another"))


@pytest.mark.parametrize("armor", [False, True])
def test_a_message_is_read_armoured_or_not(cipher: SequoiaCipher, armor: bool) -> None:
    sealed = for_us(b"a,b\n" * 99, armor)
    chunks = [sealed[at : at + 7] for at in range(0, len(sealed), 7)]
    assert b"".join(cipher.decrypted(chunks)) == b"a,b\n" * 99


def test_a_key_that_expires_is_good_until_then() -> None:
    secret = pysequoia.Tsk.generate(user_id="x", validity_seconds=1000)
    armoured = str(secret.extract_certificate())
    ends = client_key(armoured, now()).expires_at
    assert ends
    assert timedelta(seconds=900) < ends - now() <= timedelta(seconds=1000)
    with pytest.raises(UnusableKeyError, match=f"has expired on {ends.date()}"):
        client_key(armoured, ends)
    assert client_key(client_public(), now()).expires_at is None


@pytest.mark.parametrize("subkey", ["signing", "encryption"])
def test_of_subkeys_the_one_that_is_encrypted_to_decides(subkey: str) -> None:
    """Keys of GnuPG's, of which that subkey has expired."""
    armoured = (KEYS / f"{subkey}-subkey-expired.asc").read_text("ascii")
    if subkey == "signing":
        assert client_key(armoured, now()).expires_at is None
    else:
        with pytest.raises(UnusableKeyError, match="has expired on 2025-01-31"):
            client_key(armoured, now())


def test_a_revoked_key_is_not_encrypted_to(cipher: SequoiaCipher) -> None:
    with pytest.raises(UnusableKeyError, match="was revoked"):
        cipher.encrypt(b"x", revoked())


def test_what_is_no_key_is_refused_in_one_line(cipher: SequoiaCipher) -> None:
    with pytest.raises(UnusableKeyError) as raised:
        cipher.encrypt(b"x", "no key")
    assert "\n" not in str(raised.value)
    assert "backtrace" not in str(raised.value)
    assert raised.value.__cause__ is None


def two(armor: bool) -> bytes:
    return for_us(b"a,b\n", armor) + for_us(b"c,d\n", armor)


@pytest.mark.parametrize(
    "content",
    [two(armor=True), two(armor=False), for_us(b"a,b\n", armor=True) + b"c,d\n"],
    ids=["armours", "messages", "text"],
)
def test_what_follows_a_message_is_not_ignored(cipher: SequoiaCipher, content: bytes) -> None:
    with pytest.raises(NotDecryptableError, match="not_decryptable"):
        cipher.decrypt(content)


def test_white_space_may_follow_an_armour(cipher: SequoiaCipher) -> None:
    assert cipher.decrypt(for_us(b"a,b\n", armor=True) + b"\r\n \n") == b"a,b\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Comment: " + b"x" * 60 + b"\n" + b"Version: GnuPG v2\n" * 20 + b"\n",
        b"Comment: made by a tool that leaves a space\r\n \r\n",
    ],
    ids=["long", "space"],
)
def test_what_stands_before_an_armour_is_passed_over(cipher: SequoiaCipher, head: bytes) -> None:
    begin, _, rest = for_us(b"a,b\n", armor=True).partition(b"\n\n")
    assert cipher.decrypt(begin + b"\n" + head + rest) == b"a,b\n"


def signed() -> bytes:
    return pysequoia.sign(client_secret().signer(), b"a,b\n", armor=False)


def signed_as_text() -> bytes:
    return pysequoia.sign(client_secret().signer(), b"a,b\n")


def for_another() -> bytes:
    return pysequoia.encrypt(b"x", recipients=[client_secret().extract_certificate()], armor=False)


def by_password() -> bytes:
    return pysequoia.encrypt(b"x", passwords=["secret"], armor=False)


def altered() -> bytes:
    sealed = bytearray(for_us(b"a,b\n" * 999))
    sealed[-40] ^= 1
    return bytes(sealed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: b"", "not_encrypted"),
        (lambda: b"digest\n", "not_encrypted"),
        (lambda: b"A1,12.00\n", "not_encrypted"),
        (lambda: b"\x1f\x8b\x08" + bytes(30), "not_encrypted"),
        (signed, "not_encrypted"),
        (signed_as_text, "not_encrypted"),
        (lambda: b"-----BEGIN PGP MESSAGE-----\n\n???", "not_encrypted"),
        (lambda: own_key().encode(), "not_encrypted"),
        (for_another, "not_decryptable"),
        (by_password, "not_decryptable"),
        (altered, "not_decryptable"),
        (lambda: for_us(b"a,b\n" * 999)[:-30], "not_decryptable"),
        (lambda: for_us(os.urandom(40 << 20))[:-30], "not_decryptable"),
        (lambda: for_us(b"a,b\n")[:30], "not_decryptable"),
    ],
    ids=map(str, range(14)),
)
def test_what_is_not_whole_or_not_for_us_gives_nothing(
    cipher: SequoiaCipher, content: Callable[[], bytes], reason: str
) -> None:
    chunks = cipher.decrypted([content()])
    with pytest.raises(NotDecryptableError) as raised:
        next(chunks)
    assert raised.value.reason == reason


@pytest.mark.parametrize("armor", [False, True])
def test_a_message_that_was_cut_anywhere_is_refused(cipher: SequoiaCipher, armor: bool) -> None:
    """Also where the library panics, which no `except Exception` would catch."""
    whole = as_gnupg_writes(b"a,b\n" * 30, armor)
    assert cipher.decrypt(whole) == b"a,b\n" * 30
    surprised = 0
    for length in range(len(whole) - armor):  # an armour may end without its last line end
        with pytest.raises(NotDecryptableError) as raised:
            cipher.decrypt(whole[:length])
        surprised += "called `Result::unwrap()`" in str(raised.value.__context__)
    assert armor or surprised


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_ends_the_process_passes(
    cipher: SequoiaCipher, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def ended(*_: object) -> None:
        raise error

    monkeypatch.setattr(pysequoia, "decrypt_file", ended)
    with pytest.raises(error):
        cipher.decrypt(for_us(b"x"))


def test_a_full_disk_is_no_fault_of_the_file(
    cipher: SequoiaCipher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is tried again goes on once there is room; a refusal would be for good."""
    message, real = for_us(os.urandom(200_000)), pgp._path
    asked: list[IO[bytes]] = []

    def full(file: IO[bytes]) -> str:
        asked.append(file)
        return "/dev/full" if len(asked) == 2 else real(file)  # what is decrypted into

    monkeypatch.setattr(pgp, "_path", full)
    with pytest.raises(OSError, match="No space left") as raised:
        cipher.decrypt(message)
    assert raised.value.errno == errno.ENOSPC


class Panic(BaseException):
    """What the library raises when it panics is no `Exception`."""


@pytest.mark.parametrize("call", ["client_key", "encrypt", "beside", "is_for", "own key"])
def test_a_panic_in_any_call_of_the_library_is_an_ordinary_error(
    cipher: SequoiaCipher, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    sealed, client = cipher.encrypt(b"x", client_public()), client_public()
    fresh = SequoiaCipher(own_key, now)

    def panics(*_: object, **__: object) -> None:
        raise Panic("surprised")

    if call == "client_key":
        monkeypatch.setattr(pgp, "PacketPile", SimpleNamespace(from_bytes=panics))
        with pytest.raises(UnusableKeyError, match="surprised"):
            client_key(client, now())
    elif call == "encrypt":
        usable = client_key(client, now())
        monkeypatch.setattr(pgp, "client_key", lambda *_: usable)
        monkeypatch.setattr(pysequoia, "encrypt", panics)
        with pytest.raises(pgp.LibraryError, match="surprised"):
            cipher.encrypt(b"x", client)
    elif call == "beside":
        monkeypatch.setattr(pysequoia, "encrypt", panics)
        with pytest.raises(pgp.LibraryError, match="surprised"):
            cipher.encrypt_beside(b"x", client)
    elif call == "is_for":
        monkeypatch.setattr(pysequoia, "Cert", SimpleNamespace(from_bytes=panics))
        with pytest.raises(pgp.LibraryError, match="surprised"):
            cipher.is_for(sealed, client)
    else:
        monkeypatch.setattr(pysequoia, "Tsk", SimpleNamespace(from_bytes=panics))
        with pytest.raises(pgp.LibraryError, match="surprised"):
            fresh.decrypt(sealed)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pgp, "LARGEST", 1 << 16)


@pytest.mark.usefixtures("small")
def test_a_file_that_is_too_large_is_refused_before_and_after(cipher: SequoiaCipher) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (1 << 17, (1 << 16) + 1):
        with pytest.raises(NotDecryptableError, match="encrypted_file_too_large"):
            cipher.decrypt(for_us(bytes(size)))
    with pytest.raises(NotDecryptableError, match="encrypted_file_too_large"):
        cipher.decrypt(for_us(bytes(60_000), armor=True))
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == limits
    assert cipher.decrypt(for_us(bytes(1 << 15))) == bytes(1 << 15)


@pytest.mark.usefixtures("small")
def test_a_message_that_unpacks_beyond_the_limit_is_refused(cipher: SequoiaCipher) -> None:
    """As a small one of compressed zeros does: only what comes out of it is too large."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with tempfile.TemporaryFile() as sealed, tempfile.TemporaryFile() as plain:
        sealed.write(for_us(bytes(1 << 18)))
        sealed.flush()
        with pytest.raises(NotDecryptableError, match="encrypted_file_too_large"):
            cipher._decrypt(sealed, plain)
        assert plain.seek(0, os.SEEK_END) <= pgp.LARGEST
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == limits


def test_nothing_readable_has_a_name_while_it_is_read(
    cipher: SequoiaCipher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    chunks = cipher.decrypted([for_us(b"a,b\n" * 999_999)])
    assert next(chunks)
    assert list(tmp_path.iterdir()) == []
    assert sum(map(len, chunks))


def test_our_key_is_read_once_and_what_that_raises_passes() -> None:
    asked = []

    def secret() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise LookupError
        return own_key()

    cipher = SequoiaCipher(secret, now)
    with pytest.raises(LookupError):
        cipher.encrypt(b"x", client_public())
    for _ in range(2):
        assert cipher.decrypt(cipher.encrypt(b"x", client_public())) == b"x"
    assert len(asked) == 2


# --- GnuPG ----------------------------------------------------------------------------------------


@pytest.fixture
def gpg() -> Iterator[Callable[..., bytes]]:
    """GnuPG, as most clients have it, with a home of its own."""
    if GPG is None:
        pytest.skip("no gpg here: that GnuPG reads and writes the same was not tried")
    home = Path(tempfile.mkdtemp(prefix="gpg-"))  # a socket in it has a short path
    quiet = [GPG, "--batch", "--yes", "--pinentry-mode=loopback", "--passphrase=", "--no-tty"]

    def run(*arguments: str, given: bytes = b"") -> bytes:
        done = subprocess.run(
            [*quiet, *arguments],
            input=given,
            env={"PATH": os.defpath, "GNUPGHOME": str(home)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    yield run
    agent = shutil.which("gpgconf")
    if agent:
        environment = {"PATH": os.defpath, "GNUPGHOME": str(home)}
        subprocess.run([agent, "--kill", "gpg-agent"], env=environment, check=False)
    shutil.rmtree(home, ignore_errors=True)


def test_gnupg_reads_what_we_write(cipher: SequoiaCipher, gpg: Callable[..., bytes]) -> None:
    gpg("--quick-generate-key", "client@demo.test", "default", "default", "1y")
    public = gpg("--armor", "--export", "client@demo.test").decode()
    ends = client_key(public, now()).expires_at
    assert ends
    assert timedelta(days=364) < ends - now() <= timedelta(days=366)
    sealed = cipher.encrypt(b"code\nA\n" * 999, public)
    assert gpg("--decrypt", given=sealed) == b"code\nA\n" * 999
    assert cipher.is_for(sealed, public)


def test_we_read_what_gnupg_writes(cipher: SequoiaCipher, gpg: Callable[..., bytes]) -> None:
    gpg("--quick-generate-key", "client@demo.test", "default", "default", "1y")
    gpg("--import", given=pgp.public_part(own_key()).encode())
    ours = pysequoia.Tsk.from_bytes(own_key().encode()).extract_certificate().fingerprint
    to = ["--trust-model=always", "--encrypt", "--recipient", ours]
    rows = b"order_id,amount\nA1,12.00\n" * 999
    ways: list[list[str]] = [[], ["--armor"], ["--sign"], ["--compress-level=9"]]
    for way in ways:
        assert cipher.decrypt(gpg(*way, *to, given=rows)) == rows


def test_keys_of_gnupg_that_nothing_can_be_encrypted_to(gpg: Callable[..., bytes]) -> None:
    reasons = {"ed25519": "No suitable encryption", "rsa1024": "RSA1024 is not considered secure"}
    for algorithm, reason in reasons.items():
        usage = "sign" if algorithm == "ed25519" else "default"
        gpg("--quick-generate-key", algorithm, algorithm, usage, "1y")
        public = gpg("--armor", "--export", algorithm).decode()
        with pytest.raises(UnusableKeyError, match=reason):
            client_key(public, now())


def test_a_subkey_that_expires_before_its_key_counts(gpg: Callable[..., bytes]) -> None:
    gpg("--quick-generate-key", "x@demo.test", "ed25519", "sign", "2y")
    listed = gpg("--with-colons", "--list-keys", "x@demo.test").decode()
    fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr")).split(":")[9]
    gpg("--quick-add-key", fingerprint, "cv25519", "encr", "30d")
    public = gpg("--armor", "--export", "x@demo.test").decode()
    ends = client_key(public, now()).expires_at
    assert ends
    assert timedelta(days=29) < ends - now() <= timedelta(days=31)
    gpg("--quick-set-expire", fingerprint, "60d", "*")
    renewed = client_key(gpg("--armor", "--export", "x@demo.test").decode(), now()).expires_at
    assert renewed
    assert renewed > ends
