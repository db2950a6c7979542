"""Facts to the queues of the work that follows from them. Repeats are harmless: all work is
guarded.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.facts import Fact, Queue, follow_up
from chalicelib.services.ports import Ports


def relay(ports: Ports, facts: Sequence[Fact]) -> int:
    """Queue what follows; returns how many messages that were."""
    relayed = 0
    for queue in Queue:
        due = [fact for fact in facts if follow_up(fact) is queue]
        if due:
            ports.queues.put(queue, due)
        relayed += len(due)
    return relayed
