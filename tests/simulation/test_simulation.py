"""Seeds that keep the laws, and replay what they did."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.run import simulate

STEPS = 800


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
def test_every_law_holds_whatever_fails_and_in_whatever_order_calls_are_made(seed: int) -> None:
    outcome = simulate(seed, STEPS)
    assert outcome.broken == []
    assert outcome.faults.total() > 10
    assert outcome.answers["invite 202"]


@pytest.mark.slow
def test_a_seed_replays_its_interleaving() -> None:
    assert simulate(7, 300) == simulate(7, 300)


@pytest.mark.slow
def test_a_seed_does_not_depend_on_the_hashes_of_a_process() -> None:
    traces = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation.run", "--seed", "7", "--steps", "100"],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hashes in ("1", "2")
    }
    assert len(traces) == 1
