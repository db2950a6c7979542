"""Seeds that keep the laws, and that a missing guard breaks one of them."""

from __future__ import annotations

import pytest

from chalicelib.adapters.dynamodb import repository
from tests.simulation.run import simulate

STEPS = 800
HOLDS_ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_every_law_holds_whatever_fails_and_in_whatever_order_calls_are_made(seed: int) -> None:
    outcome = simulate(seed, STEPS)
    assert outcome.broken == []
    assert outcome.faults.total() > 10
    assert {"invite 202", "confirm 201", "order 207"} <= set(outcome.answers)


@pytest.mark.slow
def test_a_seed_replays_its_interleaving() -> None:
    assert simulate(7, 300) == simulate(7, 300)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guard", "condition"),
    [
        ("UNCHANGED", f"({HOLDS_ALWAYS}) OR revision = :revision"),
        ("KEY_IS_FREE", HOLDS_ALWAYS),
    ],
)
def test_without_a_guard_some_seed_breaks_a_law(
    guard: str, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, guard, condition)
    if guard == "KEY_IS_FREE":
        monkeypatch.setattr(repository, "KEY_IS_FREE_OR_ENDED", f"{condition} OR #ttl < :now")
    assert any(simulate(seed, 800).broken for seed in range(1, 13))
