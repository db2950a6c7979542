"""The fast path for plain addresses gives the digests of the recipe, and counts what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.addresses import (
    PLUS_TAG_DOMAINS,
    Address,
    AddressDigests,
    AddressError,
    DigestKey,
)
from cli.hashing import digesting
from cli.hashing.blocks import Layout
from cli.hashing.digesting import BlockError, Digester

LAYOUT = Layout(",", 0)
KEYS = [
    DigestKey("short", secret=b"k" * 16),
    DigestKey("long", secret=b"k" * 100),
    DigestKey("plain", "sha256"),
]
LOCAL = st.text(st.sampled_from("aBz09._+-'!é K\t@İß"), max_size=6) | st.sampled_from(
    ["a" * 64, "a" * 65, "+tag", ".", "a..b", "a.b+c+d", "jeanne"]
)
DOMAIN = st.sampled_from(
    [*sorted(PLUS_TAG_DOMAINS), "googlemail.com", "GMAIL.com.", "example.fr", "Example.FR", "x.fr "]
) | st.sampled_from(
    ["bücher.example", "\u212a.fr", "k.fr", "a-.fr", "x", "", "d." + "e" * 63 + ".fr", "a" * 190]
    + [".".join(["e" * 60] * count) + ".fr" for count in (2, 3, 4)]
)
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN) | st.text(max_size=8)


def one_by_one(addresses: list[str], key: DigestKey) -> tuple[list[str], Counter[str]]:
    digests: list[str] = []
    rejected: Counter[str] = Counter()
    for address in addresses:
        try:
            pair = AddressDigests.of(Address.parse(address), [key]).under(key.key_id)
        except AddressError as error:
            rejected[error.reason] += 1
        else:
            digests += dict.fromkeys((pair.exact, pair.canonical))
    return digests, rejected


def block_of(addresses: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([address] for address in addresses)
    return text.getvalue().encode()


@pytest.mark.slow
@settings(max_examples=400)
@given(st.lists(ADDRESS, max_size=30), st.sampled_from(KEYS))
@example(["a@gmail.com", "+b@gmail.com", "a.b+c@gmail.com", "a.b@GoogleMail.com"], KEYS[0])
@example(["a@" + "e" * 60 + ".fr", "a" * 65 + "@" + "e" * 60 + ".fr"], KEYS[0])
def test_a_block_gives_what_its_addresses_give_one_by_one(
    addresses: list[str], key: DigestKey
) -> None:
    # Twice: the second time, every domain has been seen.
    digests, rejected = one_by_one(addresses * 2, key)
    done = Digester(key, LAYOUT, zipped=False).digest(block_of(addresses * 2))
    assert done.content.decode().splitlines() == digests
    assert (done.digests, done.rows) == (len(digests), 2 * len(addresses))
    assert done.rejected == rejected


def test_lower_case_makes_ascii_of_no_letter_that_nfc_would_not() -> None:
    """The assumption of the fast path, which does not apply NFC."""
    ascii_when_lower = [
        letter for letter in map(chr, range(0x80, sys.maxunicode + 1)) if letter.lower().isascii()
    ]
    assert ascii_when_lower == ["\N{KELVIN SIGN}"]
    assert unicodedata.normalize("NFC", "\N{KELVIN SIGN}") == "K"


def test_domains_met_before_are_forgotten_before_memory_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digesting, "_DOMAINS_KEPT", 10)
    digester = Digester(KEYS[0], LAYOUT, zipped=False)
    addresses = [f"a@d{number % 37}.fr" for number in range(500)]
    done = digester.digest(block_of(addresses))
    assert done.content.decode().splitlines() == one_by_one(addresses, KEYS[0])[0]
    assert len(digester._domains) <= 10


def test_rows_are_counted_and_blank_ones_are_none() -> None:
    content = b'x,a@example.fr\n\n"two\nlines",b@example.fr\r\n\nalone\n'
    done = Digester(KEYS[0], Layout(",", 1), zipped=False).digest(content)
    assert (done.rows, done.lines, done.digests) == (3, 6, 2)
    assert done.rejected == {"missing_field": 1}


def test_a_zipped_block_is_a_gzip_member_smaller_than_level_6_makes_it() -> None:
    block = block_of([f"a{number}@example.fr" for number in range(2000)])
    plain = Digester(KEYS[0], LAYOUT, zipped=False).digest(block).content
    zipped = Digester(KEYS[0], LAYOUT, zipped=True).digest(block).content
    assert gzip.decompress(zipped) == plain
    assert len(zipped) < len(gzip.compress(plain, 6))


def test_a_block_without_a_good_address_gives_nothing() -> None:
    done = Digester(KEYS[0], LAYOUT, zipped=False).digest(b"nobody\n")
    assert (done.content, done.digests, done.rejected) == (b"", 0, {"no_at_sign": 1})


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"a@example.fr\n\xe9@example.fr\n", "not UTF-8: save the file as UTF-8", 0),
        (b'a@example.fr\n"b@example.fr\n', "unexpected end of data", 3),
        (b'a@example.fr\n"b"@example.fr\n', "',' expected after '\"'", 3),
        (b"x" * 200_000, "field larger than field limit (131072)", 2),
    ],
)
def test_the_problem_of_a_block_is_reported_without_its_content(
    content: bytes, reason: str, line: int
) -> None:
    with pytest.raises(BlockError) as caught:
        Digester(KEYS[0], LAYOUT, zipped=False).digest(content)
    assert (caught.value.reason, caught.value.line) == (reason, line)
    cause = caught.value.__cause__
    assert caught.value.__suppress_context__
    assert cause is None or type(cause) is csv.Error
