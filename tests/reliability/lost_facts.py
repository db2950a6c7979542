"""Each kind of fact withheld once from each consumer of the stream, and a day of schedules."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.facts import FactName
from chalicelib.services.operations.check_facts import check_facts
from tests.reliability.figures import Figure
from tests.services.test_check_facts import account, played

CONSUMERS = ("relay", "project")


def withheld(names: Iterable[FactName] = FactName) -> Figure:
    """After a day all is as if nothing had been withheld, and the next check finds nothing."""
    found = {"not done": 0, "still found": 0}
    details, cases = [], 0
    for name in names:
        undisturbed = account(played(name, "nobody")[0])
        for consumer in CONSUMERS:
            world, _ = played(name, consumer)
            cases += 1
            if account(world) != undisturbed:
                found["not done"] += 1
                details.append(f"{name} withheld from {consumer}")
            found["still found"] += len(check_facts(world.ports).findings)
    done = {"kinds of facts": cases // len(CONSUMERS), "cases": cases}
    return Figure("each kind of fact withheld once, a day later", done, found, details)
