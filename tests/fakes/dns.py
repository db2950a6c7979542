"""A DNS server on 127.0.0.1 that answers out of a table, over UDP, and counts what it is asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

from dns import flags, message, rcode, rdatatype, rrset

# By name: the records of each type, or what goes wrong there. A name that is not in it is unknown.
Records = Mapping[str, Sequence[str]]
Zone = Mapping[str, Records | str]

TTL = 600
SOA = "ns.test. hostmaster.test. 1 7200 900 1209600 120"


class LocalDns:
    """`asked` has name and type of each question so far, in order; `address` is `host:port`."""

    def __init__(self, zone: Zone, sock: socket.socket) -> None:
        self.zone = zone
        self.asked: list[tuple[str, str]] = []
        self.address = "{}:{}".format(*sock.getsockname())
        self._socket = sock

    def serve(self) -> None:
        """Answer until the empty datagram that `stop` sends."""
        while True:
            wire, sender = self._socket.recvfrom(4096)
            if not wire:
                return
            answer = self._answered(message.from_wire(wire))
            if answer:
                self._socket.sendto(answer.to_wire(), sender)

    def stop(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())

    def _answered(self, query: message.Message) -> message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text(), rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        there = self.zone.get(name.rstrip("."), "NXDOMAIN")
        if there == "SILENT":
            return None
        answer = message.make_response(query)
        answer.flags |= flags.RA
        if isinstance(there, str):
            answer.set_rcode(rcode.from_text(there))
        elif kind in there:
            answer.answer.append(rrset.from_text(name, TTL, "IN", kind, *there[kind]))
        if not isinstance(there, str) and "NS" in there:  # it only points to another server
            answer.authority.append(rrset.from_text("test.", TTL, "IN", "NS", *there["NS"]))
        elif not answer.answer:
            answer.authority.append(rrset.from_text("test.", TTL, "IN", "SOA", SOA))
        return answer


@contextmanager
def local_dns(zone: Zone) -> Iterator[LocalDns]:
    """A server for the length of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = LocalDns(zone, sock)
        thread = Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join()
