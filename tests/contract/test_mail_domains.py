"""The port to the DNS: what is a definite no, what is unknown, and how long an answer is valid."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chalicelib.adapters import mail_domains
from chalicelib.adapters.mail_domains import DnsMailDomains
from chalicelib.services.mail_ports import MailDomains
from tests.contract.conftest import BOTH
from tests.fakes.dns import TTL, LocalDns, Zone, local_dns
from tests.fakes.ports import KnownDomains

pytestmark = pytest.mark.slow

ZONE: Zone = {
    "mail.test": {"MX": ["10 mx.mail.test."]},
    "xn--bcher-kva.test": {"MX": ["10 mx.mail.test."]},
    "address.test": {"A": ["192.0.2.1"]},
    "address-6.test": {"AAAA": ["2001:db8::1"]},
    "null.test": {"MX": ["0 ."], "A": ["192.0.2.1"]},
    "text-only.test": {"TXT": ["nothing"]},
    "broken.test": "SERVFAIL",
    "refused.test": "REFUSED",
    "silent.test": "SILENT",
    "lame.test": {"NS": ["ns.elsewhere.test."]},
}
TAKES = ("mail.test", "xn--bcher-kva.test", "address.test", "address-6.test")
TAKES_NONE = ("null.test", "text-only.test", "no-such-name.test")
UNKNOWN = ("broken.test", "refused.test", "silent.test", "lame.test")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalDns]:
    """A DNS server, with a client that gives up early."""
    monkeypatch.setattr(mail_domains, "LOOKUP_S", 0.3)
    importlib.import_module("dns.resolver")  # its first import takes longer than a look-up may
    with local_dns(ZONE) as server:
        yield server


@pytest.fixture(params=BOTH)
def domains(request: pytest.FixtureRequest) -> MailDomains:
    """The port, on a world where these domains answer so."""
    if request.param == "aws":
        return DnsMailDomains(request.getfixturevalue("dns").address)
    known = KnownDomains()
    known.answers = {**dict.fromkeys(TAKES_NONE, False), **dict.fromkeys(UNKNOWN)}
    return known


@pytest.mark.parametrize(
    ("names", "said"), [(TAKES, True), (TAKES_NONE, False), (UNKNOWN, None)], ids=str
)
def test_only_a_certain_no_is_a_no(
    domains: MailDomains, names: tuple[str, ...], said: bool | None
) -> None:
    assert {name: domains.takes_mail(name) for name in names} == dict.fromkeys(names, said)


def test_a_domain_with_an_mx_is_one_question(dns: LocalDns) -> None:
    DnsMailDomains(dns.address).takes_mail("mail.test")
    assert dns.asked == [("mail.test.", "MX")]


def test_without_an_mx_its_addresses_are_asked_for(dns: LocalDns) -> None:
    DnsMailDomains(dns.address).takes_mail("address-6.test")
    assert [kind for _, kind in dns.asked] == ["MX", "A", "AAAA"]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("mail.test", TTL),
        ("no-such-name.test", 120),  # from the zone's negative answer
        ("broken.test", mail_domains.UNKNOWN_S),
    ],
)
def test_an_answer_holds_for_its_own_time(dns: LocalDns, name: str, seconds: int) -> None:
    clock = Clock()
    domains = DnsMailDomains(dns.address, clock=clock)
    first = domains.takes_mail(name)
    asked = len(dns.asked)
    clock.at = seconds - 1
    assert domains.takes_mail(name) is first
    assert len(dns.asked) == asked
    clock.at = seconds
    assert domains.takes_mail(name) is first
    assert len(dns.asked) > asked


@pytest.mark.parametrize("name", ["mail.test", "no-such-name.test"])
def test_no_answer_holds_longer_than_we_let_it(
    dns: LocalDns, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(mail_domains, "LONGEST_S", {True: 60, False: 60})
    clock = Clock()
    domains = DnsMailDomains(dns.address, clock=clock)
    domains.takes_mail(name)
    clock.at = 60
    domains.takes_mail(name)
    assert dns.asked == [(f"{name}.", "MX")] * 2


def test_the_cache_is_bounded(dns: LocalDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_domains, "MAX_CACHED", 2)
    domains = DnsMailDomains(dns.address)
    for name in (*TAKES[:3], TAKES[2], TAKES[0]):
        domains.takes_mail(name)
    asked = [name.rstrip(".") for name, kind in dns.asked if kind == "MX"]
    assert asked == [*TAKES[:3], TAKES[0]]


def test_all_questions_about_one_domain_end_in_time(dns: LocalDns) -> None:
    began = time.monotonic()
    assert DnsMailDomains(dns.address).takes_mail("silent.test") is None
    assert 0.2 < time.monotonic() - began < 1.5


def test_a_lost_answer_is_asked_for_again(dns: LocalDns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_domains, "TRY_S", 0.1)
    DnsMailDomains(dns.address).takes_mail("silent.test")
    assert len(dns.asked) >= 2


def test_where_nobody_answers_at_all_nothing_is_known() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert DnsMailDomains(f"127.0.0.1:{port}").takes_mail("mail.test") is None


def test_without_a_resolver_of_its_own_the_system_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dns import resolver

    def no_file(*_: object, **__: object) -> None:
        raise resolver.NoResolverConfiguration

    monkeypatch.setattr(resolver.Resolver, "read_resolv_conf", no_file)
    assert DnsMailDomains().takes_mail("mail.test") is None


def test_the_systems_own_resolver_answers_as_another_does(
    dns: LocalDns, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dns import nameserver, resolver

    host, port = dns.address.split(":")

    def of_system(found: resolver.Resolver, *_: object, **__: object) -> None:
        found.nameservers = [nameserver.Do53Nameserver(host, int(port))]

    monkeypatch.setattr(resolver.Resolver, "read_resolv_conf", of_system)
    assert DnsMailDomains().takes_mail("mail.test") is True
    assert dns.asked == [("mail.test.", "MX")]


def test_no_public_call_pays_for_dnspython_or_the_list_of_disposable_domains() -> None:
    script = (
        "import sys, app; from chalicelib.api.edge import address_in;"
        "address_in('email', 'jeanne@example.fr', as_typed=False);"
        "sys.exit(bool({'dns', 'disposable_email_domains'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
