"""The name server of the local stack: what it says of demo.test, and of everything else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.resolver
import pytest

from local.resolver import answered, resolving


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with resolving() as started:
        yield started


@pytest.fixture
def resolver(address: str) -> dns.resolver.Resolver:
    host, port = address.split(":")
    asking = dns.resolver.Resolver(configure=False)
    asking.nameservers, asking.port, asking.lifetime = [host], int(port), 5.0
    return asking


def test_it_listens_on_this_machine_alone(address: str) -> None:
    assert address.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", ["demo.test", "DEMO.test"])
def test_the_demo_domain_takes_mail(resolver: dns.resolver.Resolver, name: str) -> None:
    (mail,) = resolver.resolve(name, "MX")
    assert (mail.preference, mail.exchange.to_text().lower()) == (10, "mail.demo.test.")
    assert [one.address for one in resolver.resolve(mail.exchange, "A")] == ["127.0.0.1"]


def test_a_domain_without_mail_says_so_with_a_null_mx(resolver: dns.resolver.Resolver) -> None:
    (mail,) = resolver.resolve("nomail.demo.test", "MX")
    assert (mail.preference, mail.exchange.to_text()) == (0, ".")


@pytest.mark.parametrize("name", ["example.com", "test", "other.demo.test", "xdemo.test"])
@pytest.mark.parametrize("kind", ["MX", "A", "TXT"])
def test_no_other_name_exists(resolver: dns.resolver.Resolver, name: str, kind: str) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve(name, kind)


def test_a_name_without_such_a_record_exists_all_the_same(resolver: dns.resolver.Resolver) -> None:
    with pytest.raises(dns.resolver.NoAnswer):
        resolver.resolve("demo.test", "TXT")


@pytest.mark.parametrize("sent", [b"", b"\0", b"no question at all", b"\xff" * 600])
def test_what_is_no_question_gets_no_answer_and_does_no_harm(
    address: str, resolver: dns.resolver.Resolver, sent: bytes
) -> None:
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(sent, (host, int(port)))
        assert resolver.resolve("demo.test", "MX")


def test_an_answer_is_not_answered() -> None:
    """Or two name servers would go on answering one another."""
    question = dns.message.make_query("demo.test", "MX")
    assert answered(dns.message.make_response(question).to_wire()) is None


def test_its_port_is_free_again_when_the_block_ends() -> None:
    with resolving() as started:
        host, port = started.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((host, int(port)))
