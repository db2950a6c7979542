"""A name server for the addresses of demos and tests, so that none of them needs the network.

It answers for `demo.test` and for the names below it that are written here, says of every other
name that it does not exist, and never asks another server. `decide` is pointed at it by the
parameter `Resolver` of the template, which is empty on AWS.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

ADDRESS: Final = "127.0.0.1"
LIFE_S: Final = 60  # how long an answer may be remembered
LARGEST: Final = 4096

# By name and type. A domain that refuses all mail says so with a "null MX" (RFC 7505).
RECORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "demo.test.": {"MX": "10 mail.demo.test.", "A": ADDRESS},
    "mail.demo.test.": {"A": ADDRESS},
    "nomail.demo.test.": {"MX": "0 ."},
}


@contextmanager
def resolving() -> Iterator[str]:
    """A name server on a free port of 127.0.0.1 for the length of the block: its `host:port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((ADDRESS, 0))
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, over), daemon=True)
        thread.start()
        try:
            yield f"{ADDRESS}:{server.getsockname()[1]}"
        finally:
            over.set()
            # A datagram is what wakes the thread that waits for one.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", server.getsockname())
            thread.join()


def _serve(server: socket.socket, over: threading.Event) -> None:
    while True:
        asked, asker = server.recvfrom(LARGEST)
        if over.is_set():
            return
        answer = answered(asked)
        if answer is not None:
            server.sendto(answer, asker)


def answered(asked: bytes) -> bytes | None:
    """The answer to one message; None for what is no question, which gets no answer."""
    try:
        question = dns.message.from_wire(asked)
    except dns.exception.DNSException:
        return None
    if question.flags & dns.flags.QR:
        return None
    answer = dns.message.make_response(question)
    if question.opcode() != dns.opcode.QUERY or len(question.question) != 1:
        answer.set_rcode(dns.rcode.NOTIMP)
        return answer.to_wire()
    answer.flags |= dns.flags.AA
    (wanted,) = question.question
    records = RECORDS.get(wanted.name.to_text().lower())
    if records is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()
    kind = dns.rdatatype.to_text(wanted.rdtype)
    if kind in records:
        answer.answer.append(dns.rrset.from_text(wanted.name, LIFE_S, "IN", kind, records[kind]))
    return answer.to_wire()
