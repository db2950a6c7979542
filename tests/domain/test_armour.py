"""A client's public key as text: what is none is refused, and none of it is repeated."""

from __future__ import annotations

import base64

import pysequoia
import pytest

from chalicelib.domain.campaign.differences import field_differences
from chalicelib.domain.files.armour import LONGEST_KEY, NoKeyError, fingerprint_of
from tests.fakes.campaign import campaign
from tests.fakes.pgp import client_public, client_secret, own_key


def armoured(packets: bytes) -> str:
    content = base64.b64encode(packets).decode()
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{content}\n-----END PGP PUBLIC KEY BLOCK-----"


def packets_of(text: str) -> bytes:
    return bytes(pysequoia.Cert.from_bytes(text.encode()))


@pytest.mark.parametrize(
    "profile", [pysequoia.Profile.RFC4880, pysequoia.Profile.RFC9580], ids=["version 4", "6"]
)
@pytest.mark.parametrize(
    "suite", [pysequoia.CipherSuite.Cv25519, pysequoia.CipherSuite.RSA2k], ids=["25519", "RSA"]
)
def test_the_fingerprint_is_the_one_that_the_library_says(
    profile: pysequoia.Profile, suite: pysequoia.CipherSuite
) -> None:
    made = pysequoia.Tsk.generate(user_id="x", profile=profile, cipher_suite=suite)
    certificate = made.extract_certificate()
    assert fingerprint_of(str(certificate)) == certificate.fingerprint.upper()
    assert fingerprint_of(str(certificate).replace("\n", "\r\n")) == certificate.fingerprint.upper()


def old_header(tag: int, body: bytes) -> bytes:
    return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body


def long_header(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("header", [old_header, long_header])
@pytest.mark.parametrize("size", [100, 300, 9000])
def test_every_form_of_a_packet_is_read(header: object, size: int) -> None:
    assert callable(header)
    body = b"\x04" + bytes(size)
    whole = header(6, body) + header(13, b"x" * size)
    assert len(fingerprint_of(armoured(whole))) == 40


GOOD = client_public()
SECRET = "is a secret key: put the public one here, and treat the secret as lost"
SHAPE = "must be a text from BEGIN PGP PUBLIC KEY BLOCK to END"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", SHAPE),
        ("ssh-ed25519 AAAA", SHAPE),
        (GOOD[:200], SHAPE),
        (GOOD.replace("PUBLIC KEY", "MESSAGE"), SHAPE),
        (str(client_secret()), SECRET),
        (armoured(bytes(client_secret())), SECRET),
        (armoured(packets_of(GOOD)[:-9]), "is damaged: it ends in the middle"),
        (armoured(b"\x10" + bytes(20)), "is damaged: it ends in the middle"),
        (armoured(b"\xc6\xe1" + bytes(20)), "is damaged: it ends in the middle"),
        (armoured(b"\x9b" + bytes(20)), "is damaged: it ends in the middle"),
        (armoured(b"\xc6"), "is damaged: it ends in the middle"),
        (armoured(long_header(13, b"somebody")), "is not a public key"),
        (armoured(packets_of(GOOD) * 2), "holds several keys: one is wanted"),
        (armoured(long_header(6, b"\x03" + bytes(50))), "is a key of a version that is not used"),
        (armoured(b"abc")[:40] + "A\n-----END PGP PUBLIC KEY BLOCK-----", "is damaged"),
    ],
    ids=map(str, range(15)),  # the texts are long, and one is secret
)
def test_what_is_no_public_key_is_refused_and_not_repeated(text: str, reason: str) -> None:
    with pytest.raises(NoKeyError) as raised:
        fingerprint_of(text)
    assert str(raised.value).startswith(reason)
    with pytest.raises(ValueError, match="encrypt_to"):
        campaign(files={"encrypt_to": text})


def test_a_key_of_any_length_is_not_taken() -> None:
    with pytest.raises(ValueError, match="at most"):
        campaign(files={"encrypt_to": GOOD + " " * LONGEST_KEY})


def test_a_change_of_the_key_is_shown_by_its_fingerprint() -> None:
    [change] = field_differences(campaign(), campaign(files={"encrypt_to": GOOD}))
    assert change.field == "files.encrypt_to"
    assert change.before is None
    assert str(change.after).startswith(fingerprint_of(GOOD))
    assert change.warning
    assert "for this key" in change.warning


def test_the_same_key_with_another_end_is_a_change() -> None:
    with_space = campaign(files={"encrypt_to": GOOD + "\n"})
    [change] = field_differences(campaign(files={"encrypt_to": GOOD}), with_space)
    assert str(change.before)[:40] == str(change.after)[:40]


def test_our_own_key_is_read_by_the_same_rules() -> None:
    public = str(pysequoia.Tsk.from_bytes(own_key().encode()).extract_certificate())
    assert len(fingerprint_of(public)) == 40
