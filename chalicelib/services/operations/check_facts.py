"""Checking the facts of past hours, so that none is lost between the table and its consumers.

A fact reaches relay and projector by the stream, and work by a queue; each may lose it: a day's
outage, a dead queue that somebody empties, a fault of ours. So the facts are read again from the
table, hour by hour, once they are settled: what was not counted is projected, and work that is not
done (`consequences.py`) is queued again. All of it is guarded, so a repeat is harmless.

How far this is, is one item (`domain/fact_checks.py`). A run ends when its time is used up; the
next one goes on from there. Hours in which something is missing are looked at again, later and
later. A fact that cannot be handled does not stop the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.fact_checks import (
    UNREAD,
    FactCheck,
    Missing,
    first_check,
    late_hours,
    looked_at,
    moved_on,
    unfinished_due,
    unread_hours,
)
from chalicelib.domain.facts import Fact
from chalicelib.services.isolation import failing
from chalicelib.services.operations.consequences import is_undone, results_of
from chalicelib.services.operations.project import project
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import (
    FACT_SHARDS,
    ConflictError,
    Failure,
    Insert,
    Ports,
    Replace,
)

RUN_LASTS = timedelta(minutes=2)
FACTS_AT_ONCE = 100


@dataclass(frozen=True)
class FactFinding:
    """A fact of which something was missing."""

    fact: Fact
    missing: Missing
    error: Exception | None = None


@dataclass
class FactReport:
    """What a run found. `unreadable`: facts of which nothing can be said; `counted`: the facts it
    projected; `checked`: how many it read; `late_hours`: how many hours it should have looked at,
    and did not get to.
    """

    findings: list[FactFinding] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)
    counted: list[Fact] = field(default_factory=list)
    checked: int = 0
    late_hours: int = 0
    is_complete: bool = True  # false: its time was used up

    def add(self, other: FactReport) -> None:
        self.findings += other.findings
        self.unreadable += other.unreadable
        self.counted += other.counted
        self.checked += other.checked

    def numbers(self) -> dict[str, int]:
        """How many of each kind are missing, and how many hours wait too long."""
        missing = Counter(one.missing.value for one in self.findings)
        missing[Missing.FAILED.value] += len(self.unreadable)
        return {each.value: missing[each.value] for each in Missing} | {UNREAD: self.late_hours}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to look at again: what was only not counted is counted now."""
        found = {one.missing for one in self.findings}
        return not self.unreadable and found <= {Missing.NOT_COUNTED}


def check_facts(ports: Ports, *, readers: int = 1) -> FactReport:
    """Check the hours that are due, for as long as a run lasts; returns what was missing.

    `readers` shards are read at a time.
    """
    now = ports.clock()
    stored = ports.repository.get(FactCheck)
    check = stored or first_check(now)
    report = FactReport()
    with ThreadPoolExecutor(readers) as pool:
        # New hours first: the unfinished ones must not keep a run from getting on.
        for hour, shards in _unread(check, now, readers):
            if ports.clock() - now > RUN_LASTS:
                report.is_complete = False
                break
            part = _look(ports, pool, hour, shards)
            if not part.is_done:
                check = looked_at(check, hour, now, is_done=False)
            check = moved_on(check, shards.stop, FACT_SHARDS)
            report.add(part)
        for hour in unfinished_due(check, now):
            if ports.clock() - now > RUN_LASTS:
                report.is_complete = False
                break
            part = _look(ports, pool, hour, range(FACT_SHARDS))
            check = looked_at(check, hour, now, is_done=part.is_done)
            report.add(part)
    report.late_hours = late_hours(check, now)
    if check != stored:
        _store(ports, check)
    return report


def _unread(check: FactCheck, now: datetime, readers: int) -> Iterator[tuple[datetime, range]]:
    """The hours that nobody has looked at, so many shards at a time."""
    first = check.shard
    for hour in unread_hours(check, now):
        for start in range(first, FACT_SHARDS, readers):
            yield hour, range(start, min(start + readers, FACT_SHARDS))
        first = 0


def _store(ports: Ports, check: FactCheck) -> None:
    try:
        ports.repository.commit(Replace(check) if check.revision else Insert(check))
    except ConflictError:
        return  # another run was there at the same time: what it has not noted is looked at again


def _look(ports: Ports, pool: ThreadPoolExecutor, hour: datetime, shards: range) -> FactReport:
    """Check some shards of an hour, and have done what was missing."""
    report = FactReport()
    for part in pool.map(lambda shard: _check_shard(ports, hour, shard), shards):
        report.add(part)
    uncounted = [one.fact for one in report.findings if one.missing is Missing.NOT_COUNTED]
    undone = [one.fact for one in report.findings if one.missing is Missing.NOT_DONE]
    # Not while shards are read at the same time: projectors would meet each other.
    not_counted = failing(uncounted, lambda facts: report.counted.extend(project(ports, facts)))
    not_queued = failing(undone, lambda facts: relay(ports, facts))
    report.findings += [
        FactFinding(facts[place], Missing.FAILED, error)
        for facts, errors in ((uncounted, not_counted), (undone, not_queued))
        for place, error in errors
    ]
    return report


def _check_shard(ports: Ports, hour: datetime, shard: int) -> FactReport:
    report = FactReport()
    facts = list(ports.repository.facts_in(hour, shard, report.unreadable.append))
    report.checked = len(facts)
    for start in range(0, len(facts), FACTS_AT_ONCE):
        some = facts[start : start + FACTS_AT_ONCE]
        report.findings += [
            FactFinding(fact, Missing.NOT_COUNTED) for fact in some if not fact.counted
        ]
        report.findings += _undone(ports, some)
    return report


def _undone(ports: Ports, facts: Sequence[Fact]) -> list[FactFinding]:
    found: list[FactFinding] = []

    def find(some: list[Fact]) -> None:
        results = results_of(ports, some)
        left = [fact for fact in some if is_undone(ports, fact, results)]
        found.extend(FactFinding(fact, Missing.NOT_DONE) for fact in left)

    failures = failing(facts, find)
    return found + [FactFinding(facts[place], Missing.FAILED, error) for place, error in failures]
