"""Working on agendas of any length: a message for each stretch, each worked on by itself.

    hand_out ── a message for each partition that lists anything
       due   ── a long stretch is cut into short ones, a message each; a short one is worked on

A message may come twice, and a stretch may be handed out again while it still waits: what is done
has left the agenda, and what the index still lists is read again by its key. So nothing is kept of
what was handed out; the next run hands out what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.entity import Entity
from chalicelib.services.ports import Agenda, Ports, Stretch

# What one message is for: at most a tenth of a second each, they take a fifth of the function's
# time.
LENGTH = 250


def hand_out(ports: Ports, name: Agenda, scope: str = "", *, until: datetime | None = None) -> int:
    """Queue everything on an agenda up to and including `until`; returns how many messages."""
    stretches = list(ports.repository.stretches(name, scope, until=until))
    ports.queues.put_stretches(stretches)
    return len(stretches)


def cut(ports: Ports, kind: type[Entity], stretch: Stretch, length: int) -> list[Stretch]:
    """The stretch in pieces of at most `length` entries, more only where they share a position;
    none of an empty one.
    """
    return list(_pieces(ports, kind, stretch, length))


def _pieces(ports: Ports, kind: type[Entity], stretch: Stretch, length: int) -> Iterator[Stretch]:
    first = last = ""
    size = 0
    for entry in ports.repository.entries(kind, stretch):
        if size >= length and entry.position != last:
            yield replace(stretch, first=first, last=last)
            size = 0
        first = first if size else entry.position
        last = entry.position
        size += 1
    if size:
        yield replace(stretch, first=first, last=last)
