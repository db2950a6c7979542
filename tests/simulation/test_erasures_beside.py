"""A person forgotten beside any other use case is nowhere any more, and no law is broken.

More of them: `python -m tests.simulation.erasures_beside --seeds 20`.
"""

from __future__ import annotations

import pytest

import app
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.mails import Mail
from chalicelib.services.persons import kinds
from tests.simulation.erasures_beside import BESIDE, COMMANDS, forgotten_beside

EVERY = 4  # a share of them here, another one with each of the seeds
SHARE = [(title, number % EVERY) for number, title in enumerate(BESIDE)]


def test_every_function_and_every_call_is_among_them() -> None:
    named = {title.partition(":")[0] for title in BESIDE.keys() - COMMANDS.keys()}
    # The function that signs passes reads its own keys alone.
    functions = {function.name for function in app.app.pure_lambda_functions} - {"wallet"}
    assert named == functions | {operation.name for operation in OPERATIONS}


@pytest.mark.slow
@pytest.mark.parametrize(("title", "seed"), SHARE)
def test_law_9_who_is_forgotten_beside_it_is_nowhere(title: str, seed: int) -> None:
    found = forgotten_beside(title, seed)
    assert found.broken == []
    assert found.receipts


@pytest.mark.slow
def test_what_is_left_out_is_seen_and_a_seed_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.ERASED, Mail, lambda *_: ([], []))
    title = "mail: a voucher"
    played = ((seed, forgotten_beside(title, seed)) for seed in range(8))
    seed, broken = next((seed, one) for seed, one in played if one.broken)
    assert forgotten_beside(title, seed).broken == broken.broken
