"""Facts to the queues of the work they trigger. Repeats are harmless: all work is guarded."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.facts import Fact
from chalicelib.services.ports import Ports


def relay(ports: Ports, facts: Sequence[Fact]) -> int:
    """Queue the facts; returns the number of messages."""
    relayed = 0
    for queue in Queue:
        due = [fact for fact in facts if queue in queues_of(fact)]
        ports.queues.put(queue, due)
        relayed += len(due)
    return relayed
