"""Work at a rate against limits: a discrete simulation by a virtual clock.

A `Work` is a sequence of requests, made one after the other. A request goes through if

* every partition of the table and of its indexes has the units left: an index without them holds up
  the table, as AWS does ("back-pressure");
* nobody else's transaction holds one of its items at that moment.

Otherwise it is refused, waits as the code and botocore wait, and is tried again; after the last
attempt the work has failed. Work that Lambda does needs a free execution first. The `executions` of
a stage are those of its event source, or one for each shard of the stream.

A rate is *held* while nearly nothing is throttled, practically nothing fails, and the wait for an
execution does not grow. What was in the way most often is what gives way. A conflict is tried again
at once, so it counts when work fails of it.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import NamedTuple

from bench.capacity.limits import A_SECOND, Kind
from chalicelib.adapters.dynamodb.repository import ATTEMPTS, FIRST_PAUSE_S

Place = tuple[str, str]

# Botocore's standard mode, as `adapters/clients.py` sets it: it sends a throttled request again
# after up to a second, then up to two.
SENT_AGAIN = 2
MOST_THROTTLED = 0.01  # of all work
MOST_FAILED = 0.001
MOST_BEHIND = 0.05  # of the time
PRECISION = 1.06  # of a ceiling
LEAST = 1e-3  # of the first rate that is tried
CONFLICTS = "transactions on one item"
EXECUTIONS = "executions of "


class Resource(NamedTuple):
    """What has a limit a second: one partition of a store, or a prefix of a bucket."""

    kind: Kind
    store: str
    key: str

    def __str__(self) -> str:
        return f"{self.store} {self.key} ({self.kind})"


@dataclass(frozen=True)
class Request:
    """One call: what it takes of which resource, and the items that it must have to itself.

    A transaction `holds` its items while it lasts; a single write only must not meet one.
    """

    name: str
    seconds: float
    takes: Mapping[Resource, float] = field(default_factory=dict)
    items: frozenset[Place] = frozenset()
    is_transaction: bool = False
    read_items: int = 0


@dataclass(frozen=True)
class Work:
    """What one execution does: requests in sequence, and its own processor time between them."""

    requests: tuple[Request, ...]
    own_s: float = 0.0

    @cached_property
    def seconds(self) -> float:
        """How long it takes when nothing is in its way."""
        return self.own_s + sum(request.seconds for request in self.requests)


@dataclass(frozen=True)
class Stage:
    """Work of one kind: `share` of it for each unit of the load, on so many `executions` at once
    (None: as many as it takes). `draw` makes the next work.
    """

    name: str
    share: float
    draw: Callable[[Random], Work]
    executions: int | None = None


@dataclass
class Outcome:
    """What became of a rate: `works` arrived in so many `seconds`."""

    rate: float
    seconds: float
    works: int = 0
    throttled: int = 0  # at least once
    failed: int = 0
    longest_wait: float = 0.0  # for an execution
    ended: float = 0.0  # when the last work was done
    in_the_way: Counter[str] = field(default_factory=Counter)

    @property
    def is_held(self) -> bool:
        """See the module."""
        return (
            self.throttled <= MOST_THROTTLED * self.works
            and self.failed <= MOST_FAILED * self.works
            and self.longest_wait <= MOST_BEHIND * self.seconds
        )

    @property
    def gives_way(self) -> str:
        """What was in the way most often; empty when nothing was."""
        return max(self.in_the_way, key=lambda name: self.in_the_way[name], default="")


@dataclass
class _Allowance:
    """The units of a resource: refilled all the time, of at most a second."""

    a_second: float
    left: float
    at: float

    def refill(self, now: float) -> None:
        self.left = min(self.a_second, self.left + (now - self.at) * self.a_second)
        self.at = now


@dataclass
class _Executions:
    free: int
    waiting: deque[tuple[float, Work]] = field(default_factory=deque)


class _FailedError(Exception):
    """The work has used all its attempts."""


class Simulation:
    """One run: see the module. `a_second` may name other limits."""

    def __init__(self, chance: Random, a_second: Mapping[Kind, float] = A_SECOND) -> None:
        self._chance, self._a_second = chance, a_second
        self._allowances: dict[Resource, _Allowance] = {}
        self._held: dict[Place, float] = {}
        self._executions: dict[str, _Executions] = {}
        self._events: list[tuple[float, int, Iterator[float]]] = []
        self._number = 0
        self._now = 0.0
        self.outcome = Outcome(0, 0)

    def run(self, stages: Sequence[Stage], rate: float, seconds: float) -> Outcome:
        """Let work arrive for so many seconds, then wait until all is done."""
        self.outcome = Outcome(rate, seconds)
        for stage in stages:
            if stage.executions is not None:
                self._executions[stage.name] = _Executions(stage.executions)
            if rate * stage.share > 0:
                self._at(0.0, self._arrivals(stage, rate * stage.share, seconds))
        while self._events:
            self._now, _, process = heapq.heappop(self._events)
            pause = next(process, None)
            if pause is not None:
                self._at(self._now + pause, process)
        self.outcome.ended = self._now
        return self.outcome

    def _at(self, when: float, process: Iterator[float]) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, process))

    def _arrivals(self, stage: Stage, a_second: float, until: float) -> Iterator[float]:
        """Each by itself, as people come: now and then several at once."""
        yield self._chance.expovariate(a_second)
        while self._now < until:
            self._arrive(stage, stage.draw(self._chance))
            yield self._chance.expovariate(a_second)

    def _arrive(self, stage: Stage, work: Work) -> None:
        self.outcome.works += 1
        executions = self._executions.get(stage.name)
        if executions is None or executions.free:
            if executions:
                executions.free -= 1
            self._at(self._now, self._perform(stage, work))
        else:
            executions.waiting.append((self._now, work))

    def _perform(self, stage: Stage, work: Work) -> Iterator[float]:
        yield work.own_s
        try:
            throttled = 0
            for request in work.requests:
                throttled += yield from self._make(request)
            self.outcome.throttled += throttled > 0
        except _FailedError:
            self.outcome.failed += 1
        executions = self._executions.get(stage.name)
        if executions and executions.waiting:
            since, waiting = executions.waiting.popleft()
            self.outcome.longest_wait = max(self.outcome.longest_wait, self._now - since)
            self.outcome.in_the_way[EXECUTIONS + stage.name] += 1
            self._at(self._now, self._perform(stage, waiting))
        elif executions:
            executions.free += 1

    def _make(self, request: Request) -> Generator[float, None, int]:
        """Make a request until it goes through; how often it was throttled."""
        throttled = 0
        for attempt in range(ATTEMPTS):
            for sent in range(SENT_AGAIN + 1):
                in_the_way = self._meets(request) or self._take(request)
                if not in_the_way:
                    self._hold(request)
                    yield request.seconds
                    return throttled
                self.outcome.in_the_way[in_the_way] += 1
                yield request.seconds
                if in_the_way == CONFLICTS:
                    break  # botocore does not send a cancelled transaction again
                throttled += 1
                if sent < SENT_AGAIN:
                    yield self._chance.uniform(0, 2.0**sent)
            yield self._chance.uniform(0, FIRST_PAUSE_S * 2**attempt)
        raise _FailedError

    def _meets(self, request: Request) -> str:
        """A refusal because a transaction works on one of its items."""
        if any(self._held.get(item, 0.0) > self._now for item in request.items):
            self._spend(request)  # a cancelled transaction is paid for
            return CONFLICTS
        return ""

    def _hold(self, request: Request) -> None:
        if request.is_transaction:
            for item in request.items:
                self._held[item] = self._now + request.seconds

    def _take(self, request: Request) -> str:
        """Take the units of a request, all or none; the name of what has too few."""
        for resource, units in request.takes.items():
            if self._refilled(resource).left < units:
                return str(resource)
        for resource, units in request.takes.items():
            self._allowances[resource].left -= units
        return ""

    def _spend(self, request: Request) -> None:
        for resource, units in request.takes.items():
            self._refilled(resource).left -= units

    def _refilled(self, resource: Resource) -> _Allowance:
        allowance = self._allowances.get(resource)
        if allowance is None:
            limit = self._a_second[resource.kind]
            # Nothing saved: what counts is what it takes for long.
            allowance = self._allowances[resource] = _Allowance(limit, limit / 10, self._now)
        allowance.refill(self._now)
        return allowance


@dataclass(frozen=True)
class Ceiling:
    """The highest rate that was held, the first above it that was not, and what gave way there."""

    rate: float
    broken_at: float | None
    gives_way: str


def ceiling(
    stages_at: Callable[[float], Sequence[Stage]],
    start: float,
    most: float,
    *,
    seconds: float = 5.0,
    seed: int = 1,
) -> Ceiling:
    """Double the rate from `start` until it is not held, or until `most`, or halve it until it is
    held; then halve the interval.

    `stages_at` gives the stages of a rate: how many shards the stream has follows from it.
    """

    def tried(rate: float) -> Outcome:
        return Simulation(Random(seed)).run(stages_at(rate), rate, seconds)

    held, broken, rate = 0.0, None, start
    while broken is None or not held:
        outcome = tried(rate)
        if not outcome.is_held:
            broken, rate = outcome, rate / 2
        elif rate >= most:
            return Ceiling(rate, None, "")
        else:
            held, rate = rate, min(most, rate * 2)
        if rate < start * LEAST:
            return Ceiling(0.0, outcome.rate, outcome.gives_way)
    while broken.rate > held * PRECISION:
        outcome = tried((held + broken.rate) / 2)
        if outcome.is_held:
            held = outcome.rate
        else:
            broken = outcome
    return Ceiling(held, broken.rate, broken.gives_way)


def drained(stages: Sequence[Stage], works: int = 2_000, seed: int = 1) -> Ceiling:
    """How fast a backlog is worked off: everything is there at the beginning. What gives way is
    what is in the way beside the executions, if it is in the way of a good part of the work.
    """
    shares = sum(stage.share for stage in stages)
    instant = 0.01
    outcome = Simulation(Random(seed)).run(stages, works / shares / instant, instant)
    share_done = 1 - outcome.failed / outcome.works
    rate = outcome.works / shares / outcome.ended * share_done
    refusals = Counter(
        {
            name: times
            for name, times in outcome.in_the_way.items()
            if not name.startswith(EXECUTIONS) and times > MOST_BEHIND * outcome.works
        }
    )
    gives_way = refusals or outcome.in_the_way
    return Ceiling(rate, rate, max(gives_way, key=lambda name: gives_way[name], default=""))
