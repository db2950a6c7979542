"""The two bills: of a million invitations, and of a month in which nobody comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.capacity import deployed
from bench.cost import idle as month_alone
from bench.cost import population as people
from bench.cost.life import SCHEDULES, Life
from bench.cost.pages import pages
from bench.cost.prices import PRICES, Unit
from bench.cost.story import alone, idle, played
from bench.cost.usage import (
    Seconds,
    Usage,
    beyond,
    mean_seconds,
    names,
    of_calls,
    of_execution,
    of_pages,
    of_stored,
    scaled,
    total,
    traces,
)

IS_TRACED = deployed.template()["Parameters"]["Tracing"]["Default"] == "Active"

SECONDS = Path(__file__).parent / "seconds.json"
# What is asked for, and what is held: a test fails above it.
GOAL_TIMES_SES, HELD_TIMES_SES = 1.5, 2.05
GOAL_IDLE, HELD_IDLE = 6.0, 8.2  # dollars a month, without what limits callers by address
# What is kept for years is a bill of its own: a month's bill has no part of it but this month's.
KEPT = (Unit.TABLE, Unit.BACKUP, Unit.FILES)
EDGE = (Unit.WEB_ACL, Unit.WEB_RULE, Unit.WEB_CALL)
AN_INVITATION = people.BILLED / people.PLAYED


@dataclass(frozen=True)
class Line:
    """So much of a unit, and what it costs."""

    unit: Unit
    amount: float
    free: float = 0.0

    @property
    def dollars(self) -> float:
        """At the list price, without what is free."""
        return max(0.0, self.amount - self.free) * PRICES[self.unit].each


@dataclass(frozen=True)
class Bill:
    """The lines of a usage, dearest first."""

    usage: Usage

    def lines(self, *, free: bool = False) -> Sequence[Line]:
        """By unit; `free`: less what AWS takes no money for."""
        made = [
            Line(unit, amount, PRICES[unit].free if free else 0.0)
            for unit, amount in self.usage.items()
            if amount
        ]
        return sorted(made, key=lambda line: -line.dollars)

    def dollars(self, *units: Unit, free: bool = False) -> float:
        """Of all lines, or of these units alone."""
        lines = self.lines(free=free)
        return sum(line.dollars for line in lines if not units or line.unit in units)

    def without(self, *units: Unit) -> Bill:
        """The rest."""
        return Bill(Usage({unit: n for unit, n in self.usage.items() if unit not in units}))


@dataclass(frozen=True)
class Bills:
    """Everything that is counted. `ses` is what the mails cost by themselves."""

    month: Bill
    kept: Bill
    quiet: Bill
    metrics: Sequence[str]

    @property
    def ses(self) -> float:
        """SES alone."""
        return self.month.dollars(Unit.MAIL)

    @property
    def times_ses(self) -> float:
        """How many times SES alone the month's bill is."""
        return self.month.dollars() / self.ses


def bills(seconds: Seconds | None = None) -> Bills:
    """Play, count, add up, with the recorded times of executions."""
    times = seconds if seconds is not None else recorded_seconds()
    with idle() as nobody:
        quiet = {one.name: one for one in nobody.executions}
    with played() as life:
        pass
    with alone(life) as empty:
        caused = _caused(life, empty, times)
    clock = month_alone.by_the_clock(list(quiet.values()), times, is_traced=IS_TRACED)
    there = total([month_alone.upkeep(), month_alone.edge(), clock])
    return Bills(
        month=Bill(total([scaled(caused, AN_INVITATION), _traced(life), _counted(life), there])),
        kept=Bill(scaled(of_stored(life.kept), AN_INVITATION)),
        quiet=Bill(there),
        metrics=list(names(life.executions)),
    )


def _caused(life: Life, empty: Life, seconds: Seconds) -> Usage:
    """What the played invitations take, beyond what the schedules take without them."""
    usages = [of_calls(life.api_calls), of_pages(pages())]
    by_itself = {name: [one for one in empty.executions if one.name == name] for name in SCHEDULES}
    for one in life.executions:
        usage = of_execution(one, seconds, is_traced=IS_TRACED)
        if one.name in SCHEDULES:
            there = by_itself[one.name].pop(0)
            usage = beyond(usage, of_execution(there, seconds, is_traced=IS_TRACED))
        usages.append(usage)
    return total(usages)


def _traced(life: Life) -> Usage:
    calls = len(life.executions) * AN_INVITATION
    return Usage({Unit.TRACE: traces(calls)}) if IS_TRACED else Usage()


def _counted(life: Life) -> Usage:
    """Every metric is written in every hour of such a month."""
    return Usage({Unit.METRIC: len(set(names(life.executions)))})


def recorded_seconds() -> Seconds:
    """How long executions take, as measured the last time (`make cost MEASURE=1`)."""
    kept = json.loads(SECONDS.read_text(encoding="utf-8"))["seconds"]
    return {name: (own, calls) for name, (own, calls) in kept.items()}


def measured_seconds() -> dict[str, tuple[float, float]]:
    """How long they take on this machine now."""
    with idle() as nobody:
        found = mean_seconds(nobody.executions)
    with played() as life:
        return found | mean_seconds(life.executions)
