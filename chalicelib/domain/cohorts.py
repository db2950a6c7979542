"""Cohorts: newcomers by the source that brought them, as histograms of how long they bought.

No person is in them. The client's files give those of its other sources; those of ours are made of
the correspondence table, by the same rule: who has ordered within `STILL_ACTIVE_DAYS` goes on
buying, others stopped with their last order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.entity import Entity
from chalicelib.domain.survival import (
    COMPARED_DAYS,
    Difference,
    Life,
    difference,
    log_rank,
    pooled,
)

REFERRED = "referred"  # the source that is ours
STILL_ACTIVE_DAYS = 60
LONGEST_DAYS = 3_660
MOST_SOURCES = 20


@dataclass(frozen=True, kw_only=True)
class Cohort(Entity):
    """The newcomers of one `source`, as they were known on the local day `as_of`.

    `lives` are `days:ended:active`, between spaces: read with every dashboard, so they are short.
    A file of the client was dropped at `dropped_at`: a later one replaces it.
    """

    campaign: str
    source: str
    as_of: date
    dropped_at: datetime
    lives: str

    @property
    def histogram(self) -> list[Life]:
        """The cohort, as curves are made of it."""
        return [Life(*map(int, each.split(":"))) for each in self.lives.split()]


def cohort_of(
    campaign: str, source: str, as_of: date, dropped_at: datetime, lives: Mapping[Life, int]
) -> Cohort:
    """The cohort of so many people with each life."""
    counted = [
        Life(life.days, life.ended * times, life.active * times) for life, times in lives.items()
    ]
    return Cohort(
        campaign=campaign,
        source=source,
        as_of=as_of,
        dropped_at=dropped_at,
        lives=" ".join(f"{one.days}:{one.ended}:{one.active}" for one in pooled([counted])),
    )


def life_of(
    joined_on: date, last_bought_on: date | None, as_of: date, *, is_active: bool | None = None
) -> Life:
    """One person's, known on `as_of`. `is_active`: whether the client says so; None where the last
    order says it. Who never ordered ended on the first day.
    """
    if is_active is None:
        idle = (as_of - last_bought_on).days if last_bought_on else STILL_ACTIVE_DAYS + 1
        is_active = idle <= STILL_ACTIVE_DAYS
    if is_active:
        return Life((as_of - joined_on).days, active=1)
    return Life(max(0, (last_bought_on - joined_on).days) if last_bought_on else 0, ended=1)


@dataclass(frozen=True)
class Comparison:
    """Ours beside those of another source, or of all others: `p` is the log-rank test's. None where
    too little is known.
    """

    p: float | None
    differences: Sequence[Difference]


def compared(ours: Sequence[Life], others: Sequence[Life]) -> Comparison:
    """The two side by side, with the difference on each day that both are known for."""
    found = (difference(ours, others, days) for days in COMPARED_DAYS)
    return Comparison(log_rank(ours, others), [one for one in found if one])


def ours_first(cohorts: Iterable[Cohort]) -> Sequence[Cohort]:
    """The cohort of referred customers, if there is one, then the others by name."""
    return sorted(cohorts, key=lambda one: (one.source != REFERRED, one.source))
