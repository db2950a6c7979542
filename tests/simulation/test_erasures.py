"""Whoever is forgotten while everything goes on is nowhere any more, and no law is broken.

More of them: `python -m tests.simulation.erasures --seeds 200`.
"""

from __future__ import annotations

import pytest

from chalicelib.domain.mails import Mail
from chalicelib.services.persons import kinds
from tests.simulation.erasures import forgotten_meanwhile, known

SEEDS = range(10)
pytestmark = pytest.mark.slow


def test_law_9_who_is_forgotten_meanwhile_is_nowhere_whatever_fails() -> None:
    with known() as start:
        found = {seed: forgotten_meanwhile(start, seed) for seed in SEEDS}
    assert {seed: one.broken for seed, one in found.items() if one.broken} == {}
    assert any(receipt.found for one in found.values() for receipt in one.receipts)


def test_what_is_left_out_is_seen_and_a_seed_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    with known() as start:
        monkeypatch.setitem(kinds.ERASED, Mail, lambda *_: ([], []))
        played = ((seed, forgotten_meanwhile(start, seed)) for seed in SEEDS)
        seed, broken = next((seed, one) for seed, one in played if one.broken)
        assert forgotten_meanwhile(start, seed).broken == broken.broken
