"""`python -m bench.year`: a year of exchange with the client, played by a virtual clock.

Prints one Markdown table, a row a month, and writes build/bench/year.json. Exits with 1 on any
difference. `--sponsors` and `--days` make it smaller, `--seed` another year.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console

from bench import report
from bench.year.cast import Cast
from bench.year.checks import CHECKS, active
from bench.year.player import Year
from bench.year.programme import DAYS, FIRST_DAY, Programme

AMPLE = 1_000_000  # a budget that no year spends
TIGHT = 1_800
AFTERWARDS = 70  # days in which late reports come, windows pass, and the last statement is written
COLUMNS = ("year", "month", "invited", "confirmed", "orders", "rows", "vouchers", "differences")


@dataclass(frozen=True)
class Scenario:
    """A year to be played."""

    name: str
    programme: Programme
    sequence: int = 0
    share: float = 1.0  # of the sponsors
    every: int = 1  # compared at the end of every so many months


SCENARIOS = (
    Scenario("as reported", Programme(budget=AMPLE)),
    Scenario("in another sequence", Programme(budget=AMPLE), sequence=1, every=4),
    Scenario(
        "with a small budget",
        Programme(budget=TIGHT, referee_cap=3, give_back=("cancelled", "returned")),
        share=0.25,
    ),
)


@dataclass(frozen=True)
class Month:
    """What had happened by the end of a month, and what did not agree then."""

    year: str
    month: str
    counts: dict[str, int]
    differences: list[str]

    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        names = ("invited", "confirmed", "orders", "order rows", "vouchers")
        figures = [f"{self.counts.get(name, 0):,}" for name in names]
        return self.year, self.month, *figures, str(len(self.differences))


def months(scenario: Scenario, year: Year, days: int) -> Iterator[Month]:
    """Play a year; what was found at each month's end and at its own."""
    year.begin()
    for day in range(days + AFTERWARDS):
        year.play(day)
        tomorrow = FIRST_DAY + timedelta(days=day + 1)
        is_due = day and tomorrow.day == 2 and (tomorrow.month - 1) % scenario.every == 0
        if is_due or day == days + AFTERWARDS - 1:
            yield month_of(scenario, year, (tomorrow - timedelta(days=2)).strftime("%Y-%m"))


def month_of(scenario: Scenario, year: Year, name: str) -> Month:
    """The state of a year, checked."""
    found = [*year.differences]
    year.differences.clear()
    for check, differences in CHECKS.items():
        found += [f"{check}: {line}" for line in differences(year)]
    counts = dict(year.counts) | {"vouchers": year.vouchers_issued}
    return Month(scenario.name, name, counts, found)


def by_people(year: Year) -> dict[tuple[str, str], int]:
    """How many rewards everybody has, by address and rule: no id of one play is in it."""
    return {
        (year.addresses[referral], rule): number
        for (referral, rule), number in active(year).items()
        if not year.has_reached_a_cap(referral)
    }


@dataclass(frozen=True)
class Played:
    """A year after its end: its months, and who has how many rewards of each rule."""

    months: list[Month]
    rewards: dict[tuple[str, str], int]


def play(scenario: Scenario, seed: int, sponsors: int, days: int) -> Played:
    """Play a year of a scenario from its beginning to its end."""
    cast = Cast(seed, max(10, int(sponsors * scenario.share)))
    year = Year(cast, scenario.programme, scenario.sequence, last_day=days)
    found = list(months(scenario, year, days))
    return Played(found, by_people(year))


def main() -> int:
    """Play each year in a process of its own, print, write."""
    arguments = _arguments()
    console = Console(stderr=True)
    with ProcessPoolExecutor(min(len(SCENARIOS), os.cpu_count() or 1)) as pool:
        running = [
            pool.submit(play, each, arguments.seed, arguments.sponsors, arguments.days)
            for each in SCENARIOS
        ]
        with console.status(f"playing {len(running)} years"):
            years = [one.result() for one in running]
    found = [month for year in years for month in year.months]
    found.append(_compared(years[0].rewards, years[1].rewards))
    return _published(console, found, arguments.seed)


def _compared(one: dict[tuple[str, str], int], other: dict[tuple[str, str], int]) -> Month:
    """Whether two plays of the same year end with the same rewards."""
    differences = [
        f"{address} has {one.get((address, rule), 0)} of {rule} as reported, and "
        f"{other.get((address, rule), 0)} in another sequence"
        for address, rule in sorted({*one, *other})
        if one.get((address, rule), 0) != other.get((address, rule), 0)
    ]
    return Month("both sequences", "end", {}, differences)


def _published(console: Console, found: list[Month], seed: int) -> int:
    markdown = report.table(COLUMNS, [month.row() for month in found])
    figures = [
        {"year": one.year, "month": one.month, **one.counts, "differences": one.differences}
        for one in found
    ]
    file = report.publish("year", report.conditions(seed=str(seed)), markdown, figures)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    differences = [f"{one.year}, {one.month}: {line}" for one in found for line in one.differences]
    for line in differences[:200]:
        console.print(f"year: {line}", markup=False, soft_wrap=True)
    return 1 if differences else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.year", description=__doc__)
    parser.add_argument("--sponsors", type=int, default=240)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
