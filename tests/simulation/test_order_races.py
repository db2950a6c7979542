"""Calls with the same orders at the same time come to what their rows come to in some sequence."""

from __future__ import annotations

import pytest

from chalicelib.adapters.dynamodb import repository
from tests.simulation.order_races import at_once, referee, sequences

pytestmark = pytest.mark.slow


def test_laws_4_and_6_rows_at_the_same_time_come_to_what_some_sequence_of_them_does() -> None:
    with referee() as start:
        assert [text for seed in range(12) for text in at_once(start, seed)] == []


def test_without_the_condition_on_revisions_some_rows_come_to_what_no_sequence_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"
    monkeypatch.setattr(repository, "UNCHANGED", f"{repository.UNCHANGED} OR {always}")
    with referee() as start:
        assert any(at_once(start, seed) for seed in range(40))


def test_sequences_keep_what_each_caller_asks_in_order() -> None:
    assert list(sequences([2, 1])) == [
        ((0, 0), (0, 1), (1, 0)),
        ((0, 0), (1, 0), (0, 1)),
        ((1, 0), (0, 0), (0, 1)),
    ]
