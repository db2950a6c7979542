"""What `lifelines` says of two cohorts: reads them as JSON, writes its numbers as JSON.

Run by the python of `.venv-survival`; nothing of ours is imported, so the two share no code.
"""

from __future__ import annotations

import json
import sys

from lifelines import KaplanMeierFitter  # type: ignore[import-not-found]  # .venv-survival alone
from lifelines.statistics import logrank_test  # type: ignore[import-not-found]


def people(lives: list[list[int]]) -> tuple[list[int], list[int]]:
    """For each person, how long she was known, and whether she ended then."""
    days = [day for day, ended, active in lives for _ in range(ended + active)]
    seen = [int(n < ended) for _, ended, active in lives for n in range(ended + active)]
    return days, seen


def curve(lives: list[list[int]]) -> list[list[float]]:
    """Day, share, low and high, and how many were at risk."""
    days, seen = people(lives)
    fitted = KaplanMeierFitter(alpha=0.05).fit(days, seen)
    table = fitted.survival_function_.join(fitted.confidence_interval_)
    at_risk = fitted.event_table["at_risk"]
    return [[float(day), *map(float, row), float(at_risk[day])]
            for day, row in zip(table.index, table.to_numpy(), strict=True)]  # fmt: skip


def main() -> None:
    """Answer each pair on the standard input."""
    answers = []
    for one, other in json.load(sys.stdin):
        days, seen = people(one)
        other_days, other_seen = people(other)
        test = logrank_test(days, other_days, seen, other_seen)
        answers.append({"curves": [curve(one), curve(other)], "p": float(test.p_value)})
    json.dump(answers, sys.stdout)


main()
