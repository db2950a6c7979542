"""From one block of rows to one block of digests: where `tandem hash` spends its time.

Owns the counting of rejected rows, and a fast path for most addresses: plain ASCII at a domain seen
before. All others, and every doubt, go through `AddressDigests.of`, the only place that knows the
recipe; a property test checks that the fast path gives the same digests. Refuses a block that is
not CSV or not UTF-8 with BlockError, whose message never repeats the content.
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
_LONGEST_DOMAIN = MAX_ADDRESS - MAX_LOCAL_PART - 1  # with such a domain no address is too long
_DOMAINS_KEPT = 1 << 16
_SHA256_BLOCK = 64  # bytes


class BlockError(Exception):
    """The problem of a block, with its `line` in the block from 1; 0 if unknown."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Digested:
    """`content` as written to the file, with `digests` lines; rows and lines as read."""

    content: bytes
    digests: int
    rows: int
    lines: int
    rejected: Counter[str] = field(default_factory=Counter)


class _Domain(NamedTuple):
    """What the fast path knows of a domain: the endings of an address and of its alias form."""

    ending: str
    alias_ending: str  # empty where no address has an alias form
    without_dots: bool


class Digester:
    """Digests blocks with one key; caches the domains it has seen."""

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
        content = hex_lines(digests)
        return Digested(
            gzip_member(content) if self._zipped else content,
            len(digests),
            count,
            rows.line_num,
            rejected,
        )

    def _add(self, rows: Iterator[list[str]], digests: list[bytes], rejected: Counter[str]) -> int:
        """Append the digests of all rows. Returns the number of rows that are not blank."""
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
            # Inlined, because this runs once per address. Text that is ASCII after lower() needs no
            # NFC: the only other character it may come from is the Kelvin sign, whose NFC is K.
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
        self._cache_domain(address.strip().lower().partition("@")[2])

    def _cache_domain(self, domain: str) -> None:
        if not domain.isascii() or len(domain) > _LONGEST_DOMAIN:
            return
        if len(self._domains) == _DOMAINS_KEPT:  # bounds the memory
            self._domains.clear()
        self._domains[domain] = _domain_rules(domain)


def _domain_rules(domain: str) -> _Domain:
    """How the recipe treats addresses at `domain`, found by applying it to one."""
    sample = Address.parse(f"a.b+c@{domain}")
    ending = f"@{sample.domain}"
    local, _, alias = sample.canonical.partition("@")
    tagged = local != "a.b+c"
    return _Domain(ending, f"@{alias}" if tagged else "", local == "ab")


def _lines(block: bytes) -> io.StringIO:
    try:
        return io.StringIO(block.decode(), newline="")
    except UnicodeDecodeError:  # its message contains the bytes
        raise BlockError("not UTF-8: save the file as UTF-8") from None


def _keyed(key: DigestKey) -> Callable[[bytes], bytes]:
    """The digest of a form as raw bytes; HMAC with both paddings of the key hashed once."""
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


def hex_lines(digests: list[bytes]) -> bytes:
    """Raw digests of 32 bytes as lines of lower-case hex."""
    return b"".join(digests).hex("\n", 32).encode() + b"\n" if digests else b""


def gzip_member(content: bytes) -> bytes:
    """A gzip member; the same content gives the same bytes.

    Huffman coding only: hex digests contain no repetitions that a search would find. It
    takes an eighth of the time of level 6, for 11 % less.
    """
    packing = zlib.compressobj(wbits=31, strategy=zlib.Z_HUFFMAN_ONLY)
    return packing.compress(content) + packing.flush()
