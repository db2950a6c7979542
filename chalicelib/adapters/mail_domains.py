"""Whether a domain accepts mail, by the DNS, as `ports.MailDomains`.

The answer is no only when the DNS says so: no such domain, a null MX (RFC 7505), or neither an MX
nor an address (RFC 5321, section 5.1). Without an answer (a time-out, a broken server, no resolver)
it is "unknown". Answers are cached in this process by domain, for their time to live within limits,
so that a domain with many invitations, or a slow one, is not looked up for each. The answer is used
in services/invitations/decide.py. dnspython is loaded by the first look-up, so only `decide` pays
for it.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.message import QueryMessage
    from dns.name import Name
    from dns.rdatatype import RdataType
    from dns.resolver import Resolver

LOOKUP_S = 2.0  # for all queries about one domain
TRY_S = 0.7  # per query; a lost one is repeated
SHORTEST_S = 30
# A no is cached for a shorter time than a yes: it closes an invitation.
LONGEST_S = {True: 3600, False: 300}
UNKNOWN_S = 30
MAX_CACHED = 1024  # domains


class _CachedAnswer(NamedTuple):
    takes_mail: bool | None
    until: float


class DnsMailDomains:
    """`ports.MailDomains` on a resolver at `host:port`; empty means the system's own."""

    def __init__(self, resolver: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = resolver
        self._clock = clock
        self._cache: dict[str, _CachedAnswer] = {}

    def takes_mail(self, domain: str) -> bool | None:
        known = self._cache.get(domain)
        if known and self._clock() < known.until:
            return known.takes_mail
        takes_mail, seconds = self._look_up(domain)
        self._cache.pop(domain, None)
        if len(self._cache) == MAX_CACHED:
            del self._cache[next(iter(self._cache))]
        self._cache[domain] = _CachedAnswer(takes_mail, self._clock() + seconds)
        return takes_mail

    def _look_up(self, domain: str) -> tuple[bool | None, float]:
        """The answer, and for how many seconds it is valid."""
        from dns.exception import DNSException
        from dns.name import from_text
        from dns.rdatatype import AAAA, MX, SOA, A
        from dns.resolver import NXDOMAIN

        ends_at = time.monotonic() + LOOKUP_S
        try:
            name = from_text(domain)  # absolute: no search domain of this host is appended
            for kind in (MX, A, AAAA):
                answer = self._query(name, kind, ends_at)
                if answer.resolve_chaining().answer:
                    return _with_ttl(not _is_null_mx(answer), answer)
        except NXDOMAIN as error:
            return _with_ttl(False, error.kwargs["responses"][name])
        except (DNSException, OSError):
            return None, UNKNOWN_S
        # Without the zone's SOA it is a referral, or an alias that was not followed: no answer.
        has_soa = any(one.rdtype == SOA for one in answer.authority)
        return _with_ttl(False, answer) if has_soa else (None, UNKNOWN_S)

    def _query(self, name: Name, kind: RdataType, ends_at: float) -> QueryMessage:
        return self._resolver.resolve(
            name,
            kind,
            raise_on_no_answer=False,
            lifetime=max(0, ends_at - time.monotonic()),
        ).response

    @cached_property
    def _resolver(self) -> Resolver:
        from dns.nameserver import Do53Nameserver
        from dns.resolver import Resolver

        resolver = Resolver(configure=not self._address)
        if self._address:
            host, _, port = self._address.rpartition(":")
            resolver.nameservers = [Do53Nameserver(host.strip("[]"), int(port))]
        resolver.timeout = TRY_S
        return resolver


def _is_null_mx(answer: QueryMessage) -> bool:
    """Whether all records of an answer that has some say that the domain takes no mail."""
    from dns.name import root
    from dns.rdatatype import MX

    found = answer.resolve_chaining().answer or ()
    return all(record.rdtype == MX and record.exchange == root for record in found)


def _with_ttl(takes_mail: bool, answer: QueryMessage) -> tuple[bool, float]:
    limit = LONGEST_S[takes_mail]
    return takes_mail, min(max(answer.resolve_chaining().minimum_ttl, SHORTEST_S), limit)
