"""Checking the facts of past hours, so that none is lost between the table and its consumers.

A fact reaches relay and projector by the stream, and work by a queue; each may lose it: a day's
outage, a dead queue that somebody empties, a fault of ours. So the facts are read again from the
table, hour by hour, once they are settled: what was not counted is projected, and work that is not
done (`consequences.py`) is queued again. All of it is guarded, so a repeat is harmless.

How far this is, is one item (`domain/fact_checks.py`), stored after each piece of an hour: a run
that is killed loses no more than the piece it was at, and the next one goes on from there. Hours in
which something is missing are looked at again, later and later. A fact that cannot be handled does
not stop the others.

Work that is not done may only wait its turn behind a backlog of its queue, and queued again it
would make the backlog longer. So as long as the queue has one, a fact is left alone for
`BACKLOG_EXPLAINS`; from then on each look queues it again, once a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from threading import Lock

from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.fact_checks import (
    BACKLOG_EXPLAINS,
    UNREAD,
    FactCheck,
    Missing,
    UnfinishedHour,
    first_check,
    found_unfinished,
    late_hours,
    looked_again,
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

SHARDS_A_PIECE = 16  # of an hour; then how far the check is, is stored
FACTS_AT_ONCE = 100  # of a shard; no more of them are held


@dataclass(frozen=True)
class FactFinding:
    """A fact of which something was missing."""

    fact: Fact
    missing: Missing
    error: Exception | None = None


@dataclass
class FactReport:
    """What a piece, or a run, found. `unreadable`: facts of which nothing can be said; `counted`:
    the facts it projected; `checked`: how many it read; `late_hours`: how many hours it should have
    looked at, and did not get to. `missing`: how many findings of each kind; `waiting`: how many
    facts wait behind a backlog of their queue, which is no finding.
    """

    findings: list[FactFinding] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)
    counted: list[Fact] = field(default_factory=list)
    missing: Counter[Missing] = field(default_factory=Counter)
    waiting: int = 0
    checked: int = 0
    late_hours: int = 0
    is_complete: bool = True  # false: its time was used up

    def find(self, finding: FactFinding) -> None:
        """Add what was missing of a fact."""
        self.findings.append(finding)
        self.missing[finding.missing] += 1

    def find_unreadable(self, failure: Failure) -> None:
        """Add a fact that could not be read."""
        self.unreadable.append(failure)
        self.missing[Missing.FAILED] += 1

    def add(self, other: FactReport) -> None:
        """Add what another one found."""
        self.findings += other.findings
        self.unreadable += other.unreadable
        self.counted += other.counted
        self.add_numbers(other)

    def add_numbers(self, other: FactReport) -> None:
        """Add how much another one found, and not the facts: they would fill the memory."""
        self.missing += other.missing
        self.waiting += other.waiting
        self.checked += other.checked

    def numbers(self) -> dict[str, int]:
        """How many of each kind are missing, and how many hours wait too long."""
        return {each.value: self.missing[each] for each in Missing} | {UNREAD: self.late_hours}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to look at again: what was only not counted is counted now."""
        return not self.waiting and self.missing.keys() <= {Missing.NOT_COUNTED}


class _AnotherRunError(Exception):
    """Another run has got further meanwhile."""


def check_facts(
    ports: Ports,
    *,
    until: datetime | None = None,
    readers: int = 1,
    on_piece: Callable[[FactReport], None] | None = None,
) -> FactReport:
    """Check the hours that are due, as many pieces of them as begin before `until`; returns what
    was missing.

    `readers` shards are read at a time. With `on_piece` each piece's facts go there, and the report
    that is returned has their numbers only.
    """
    report = FactReport()
    with ThreadPoolExecutor(readers) as pool:
        run = _Run(ports, pool, until)
        for piece in run.pieces():
            if on_piece is None:
                report.add(piece)
            else:
                on_piece(piece)
                report.add_numbers(piece)
    report.is_complete = run.is_complete
    report.late_hours = late_hours(run.check, run.began_at)
    return report


class _Run:
    """A run, and how far it is."""

    def __init__(self, ports: Ports, pool: ThreadPoolExecutor, until: datetime | None) -> None:
        self._ports = ports
        self._pool = pool
        self._until = until
        self._backlogs: dict[Queue, bool] = {}
        self._counting = Lock()  # shards are read at the same time: projectors would meet
        self.began_at = ports.clock()
        self.check = ports.repository.get(FactCheck) or first_check(self.began_at)
        self.is_complete = True

    def pieces(self) -> Iterator[FactReport]:
        """What each piece found, once that is noted."""
        try:
            # New hours first: the unfinished ones must not keep a run from getting on.
            for hour in unread_hours(self.check, self.began_at):
                yield from self._first_look(hour)
            for one in unfinished_due(self.check, self.began_at):
                yield from self._look_again(one)
        except _AnotherRunError:
            return  # what this run has not noted is looked at again

    def _first_look(self, hour: datetime) -> Iterator[FactReport]:
        for shards in self._shards_from(self.check.shard):
            piece = self._look(hour, shards)
            check = self.check
            if not piece.is_done:
                check = found_unfinished(check, hour, self.began_at)
            self._note(moved_on(check, shards.stop, FACT_SHARDS))
            yield piece

    def _look_again(self, one: UnfinishedHour) -> Iterator[FactReport]:
        for shards in self._shards_from(one.shard):
            piece = self._look(one.hour, shards)
            [one] = [each for each in self.check.unfinished if each.hour == one.hour]
            self._note(
                looked_again(
                    self.check, one, shards.stop, FACT_SHARDS, self.began_at, is_done=piece.is_done
                )
            )
            yield piece

    def _shards_from(self, first: int) -> Iterator[range]:
        """The pieces of an hour that begin in time."""
        for start in range(first, FACT_SHARDS, SHARDS_A_PIECE):
            if self._until and self._ports.clock() >= self._until:
                self.is_complete = False
            if not self.is_complete:
                return
            yield range(start, min(start + SHARDS_A_PIECE, FACT_SHARDS))

    def _note(self, check: FactCheck) -> None:
        change = Replace(check) if check.revision else Insert(check)
        try:
            self._ports.repository.commit(change)
        except ConflictError as error:
            raise _AnotherRunError from error
        self.check = replace(check, revision=check.revision + 1)

    def _look(self, hour: datetime, shards: range) -> FactReport:
        """Check some shards of an hour, and have done what was missing."""
        report = FactReport()
        for part in self._pool.map(lambda shard: self._check_shard(hour, shard), shards):
            report.add(part)
        return report

    def _check_shard(self, hour: datetime, shard: int) -> FactReport:
        report = FactReport()
        facts = self._ports.repository.facts_in(hour, shard, report.find_unreadable)
        while some := list(islice(facts, FACTS_AT_ONCE)):
            report.checked += len(some)
            self._count([fact for fact in some if not fact.counted], report)
            self._have_done(self._lost(some, report), report)
        return report

    def _count(self, uncounted: Sequence[Fact], report: FactReport) -> None:
        def count(facts: Sequence[Fact]) -> None:
            with self._counting:
                report.counted.extend(project(self._ports, facts))

        for fact in uncounted:
            report.find(FactFinding(fact, Missing.NOT_COUNTED))
        _find_failed(uncounted, failing(uncounted, count), report)

    def _lost(self, facts: Sequence[Fact], report: FactReport) -> list[Fact]:
        """The facts whose work is not done, without those that wait behind a backlog."""
        lost: list[Fact] = []

        def find(some: list[Fact]) -> None:
            results = results_of(self._ports, some)
            undone = [fact for fact in some if is_undone(self._ports, fact, results)]
            left = [fact for fact in undone if not self._waits(fact)]
            report.waiting += len(undone) - len(left)
            lost.extend(left)

        _find_failed(facts, failing(facts, find), report)
        return lost

    def _waits(self, fact: Fact) -> bool:
        is_young = self.began_at - fact.at < BACKLOG_EXPLAINS
        return is_young and all(self._has_backlog(queue) for queue in queues_of(fact))

    def _has_backlog(self, queue: Queue) -> bool:
        # Asked once a run: what it queues again itself explains nothing.
        if queue not in self._backlogs:
            self._backlogs[queue] = self._ports.queues.has_backlog(queue)
        return self._backlogs[queue]

    def _have_done(self, undone: Sequence[Fact], report: FactReport) -> None:
        for fact in undone:
            report.find(FactFinding(fact, Missing.NOT_DONE))
        not_queued = failing(undone, lambda facts: relay(self._ports, facts))
        _find_failed(undone, not_queued, report)


def _find_failed(
    facts: Sequence[Fact], failures: Sequence[tuple[int, Exception]], report: FactReport
) -> None:
    for place, error in failures:
        report.find(FactFinding(facts[place], Missing.FAILED, error))
