"""One block of rows to one block of digests: the work of `tandem hash`, and all its time.

Owns the counting of rows that gave no digest, and a short cut for the great mass of addresses:
plain ASCII at a domain met before. All others, and every doubt, go through `AddressDigests.of`,
which alone knows the recipe; the short cut gives the same digests, which a property test holds.
Refuses a block that is no CSV or no UTF-8 with BlockError, whose words never repeat the content.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.domain.addresses import (
    MAX_ADDRESS,
    MAX_LOCAL_PART,
    Address,
    AddressDigests,
    AddressError,
    DigestKey,
)
from cli.hashing.blocks import Layout

HEADER = b"digest\n"

_PLAIN_LOCAL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
).fullmatch
_LONGEST_DOMAIN = MAX_ADDRESS - MAX_LOCAL_PART - 1  # with it no local part makes it too long
_DOMAINS_KEPT = 1 << 16
_SHA256_BLOCK = 64  # bytes


class BlockError(Exception):
    """What is wrong with a block; `line` of it, from 1, or 0 where no line can be named."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Digested:
    """`content` as it goes to the file, with `digests` lines in it; rows and lines as read."""

    content: bytes
    digests: int
    rows: int
    lines: int
    rejected: Counter[str] = field(default_factory=Counter)


class _Domain(NamedTuple):
    """What the short cut knows of a domain: how an address at it ends, and its alias form."""

    ending: str
    alias_ending: str  # empty where no address has an alias form
    without_dots: bool


class Digester:
    """Digests block after block with one key; keeps the domains it has met."""

    def __init__(self, key: DigestKey, layout: Layout, *, zipped: bool) -> None:
        self._key = key
        self._layout = layout
        self._zipped = zipped
        self._domains: dict[str, _Domain] = {}
        self._keyed = _keyed(key)

    def digest(self, block: bytes) -> Digested:
        """Two lines for an address whose forms differ, one for any other. Raises BlockError."""
        rejected: Counter[str] = Counter()
        lines = _lines(block)
        rows = csv.reader(lines, delimiter=self._layout.delimiter, strict=True)
        digests: list[bytes] = []
        try:
            count = self._add(rows, digests, rejected)
        except csv.Error as error:
            raise BlockError(str(error), rows.line_num + 1) from error
        content = lined(digests)
        return Digested(
            member(content) if self._zipped else content,
            len(digests),
            count,
            rows.line_num,
            rejected,
        )

    def _add(self, rows: Iterator[list[str]], digests: list[bytes], rejected: Counter[str]) -> int:
        """Append the digests of all rows. Returns their number, blank ones left out."""
        place, domains, keyed = self._layout.place, self._domains, self._keyed
        add = digests.append
        count = 0
        for fields in filter(None, rows):
            count += 1
            if len(fields) <= place:
                rejected["missing_field"] += 1
                continue
            address = fields[place]
            local, _, domain = address.strip().lower().partition("@")
            known = domains.get(domain)
            # Kept in one piece, without a call: this is run once an address. What is ASCII in lower
            # case needs no NFC: the one other letter that becomes so is the Kelvin sign, whose NFC
            # is K too.
            if known is None or len(local) > MAX_LOCAL_PART or not _PLAIN_LOCAL(local):
                self._add_slowly(address, digests, rejected)
                continue
            form = local + known.ending
            add(keyed(form.encode()))
            if known.alias_ending:
                bare = local.partition("+")[0]
                if known.without_dots:
                    bare = bare.replace(".", "")
                alias = (bare or local) + known.alias_ending
                if alias != form:
                    add(keyed(alias.encode()))
        return count

    def _add_slowly(self, address: str, digests: list[bytes], rejected: Counter[str]) -> None:
        try:
            pair = AddressDigests.of(Address.parse(address), [self._key]).under(self._key.key_id)
        except AddressError as error:
            rejected[error.reason] += 1
            return
        digests += map(bytes.fromhex, dict.fromkeys((pair.exact, pair.canonical)))
        self._meet(address.strip().lower().partition("@")[2])

    def _meet(self, domain: str) -> None:
        if not domain.isascii() or len(domain) > _LONGEST_DOMAIN:
            return
        if len(self._domains) == _DOMAINS_KEPT:  # memory is to stay flat
            self._domains.clear()
        self._domains[domain] = _seen(domain)


def _seen(domain: str) -> _Domain:
    """How the recipe treats addresses at `domain`, told by what it makes of one."""
    seen = Address.parse(f"a.b+c@{domain}")
    ending = f"@{seen.domain}"
    local, _, alias = seen.canonical.partition("@")
    tagged = local != "a.b+c"
    return _Domain(ending, f"@{alias}" if tagged else "", local == "ab")


def _lines(block: bytes) -> io.StringIO:
    try:
        return io.StringIO(block.decode(), newline="")
    except UnicodeDecodeError:  # its message holds the bytes
        raise BlockError("not UTF-8: save the file as UTF-8") from None


def _keyed(key: DigestKey) -> Callable[[bytes], bytes]:
    """The digest of a form as raw bytes; HMAC with the two halves of the key taken in once."""
    if key.algorithm == "sha256":
        return lambda form: hashlib.sha256(form).digest()
    secret = key.secret
    if len(secret) > _SHA256_BLOCK:
        secret = hashlib.sha256(secret).digest()
    padded = secret.ljust(_SHA256_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def keyed(form: bytes) -> bytes:
        within, around = inner(), outer()
        within.update(form)
        around.update(within.digest())
        return around.digest()

    return keyed


def lined(digests: list[bytes]) -> bytes:
    """Raw digests of 32 bytes as lines of lower-case hex."""
    return b"".join(digests).hex("\n", 32).encode() + b"\n" if digests else b""


def member(content: bytes) -> bytes:
    """A gzip member; the same content gives the same bytes.

    Huffman coding alone: hex of digests repeats nothing that a search for matches would find. It
    takes an eighth of the time of level 6, for 11 % less.
    """
    packing = zlib.compressobj(wbits=31, strategy=zlib.Z_HUFFMAN_ONLY)
    return packing.compress(content) + packing.flush()
