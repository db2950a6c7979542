"""Traces: what of an address or a network is kept to compare it with others, and nothing more.

A trace is a hash under our own key, cut to 64 bits: equal for two addresses at one private domain,
for two that differ in their figures or tags alone, for two callers on one network. None is made of
what many strangers share (a public provider), and none says what it was made of. Where each is
kept, and until when, is with what stores it: `people.Sponsor`, `invitations.Invitation`, and
`review.NetworkAnswers`, which ends after an hour.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.domain.addresses import Address, DigestKey, digest
from chalicelib.domain.providers import is_public

TRACE_LENGTH = 16  # hex characters
# Before the country's: `co.uk`, `com.br`, `gouv.fr`.
_ENDINGS = frozenset(("ac", "co", "com", "edu", "gob", "gouv", "gov", "ne", "net", "or", "org"))
_LEAST_STEM = 3  # letters; what is shorter is alike by chance
_IPV4_PREFIX, _IPV6_PREFIX = 24, 48


@dataclass(frozen=True, kw_only=True)
class Traces:
    """The traces of one address. `domain` is None at a public provider, `stem` where the local part
    has neither figures nor a tag.
    """

    domain: str | None = None
    stem: str | None = None


NO_TRACES = Traces()


def traces_of(address: Address, key: DigestKey) -> Traces:
    """The traces of an address under our own key."""
    return Traces(domain=domain_trace(address, key), stem=_stem_trace(address, key))


def domain_trace(address: Address, key: DigestKey) -> str | None:
    """What addresses at one private domain have in common, also at names below it: who owns a
    domain makes as many as she likes.
    """
    owned = _owned(address.domain)
    return None if is_public(address.domain) or is_public(owned) else _trace("domain", owned, key)


def _owned(domain: str) -> str:
    """The part of a domain that somebody owns, without a list of all endings (decision 22): where
    that is wrong, strangers look related, which weighs little.
    """
    labels = domain.split(".")
    return ".".join(labels[-3 if labels[-2] in _ENDINGS else -2 :])


def _stem_trace(address: Address, key: DigestKey) -> str | None:
    local, tag, _ = address.local.partition("+")
    stem = re.sub(r"[\d._-]+", "", local)
    if not tag and not re.search(r"\d", local):
        return None
    if len(stem) >= _LEAST_STEM:
        return _trace("stem", stem, key)
    # Figures alone are a name at some public providers, and a sequence at a domain of one's own.
    return (
        None
        if is_public(address.domain)
        else _trace("stem", f"{stem}@{_owned(address.domain)}", key)
    )


def network_of(caller: str) -> str | None:
    """The network of a caller's address: /24, or /48 of IPv6; None for what is no address."""
    try:
        address = ipaddress.ip_address(caller.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is None:
            return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
        address = mapped
    return str(ipaddress.ip_network((address, _IPV4_PREFIX), strict=False))


def network_trace(network: str, key: DigestKey) -> str:
    """What callers on one network have in common."""
    return _trace("network", network, key)


def _trace(what: str, text: str, key: DigestKey) -> str:
    return digest(f"{what}:{text}", key)[:TRACE_LENGTH]


def alike(trace: str | None, others: Iterable[str | None]) -> int:
    """How many of `others` are the same trace; none where there is none."""
    return sum(trace is not None and other == trace for other in others)
