"""All figures as rows of text: the terminal shows them with rich, the page as Markdown.

A ratio says how many times our time a contestant took: above 1, ours is the faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.lists import hashing
from bench.lists.cost import totals
from bench.lists.figures import Figures, Standing

MB = 1 << 20
BILL = "A day on AWS"


@dataclass(frozen=True)
class Sheet:
    """A titled table; all columns but the first hold figures."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def sheets(figures: Figures) -> Iterator[Sheet]:
    """Every table of one size."""
    rows = f"{figures.rows:,} rows"
    yield _standings(f"Build a segment of {rows}", figures.build)
    yield _standings(f"1 % more on {rows}", figures.delta)
    yield _speeds(figures)
    yield _reads(figures)
    yield _hashing(figures)
    yield _costs(figures)
    yield Sheet(
        "Bars",
        ("bar", "wanted", "reached", ""),
        [
            (bar.name, bar.wanted, bar.reached, "met" if bar.met else "missed")
            for bar in figures.bars
        ],
    )
    yield Sheet(
        "Exactness",
        ("check", "found", ""),
        [(one.name, one.found, "holds" if one.holds else "BROKEN") for one in figures.checks],
    )


def shown(console: Console, sheet: Sheet) -> None:
    """Print one table."""
    table = Table(title=sheet.title, title_justify="left")
    for number, column in enumerate(sheet.columns):
        table.add_column(column, justify="right" if number else "left")
    for row in sheet.rows:
        table.add_row(*row)
    console.print(table)


def markdown(sheet: Sheet) -> str:
    """The same for a page."""
    lines = [sheet.columns, ("---", *("---:" for _ in sheet.columns[1:])), *sheet.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"


def _standings(title: str, standings: Sequence[Standing]) -> Sheet:
    columns = ("contestant", "s", "fastest – slowest", "processor s", "× ours", "peak MB")
    rows = [
        (
            one.name,
            f"{one.seconds:.2f}",
            f"{one.fastest:.2f} – {one.slowest:.2f}",
            f"{one.cpu_seconds:.2f}",
            _ratio(one.ratio, one.ratio_low, one.ratio_high),
            f"{one.peak_bytes / MB:,.0f}",
        )
        for one in standings
    ]
    return Sheet(title, columns, rows)


def _speeds(figures: Figures) -> Sheet:
    columns = (
        "look-up of one digest",
        "µs, there",
        "µs, absent",
        "× ours",
        "peak MB",
        "on disk MB",
    )
    rows = [
        (
            one.name,
            f"{one.hit_us:.2f}",
            f"{one.miss_us:.2f}",
            _ratio(one.ratio, one.ratio_low, one.ratio_high),
            f"{one.peak_bytes / MB:,.0f}",
            f"{one.stored_bytes / MB:,.0f}",
        )
        for one in figures.speeds
    ]
    return Sheet(f"Look up in {figures.distinct:,} digests", columns, rows)


def _reads(figures: Figures) -> Sheet:
    columns = ("reader", "look-ups", "GETs, most", "GETs, mean", "KB, most", "KB, mean")
    rows = [
        (
            one.state,
            f"{one.lookups:,}",
            str(one.gets_most),
            f"{one.gets_mean:.4f}",
            f"{one.bytes_most / 1024:.1f}",
            f"{one.bytes_mean / 1024:.1f}",
        )
        for one in figures.reads
    ]
    return Sheet("GETs and bytes for one digest", columns, rows)


def _hashing(figures: Figures) -> Sheet:
    sheet = _standings(f"Hash {figures.hashed_rows:,} addresses", figures.hashing)
    rows = [
        (*row, f"{hashing.lines_per_second(one.seconds) / 1000:,.0f}")
        for row, one in zip(sheet.rows, figures.hashing, strict=True)
    ]
    columns = (*sheet.columns[:-1], "peak MB, largest process", "thousand lines/s")
    return Sheet(sheet.title, columns, rows)


def _costs(figures: Figures) -> Sheet:
    rows = [
        (one.way, one.item, _count(one.count), one.unit, _dollars(one.dollars))
        for one in figures.costs
    ]
    rows += [(way, "in all", "", "", _dollars(sum_)) for way, sum_ in totals(figures.costs).items()]
    return Sheet(BILL, ("way", "item", "count", "unit", "$ a day"), rows)


def _ratio(median: float, low: float, high: float) -> str:
    return f"{median:.2f} ({low:.2f} – {high:.2f})"


def _count(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 else f"{count:.2f}"


def _dollars(amount: float) -> str:
    return f"{amount:.6f}" if amount < 0.01 else f"{amount:.4f}"
