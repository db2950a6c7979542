"""Seeds that keep the laws, and replay what they did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.run import simulate

STEPS = 1200
SEEDS = range(1, 4)
HAPPENING = ("invitation_sent", "referral_confirmed", "voucher_issued", "list_accepted")


@pytest.mark.slow
def test_every_law_holds_whatever_fails_and_in_whatever_order_calls_are_made() -> None:
    outcomes = [simulate(seed, STEPS) for seed in SEEDS]
    assert [text for outcome in outcomes for text in outcome.broken] == []
    facts = sum((outcome.facts for outcome in outcomes), Counter[str]())
    assert all(facts[name] for name in HAPPENING)
    assert facts["campaign_put"] > len(SEEDS)
    assert all(outcome.faults.total() > 10 for outcome in outcomes)


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
