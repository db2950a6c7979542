"""Traces: equal for what is to be compared, none for what strangers share, and nothing to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.domain.addresses import Address, DigestKey
from chalicelib.domain.providers import COMMON, is_public
from chalicelib.domain.traces import (
    TRACE_LENGTH,
    alike,
    domain_trace,
    network_of,
    network_trace,
    traces_of,
)

KEY = DigestKey("tandem.2", secret=b"own")
OTHER = DigestKey("tandem.2", secret=b"another")
REAL = (Path(__file__).parent / "real_providers.txt").read_text().split()
# Of the list of real domains, those of companies and schools: people there know one another.
PRIVATE = ("airbus.com", "sncf.fr", "cnrs.fr", "univ-lyon1.fr", "ibm.com", "loreal.com")


def stem(text: str) -> str | None:
    return traces_of(Address.parse(text), KEY).stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("martin01@gmail.com", "martin2@orange.fr"),
        ("m.a.r.tin7@free.fr", "martin_8@free.fr"),
        ("martin+1@example.fr", "martin+two@example.fr"),
        ("MARTIN3@gmail.com", "martin4@gmail.com"),
        ("1@ring.example.fr", "27@ring.example.fr"),
        ("+a@ring.example.fr", "+b@ring.example.fr"),
        ("1@a.ring.fr", "2@b.ring.fr"),
    ],
)
def test_addresses_of_a_sequence_have_one_stem(one: str, other: str) -> None:
    assert stem(one)
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("martin1@gmail.com", "martine1@gmail.com"),
        ("1@ring.fr", "1@other.fr"),
    ],
)
def test_other_names_have_other_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    "address",
    ["jeanne.martin@gmail.com", "martin@example.fr", "12345678@qq.com", "a1@gmail.com"],
)
def test_an_address_that_is_of_no_sequence_has_no_stem(address: str) -> None:
    assert stem(address) is None


def test_a_private_domain_has_a_trace_and_a_public_one_none() -> None:
    traced = {domain_trace(Address.parse(f"a@{domain}"), KEY) for domain in PRIVATE}
    assert len(traced) == len(PRIVATE)
    assert None not in traced
    for domain in ("gmail.com", "hotmail.be", "yahoo.co.uk", "mailinator.com", "gmx.net"):
        assert domain_trace(Address.parse(f"a@{domain}"), KEY) is None


@pytest.mark.parametrize(
    ("domain", "owned"),
    [
        ("x1.ring.fr", "ring.fr"),
        ("a.b.c.abc.fr", "abc.fr"),
        ("x1.ring.co.uk", "ring.co.uk"),
        ("x1.ring.com", "ring.com"),
    ],
)
def test_names_below_a_private_domain_are_no_other_domains(domain: str, owned: str) -> None:
    """Whoever owns one makes as many as she likes: each would be within the limits."""
    one, other = (domain_trace(Address.parse(f"a@{each}"), KEY) for each in (domain, owned))
    assert one is not None
    assert one == other


@pytest.mark.parametrize("pair", [("a.co.uk", "b.co.uk"), ("a.gouv.fr", "b.gouv.fr")])
def test_of_an_ending_many_own_a_part(pair: tuple[str, str]) -> None:
    one, other = (domain_trace(Address.parse(f"a@{each}"), KEY) for each in pair)
    assert one != other


def test_a_name_below_a_public_domain_has_no_trace() -> None:
    assert domain_trace(Address.parse("a@perso.orange.fr"), KEY) is None


def test_what_is_common_is_public_and_companies_and_schools_are_not() -> None:
    assert all(map(is_public, COMMON))
    assert not any(map(is_public, PRIVATE))
    # Of a thousand real domains of all countries most are public ones that are known here.
    assert sum(map(is_public, REAL)) > len(REAL) / 2


def test_a_trace_needs_our_key_and_says_nothing_of_what_it_was_made_of() -> None:
    address = Address.parse("martin1@ring.example.fr")
    one, other = traces_of(address, KEY), traces_of(address, OTHER)
    assert one.domain != other.domain
    assert one.stem != other.stem
    for trace in (one.domain, one.stem, network_trace("198.51.100.0/24", KEY)):
        assert trace
        assert len(trace) == TRACE_LENGTH
        assert set(trace) <= set("0123456789abcdef")
    # The same text is another trace for each of the three.
    assert network_trace("ring.example.fr", KEY) != one.domain


def test_a_public_provider_on_a_name_below_its_own_has_no_trace() -> None:
    """Strangers hide behind that of Apple, beside its own staff."""
    assert domain_trace(Address.parse("a1b2c3@privaterelay.appleid.com"), KEY) is None
    assert domain_trace(Address.parse("tim@appleid.com"), KEY)


@pytest.mark.parametrize(
    ("caller", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        (" 203.0.113.1 ", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:aaaa:1::1", "2001:db8:aaaa::/48"),
        ("2001:db8:aaaa:2:3:4:5:6", "2001:db8:aaaa::/48"),
        ("", None),
        ("unknown", None),
        ("203.0.113", None),
    ],
)
def test_a_caller_is_known_by_its_network_alone(caller: str, network: str | None) -> None:
    assert network_of(caller) == network


def test_what_is_missing_is_like_nothing() -> None:
    assert alike(None, [None, "a"]) == 0
    assert alike("a", ["a", None, "b", "a"]) == 2
