"""What a run of the list benchmark found: standings, bars and checks, and the rows of its table.

A ratio says how many times Tandem's time a contestant took: above 1, Tandem is the faster one. A
bar or a check belongs to the row of one contestant in one contest. A missed bar fails the benchmark
as a failed check does.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.lists.processes import Run

MB = 1 << 20
COLUMNS = ("contest", "contestant", "time", "× ours", "processor s", "peak MB", "bar", "correct")


@dataclass(frozen=True)
class Standing:
    """How one contestant did. `times` has one time a round, in `unit`; the rest is of them all.

    Ratios are taken within a round; that of a contestant which ran once is to our median.
    `peak_bytes` is the most of any round, of its largest process.
    """

    contest: str
    contestant: str
    unit: str
    times: list[float]
    ratios: list[float]
    cpu_seconds: float
    peak_bytes: int

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.ratios)


@dataclass(frozen=True)
class Bar:
    """One figure to be reached."""

    contest: str
    contestant: str
    wanted: str
    reached: str
    met: bool


@dataclass(frozen=True)
class Check:
    """One thing that must be exactly so."""

    contest: str
    contestant: str
    name: str
    holds: bool


@dataclass
class Results:
    """All of one run; each contest adds its own. `requests`: the GETs and bytes of a look-up."""

    standings: list[Standing] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    requests: Mapping[str, float] = field(default_factory=dict)

    def standing(self, contest: str, contestant: str) -> Standing:
        """Of one contestant; StopIteration when it took no part."""
        return next(
            one for one in self.standings if (one.contest, one.contestant) == (contest, contestant)
        )

    def require_ratio(self, contest: str, contestant: str, least: float) -> None:
        """Add the bar that this contestant takes `least` times our time."""
        ratio = self.standing(contest, contestant).ratio
        self.bars.append(
            Bar(contest, contestant, f"≥ {least:g} ×", f"{ratio:.2f} ×", ratio >= least)
        )

    def failures(self) -> Iterator[str]:
        """Every bar that is missed and every check that does not hold, in a line each."""
        for bar in self.bars:
            if not bar.met:
                where = f"{bar.contest}, {bar.contestant}"
                yield f"missed: {where}: {bar.wanted} wanted, {bar.reached} reached"
        for check in self.checks:
            if not check.holds:
                yield f"wrong: {check.contest}, {check.contestant}: {check.name}"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """One for each standing, with its bars and its checks."""
        for one in self.standings:
            where = (one.contest, one.contestant)
            bars = [bar for bar in self.bars if (bar.contest, bar.contestant) == where]
            checks = [check for check in self.checks if (check.contest, check.contestant) == where]
            yield (
                *where,
                _spread(one.times, f" {one.unit}"),
                _spread(one.ratios, ""),
                f"{one.cpu_seconds:.2f}",
                f"{one.peak_bytes / MB:,.0f}",
                "; ".join(
                    f"{bar.wanted}: {bar.reached}, {'met' if bar.met else 'MISSED'}" for bar in bars
                ),
                "; ".join(f"{check.name}: {'yes' if check.holds else 'NO'}" for check in checks),
            )


def standings(
    contest: str,
    runs: Mapping[str, Sequence[Run]],
    ours: str,
    *,
    unit: str = "s",
    time: Callable[[Run], float] = lambda run: run.seconds,
) -> list[Standing]:
    """The contestants in order, compared with `ours`."""
    own = [time(run) for run in runs[ours]]
    found = []
    for name, each in runs.items():
        times = [time(run) for run in each]
        to = own if len(times) == len(own) else [statistics.median(own)]
        found.append(
            Standing(
                contest=contest,
                contestant=name,
                unit=unit,
                times=times,
                ratios=[one / other for one, other in zip(times, to, strict=True)],
                cpu_seconds=statistics.median(run.cpu_seconds for run in each),
                peak_bytes=max(run.peak_bytes for run in each),
            )
        )
    return found


def _spread(values: Sequence[float], unit: str) -> str:
    """The median, and the least and the greatest when there are several."""
    median = f"{statistics.median(values):.2f}{unit}"
    return f"{median} ({min(values):.2f} – {max(values):.2f})" if len(values) > 1 else median
