"""What the review finds of a planted ring, on smaller populations than `make abuse` uses."""

from __future__ import annotations

import pytest

from bench.abuse.people import REPORTED, TUNING, People, referrals
from bench.abuse.score import FOUND_AT_LEAST, HELD_AT_MOST, judged
from chalicelib.domain.campaign.review import LIMITS, Review, Signal, Weights

SEEDS = (40_001, 40_002, 40_003)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ring_is_found_and_honest_people_are_not_held(seed: int) -> None:
    outcome = judged(People(REPORTED, seed).population(honest=1_500, in_ring=50), Review())
    assert outcome.share(ring=True) >= FOUND_AT_LEAST
    assert outcome.share(ring=False) <= HELD_AT_MOST


@pytest.mark.parametrize("signal", ["sequence", "in_seconds", "minimum_orders", "burst"])
def test_without_one_of_its_signals_less_of_the_ring_is_found(signal: str) -> None:
    found = {
        weighs: sum(
            judged(People(TUNING, seed).population(0, 50), review).share(ring=True)
            for seed in SEEDS
        )
        for weighs, review in (
            (True, Review()),
            (False, Review(weights=Weights.model_validate({signal: 0}))),
        )
    }
    assert found[False] < found[True]


def test_no_signal_alone_nor_what_honest_circles_share_is_over_the_limit() -> None:
    review = Review()
    weights = {signal: review.weights.of(signal) for signal in Signal if signal not in LIMITS}
    assert max(weights.values()) <= review.hold_over
    shared = (Signal.SAME_DOMAIN, Signal.BURST, Signal.ONE_NETWORK)
    assert sum(weights[signal] for signal in shared) <= review.hold_over


def test_a_seed_draws_the_same_people_again_and_as_many_as_asked() -> None:
    one, other, another = (People(REPORTED, seed).population(200, 50) for seed in (7, 7, 8))
    assert one == other
    assert one != another
    assert referrals([circle for circle in one if not circle.is_ring]) == 200
    assert referrals([circle for circle in one if circle.is_ring]) == 50
