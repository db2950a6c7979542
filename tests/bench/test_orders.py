"""The benchmark of reported orders counts what each row asks of AWS."""

from __future__ import annotations

import pytest

from bench import orders

pytestmark = pytest.mark.slow
ROWS = 6


def test_a_row_is_one_transaction_and_one_read_beside_those_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "ROWS", ROWS)
    measured = list(orders.measured())
    assert len(measured) == 4
    for one in measured:
        assert one.calls["dynamodb:TransactWriteItems"] == ROWS, one.what
        shared = one.calls["dynamodb:BatchGetItem"] - ROWS
        assert shared == 3 - one.what.startswith("file"), one.what  # a call reads the campaigns too
