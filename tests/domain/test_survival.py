"""Survival curves against `lifelines`, which runs in an environment of its own, and by hand."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from math import isnan, sqrt
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chalicelib.domain.survival import (
    COMPARED_DAYS,
    Z_95,
    Life,
    at,
    curve_of,
    difference,
    log_rank,
    longest,
    people_in,
    pooled,
)
from local.environment import ROOT, make

REFERENCE = Path(__file__).parents[1] / "reference/survival.py"
HOME = ".venv-survival"


def drawn(chance: Random, people: int, ends_a_day: float, most: int) -> list[Life]:
    """Newcomers who stop with a chance each day, looked at after different times."""
    lives = []
    for _ in range(people):
        days = 0 if chance.random() < 0.1 else int(chance.expovariate(ends_a_day))
        looked_at = chance.randrange(1, most)
        lives.append(Life(days, ended=1) if days < looked_at else Life(looked_at, active=1))
    return pooled([lives])


def pairs() -> list[tuple[list[Life], list[Life]]]:
    chance = Random(7)
    drawn_pairs = [
        (drawn(chance, people, 1 / 200, most), drawn(chance, people * 3, 1 / 120, most))
        for people, most in ((3, 40), (12, 90), (200, 300), (2_000, 400))
    ]
    by_hand = [
        ([Life(1, ended=1), Life(5, active=1)], [Life(2, ended=2)]),
        ([Life(0, ended=2), Life(9, ended=1)], [Life(0, ended=1), Life(3, 1, 1)]),
        ([Life(30, ended=10, active=90)], [Life(30, ended=20, active=80)]),
    ]
    return [*drawn_pairs, *by_hand]


@cache
def reference() -> list[dict[str, Any]]:
    """What lifelines says of all pairs."""
    make(HOME, "requirements-survival.txt")
    asked = [
        [[[life.days, life.ended, life.active] for life in lives] for lives in pair]
        for pair in pairs()
    ]
    done = subprocess.run(
        [ROOT / HOME / "bin/python", REFERENCE],
        input=json.dumps(asked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("which", range(len(pairs())))
def test_curves_bands_and_log_rank_are_those_of_lifelines(which: int) -> None:
    pair, expected = pairs()[which], reference()[which]
    for lives, rows in zip(pair, expected["curves"], strict=True):
        curve = curve_of(lives)
        assert len(rows) >= len(curve)
        for day, survival, low, high, at_risk in rows:
            here = at(curve, int(day)) if day >= curve[0].days else None
            if here is None:
                assert survival == 1
                continue
            assert here.survival == pytest.approx(survival, abs=1e-12)
            if 0 < survival < 1 and not isnan(low):
                assert (here.low, here.high) == pytest.approx((low, high), abs=1e-9)
            if here.days == day and day:
                assert here.at_risk == at_risk
    assert log_rank(*pair) == pytest.approx(expected["p"], rel=1e-9)


def test_a_curve_falls_by_the_share_of_those_at_risk() -> None:
    curve = curve_of([Life(10, ended=2, active=2), Life(20, ended=3), Life(30, active=3)])
    assert [(point.days, point.at_risk) for point in curve] == [(0, 10), (10, 10), (20, 6)]
    assert [point.survival for point in curve] == pytest.approx([1, 0.8, 0.8 * 0.5])
    assert at(curve, 19).survival == pytest.approx(0.8)
    assert at(curve, 400).days == 20


def test_who_stops_on_the_first_day_is_in_the_first_point() -> None:
    [first, *_] = curve_of([Life(0, ended=1), Life(9, active=3)])
    assert (first.days, first.survival) == (0, 0.75)


def test_a_band_stays_between_nothing_and_all() -> None:
    for lives in ([Life(5, ended=3)], [Life(5, active=3)], [Life(1, 1, 2), Life(2, ended=2)]):
        for point in curve_of(lives):
            assert 0 <= point.low <= point.survival <= point.high <= 1


def test_a_difference_is_in_points_with_the_variances_of_both() -> None:
    one, other = [Life(10, 10, 0), Life(200, 0, 90)], [Life(10, 30, 0), Life(200, 0, 70)]
    found = difference(one, other, 30)
    assert found is not None
    spread = 100 * Z_95 * sqrt(0.9 * 0.1 / 100 + 0.7 * 0.3 / 100)
    assert found.points == pytest.approx(20)
    assert (found.low, found.high) == pytest.approx((20 - spread, 20 + spread))


def test_nothing_is_said_of_days_that_nobody_was_known_for() -> None:
    long, short = [Life(200, 10, 10)], [Life(60, 10, 10)]
    assert [difference(long, short, days) is None for days in COMPARED_DAYS] == [False, True, True]
    assert difference([], long, 30) is None
    assert longest([]) == 0


def test_cohorts_that_never_ended_are_not_compared() -> None:
    assert log_rank([Life(30, active=4)], [Life(30, active=9)]) is None
    assert log_rank([], []) is None


def test_pooled_cohorts_have_everybody_once() -> None:
    both = pooled([[Life(3, 1, 0), Life(1, 0, 2)], [Life(3, 4, 1)]])
    assert both == [Life(1, 0, 2), Life(3, 5, 1)]
    assert people_in(both) == 8
