"""Cohorts as the dashboard has them: curves, and ours beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chalicelib.api import ops_models
from chalicelib.domain.cohorts import REFERRED, Cohort, compared
from chalicelib.domain.survival import Life, curve_of, longest, people_in, pooled

OTHERS = "others"
SHOWN_DAYS = 365
_DIGITS = 4


def cohort_answers(cohorts: Sequence[Cohort]) -> list[ops_models.CohortAnswer]:
    """Ours, all of the client's together where there are several, then each of them."""
    ours = next((one.histogram for one in cohorts if one.source == REFERRED), [])
    theirs = [one for one in cohorts if one.source != REFERRED]
    answers = [_answer(one.source, one.as_of, one.histogram, ours) for one in cohorts]
    if len(theirs) > 1:
        together = pooled([one.histogram for one in theirs])
        as_of = min(one.as_of for one in theirs)
        answers.insert(len(cohorts) - len(theirs), _answer(OTHERS, as_of, together, ours))
    return answers


def _answer(
    source: str, as_of: date, lives: Sequence[Life], ours: Sequence[Life]
) -> ops_models.CohortAnswer:
    return ops_models.CohortAnswer(
        source=source,
        as_of=as_of.isoformat(),
        people=people_in(lives),
        known_days=longest(lives),
        curve=[
            ops_models.SurvivalPointAnswer(
                days=point.days,
                share=round(point.survival, _DIGITS),
                low=round(point.low, _DIGITS),
                high=round(point.high, _DIGITS),
            )
            for point in curve_of(lives)
            if point.days <= SHOWN_DAYS
        ],
        compared=_compared(ours, lives) if ours and source != REFERRED else None,
    )


def _compared(ours: Sequence[Life], lives: Sequence[Life]) -> ops_models.ComparisonAnswer:
    found = compared(ours, lives)
    return ops_models.ComparisonAnswer(
        p=found.p,
        differences=[
            ops_models.DifferenceAnswer(
                days=one.days,
                points=round(one.points, 2),
                low=round(one.low, 2),
                high=round(one.high, 2),
            )
            for one in found.differences
        ],
    )
