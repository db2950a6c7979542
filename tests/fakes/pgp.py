"""PGP keys for tests, made once a process: no secret one is in the repository."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pysequoia

from chalicelib.adapters.pgp import new_key

_OLDER = Path(__file__).parent.parent / "adapters/keys/signing-subkey-expired.asc"


@cache
def own_key() -> str:
    """The stack's own secret key, armoured."""
    return new_key("tandem")


@cache
def client_secret(name: str = "client") -> pysequoia.Tsk:
    """A secret key of a client's; that of the name `expired` has expired since it was made."""
    valid_for = 1 if name == "expired" else None
    return pysequoia.Tsk.generate(user_id=name, validity_seconds=valid_for)


def client_public(name: str = "client") -> str:
    """Its public part, armoured."""
    return str(client_secret(name).extract_certificate())


def opened(content: bytes, name: str = "client") -> bytes:
    """What a client reads of an encrypted file."""
    plain = pysequoia.decrypt(content, client_secret(name).decryptor()).bytes
    assert plain is not None
    return plain


def as_gnupg_writes(content: bytes, armor: bool = False) -> bytes:
    """A message to us in the older form that GnuPG writes: one that a key of GnuPG's reads too."""
    ours = pysequoia.Tsk.from_bytes(own_key().encode()).extract_certificate()
    older = pysequoia.Cert.from_bytes(_OLDER.read_bytes())
    return pysequoia.encrypt(content, recipients=[ours, older], armor=armor)
