"""Which figures are drawn, and how: one picture a contest, in the order of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from bench.lists.building import DELTA, OURS, START
from bench.lists.cost import totals
from bench.lists.drawing import Panel, Stroke, picture
from bench.lists.figures import Figures, Standing
from bench.lists.hashing import ALL_CORES, ONE_JOB
from bench.lists.looking_up import AT_HAND, FILE
from bench.lists.table import MB


def pictures(figures: Figures) -> dict[str, str]:
    """SVG documents by file name, without the ending."""
    build = [one for one in figures.build if one.name != START]
    million = f"{figures.rows / 1e6:g} M"
    return {
        "build": picture(
            f"Building a segment of {million} digests",
            [
                Panel(f"{million} digests: seconds", _times(build, OURS)),
                Panel("peak memory", _memory(build, OURS)),
            ],
        ),
        "delta-and-hash": picture(
            "A one-percent delta, and hashing addresses",
            [
                Panel(f"1 % more on {million}: seconds", _times(figures.delta, DELTA)),
                Panel(
                    f"hash {figures.hashed_rows / 1e6:g} M addresses: seconds",
                    _times(figures.hashing, ALL_CORES, ONE_JOB),
                ),
            ],
        ),
        "look-up": picture(
            f"Looking up one digest among {million}",
            [Panel("microseconds, mean of there and absent", _speeds(figures))],
        ),
        "cost": picture(
            f"A day on AWS with a list of {million}", [Panel("dollars a day", _costs(figures))]
        ),
    }


def _times(standings: Sequence[Standing], *ours: str) -> list[Stroke]:
    """The first one is what the ratios are to."""
    ratios = ["", *(f" · {one.ratio:.1f} ×" for one in standings[1:])]
    return [
        Stroke(one.name, one.seconds, f"{one.seconds:.2f} s{ratio}", one.name in ours)
        for one, ratio in zip(standings, ratios, strict=True)
    ]


def _memory(standings: Sequence[Standing], ours: str) -> list[Stroke]:
    return [
        Stroke(one.name, one.peak_bytes, f"{one.peak_bytes / MB:,.0f} MB", one.name == ours)
        for one in standings
    ]


def _speeds(figures: Figures) -> list[Stroke]:
    mean = [(one.name, (one.hit_us + one.miss_us) / 2) for one in figures.speeds]
    return [Stroke(name, us, f"{us:.1f} µs", name in {AT_HAND, FILE}) for name, us in mean]


def _costs(figures: Figures) -> list[Stroke]:
    return [
        Stroke(way, dollars, f"$ {dollars:.3f}", way.startswith("segment"))
        for way, dollars in totals(figures.costs).items()
    ]
