"""How long newcomers go on buying: survival curves, what they differ by, and how surely.

Pure. A cohort is a histogram: for each number of days since its people joined, how many bought for
the last time then (`ended`) and how many still bought when they were looked at (`active`). The
curve is Kaplan and Meier's; its 95 % band is Greenwood's variance on the scale of log(-log), which
stays between 0 and 1; two curves are compared by the log-rank test. `lifelines` has the same
results (tests/domain/test_survival.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054
COMPARED_DAYS = (30, 90, 180)


@dataclass(frozen=True)
class Life:
    """How many people `ended` so many `days` after they joined, and how many were `active` then."""

    days: int
    ended: int = 0
    active: int = 0


@dataclass(frozen=True)
class Point:
    """The share that still bought after day `days`, with its band, and the sum of Greenwood's terms
    that it is made of. `at_risk`: how many were known to be there until then.
    """

    days: int
    survival: float
    low: float
    high: float
    at_risk: int
    greenwood: float = 0.0


@dataclass(frozen=True)
class Difference:
    """By how many points the first share is above the other at `days`, with its band."""

    days: int
    points: float
    low: float
    high: float


def pooled(cohorts: Iterable[Sequence[Life]]) -> list[Life]:
    """Several cohorts as one, in the order of days."""
    counted: dict[int, tuple[int, int]] = {}
    for life in (life for lives in cohorts for life in lives):
        ended, active = counted.get(life.days, (0, 0))
        counted[life.days] = ended + life.ended, active + life.active
    return [Life(days, *counted[days]) for days in sorted(counted)]


def people_in(lives: Iterable[Life]) -> int:
    """How many people a cohort has."""
    return sum(life.ended + life.active for life in lives)


def curve_of(lives: Sequence[Life]) -> list[Point]:
    """Kaplan and Meier's curve: a point for day 0 and for each day on which somebody ended."""
    at_risk = people_in(lives)
    points = [Point(0, 1.0, 1.0, 1.0, at_risk)]
    survival, greenwood = 1.0, 0.0
    for life in pooled([lives]):
        if life.ended:
            survival *= 1 - life.ended / at_risk
            left = at_risk - life.ended
            greenwood += life.ended / (at_risk * left) if left else math.inf
            low, high = _band(survival, greenwood)
            points.append(Point(life.days, survival, low, high, at_risk, greenwood))
        at_risk -= life.ended + life.active
    return points if len(points) == 1 or points[1].days else points[1:]


def _band(survival: float, greenwood: float) -> tuple[float, float]:
    if not 0 < survival < 1:
        return survival, survival
    log = math.log(survival)
    spread = Z_95 * math.sqrt(greenwood) / abs(log)
    return survival ** math.exp(spread), survival ** math.exp(-spread)


def at(curve: Sequence[Point], days: int) -> Point:
    """The point that holds on day `days`."""
    return max((point for point in curve if point.days <= days), key=lambda point: point.days)


def longest(lives: Iterable[Life]) -> int:
    """For how many days anybody of a cohort is known."""
    return max((life.days for life in lives), default=0)


def difference(one: Sequence[Life], other: Sequence[Life], days: int) -> Difference | None:
    """By how many points the first cohort's share is above the other's; None where one of them is
    not known for that long. The variances of the two add up.
    """
    if min(longest(one), longest(other)) < days:  # also where there is nobody
        return None
    here, there = at(curve_of(one), days), at(curve_of(other), days)
    spread = Z_95 * math.sqrt(_variance(here) + _variance(there))
    points = here.survival - there.survival
    return Difference(days, 100 * points, 100 * (points - spread), 100 * (points + spread))


def _variance(point: Point) -> float:
    return point.survival**2 * point.greenwood if point.survival else 0.0


def log_rank(one: Sequence[Life], other: Sequence[Life]) -> float | None:
    """The probability of curves so far apart, or farther, if the two cohorts bought alike; None
    where nobody ended while both were known.
    """
    here, there = _by_day(one), _by_day(other)
    left, right = people_in(one), people_in(other)
    surplus = variance = 0.0
    for days in sorted(here.keys() | there.keys()):
        mine, yours = here.get(days, Life(days)), there.get(days, Life(days))
        ended, at_risk = mine.ended + yours.ended, left + right
        if at_risk > 1:  # one alone is as expected
            surplus += mine.ended - ended * left / at_risk
            share = left / at_risk * (right / at_risk)
            variance += ended * share * (at_risk - ended) / (at_risk - 1)
        left -= mine.ended + mine.active
        right -= yours.ended + yours.active
    if not variance:
        return None
    return math.erfc(math.sqrt(surplus * surplus / variance / 2))  # chi squared, one degree


def _by_day(lives: Sequence[Life]) -> Mapping[int, Life]:
    return {life.days: life for life in pooled([lives])}
