"""The schedule `expire` and the function `due` together: what a test of what is due wants done."""

from __future__ import annotations

from collections import Counter

from chalicelib.services.operations import expire as schedule
from chalicelib.services.operations import reconcile as watch
from chalicelib.services.operations.due import work_off
from chalicelib.services.ports import Failure, Ports
from tests.fakes.ports import MemoryQueues

NOTHING = {"invitations": 0, "vouchers": 0, "orders": 0}


def expire(ports: Ports, queues: MemoryQueues | None = None) -> dict[str, int]:
    """Hand out what is due and do it all; how many of each kind."""
    schedule.expire(ports)
    done = work_off_all(ports, queues)
    return NOTHING | {name: done[name] for name in NOTHING}


def reconcile(ports: Ports) -> dict[str, int]:
    """Find what is stuck, and do what was handed out of it."""
    found = watch.reconcile(ports, must_not_fail)
    done = work_off_all(ports)
    return found | {name: value for name, value in done.items() if name.startswith("referrals_")}


def work_off_all(ports: Ports, queues: MemoryQueues | None = None) -> Counter[str]:
    """Work on every stretch in the queue; a message stays there until it is done."""
    waiting = queues or ports.queues
    assert isinstance(waiting, MemoryQueues)
    done: Counter[str] = Counter()
    while waiting.stretches:
        first = waiting.stretches[0]
        done.update(work_off(ports, first, must_not_fail))
        if first in waiting.stretches:  # unless a competitor was quicker
            waiting.stretches.remove(first)
    return done


def must_not_fail(failure: Failure) -> None:
    """Every failure is an error."""
    raise AssertionError(failure.name) from failure.error
