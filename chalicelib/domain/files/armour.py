"""A client's public PGP key as text: that it is one, and its fingerprint.

Pure and small: every function reads campaign files, and most have no PGP library. What the key can
be used for, and until when, `adapters/pgp.py` says. Refuses secret keys before all: a campaign file
is kept in every version and shown to everybody who may read campaigns.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import dropwhile

LONGEST_KEY = 24_000  # characters; a 4096-bit RSA key has some 3,000, each signature on it 800

_BEGIN, _END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
_HEADER = re.compile(r"[A-Za-z][A-Za-z-]*:")
_CHECKSUM = re.compile(r"=[A-Za-z0-9+/]{4}")
_PUBLIC_KEY, _SECRET = 6, frozenset({5, 7})  # tags of packets


class NoKeyError(ValueError):
    """The text is no public key; the message says why and repeats none of it."""


def fingerprint_of(text: str) -> str:
    """The fingerprint of an armoured public key, upper-case hex. `NoKeyError`."""
    packets = list(_packets(_bytes_of(text)))
    tags = [tag for tag, _ in packets]
    if not _SECRET.isdisjoint(tags):
        raise NoKeyError("is a secret key: put the public one here, and treat the secret as lost")
    if tags[:1] != [_PUBLIC_KEY]:
        raise NoKeyError("is not a public key")
    if tags.count(_PUBLIC_KEY) > 1:
        raise NoKeyError("holds several keys: one is wanted")
    body = packets[0][1]
    match body[:1]:
        case b"\x04":  # SHA-1 names the key and guards nothing
            head = b"\x99" + len(body).to_bytes(2, "big")
            return hashlib.sha1(head + body, usedforsecurity=False).hexdigest().upper()
        case b"\x06":
            head = b"\x9b" + len(body).to_bytes(4, "big")
            return hashlib.sha256(head + body).hexdigest().upper()
        case _:
            raise NoKeyError("is a key of a version that is not used any more")


def _bytes_of(text: str) -> bytes:
    if "PRIVATE KEY BLOCK" in text:
        raise NoKeyError("is a secret key: put the public one here, and treat the secret as lost")
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines[:1] != [_BEGIN] or lines[-1] != _END:
        raise NoKeyError("must be a text from BEGIN PGP PUBLIC KEY BLOCK to END")
    content = list(dropwhile(_HEADER.match, lines[1:-1]))
    if content and _CHECKSUM.fullmatch(content[-1]):
        content.pop()
    try:
        return base64.b64decode("".join("".join(content).split()), validate=True)
    except ValueError:  # characters of other scripts too
        raise NoKeyError("is damaged: it is not base64 throughout") from None


def _packets(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of a key, by tag. `NoKeyError`."""
    at = 0
    while at < len(content):
        head = content[at]
        tag, length, start = _new(content, at) if head & 0x40 else _old(content, at)
        end = start + length
        if not head & 0x80 or length < 0 or end > len(content):
            raise NoKeyError("is damaged: it ends in the middle")
        yield tag, content[start:end]
        at = end


def _new(content: bytes, at: int) -> tuple[int, int, int]:
    """Tag, length and start of a packet with a header of today's form."""
    tag = content[at] & 0x3F
    first = content[at + 1] if at + 1 < len(content) else 0
    if first < 192:
        return tag, first, at + 2
    if first < 224:
        second = content[at + 2] if at + 2 < len(content) else 0
        return tag, ((first - 192) << 8) + second + 192, at + 3
    if first < 255:
        return tag, -1, at + 2  # of parts, which no key has
    return tag, int.from_bytes(content[at + 2 : at + 6], "big"), at + 6


def _old(content: bytes, at: int) -> tuple[int, int, int]:
    """The same with a header of the old form."""
    tag, kind = content[at] >> 2 & 0xF, content[at] & 3
    if kind == 3:
        return tag, -1, at + 1
    size = 1 << kind
    return tag, int.from_bytes(content[at + 1 : at + 1 + size], "big"), at + 1 + size
