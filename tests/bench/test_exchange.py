"""`python -m bench.exchange`: its contestants, its rows and its bars. No time is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.calls import Cost
from bench.exchange import __main__ as command_line
from bench.exchange import codes
from bench.lists.processes import Settings
from bench.lists.results import Results
from bench.report import table
from local.node import make_node

READ, WRITE = "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems"


@pytest.mark.slow
def test_both_make_codes_that_are_valid_and_no_two_alike() -> None:
    make_node()
    command_line.install()
    results = Results()
    codes.contest(Settings(2_000, 2, Path(), lambda _: None), results, command_line.MODULES)
    assert [one.contestant for one in results.standings] == [
        codes.TOGETHER, codes.SINGLY, codes.GENERATOR,
    ]  # fmt: skip
    assert len(results.checks) == 6
    assert all(check.holds for check in results.checks)
    [bar] = results.bars
    assert (bar.contestant, bar.wanted) == (codes.GENERATOR, "≥ 2 ×")


def test_a_call_of_a_till_has_a_bar_of_two_calls() -> None:
    two, three = (
        Cost(name, (READ, *[WRITE] * writes), 3, 12, 0, 0)
        for name, writes in (("POST redeem", 1), ("DELETE roll back", 2))
    )
    assert list(command_line.too_many([two, three])) == [
        "missed: DELETE roll back: ≤ 2 calls wanted, 3 made"
    ]
    lines = table(command_line.CALL_COLUMNS, command_line.rows([two, three])).splitlines()
    assert lines[2:] == [
        ("| POST redeem | BatchGetItem, TransactWriteItems | 3 RU, 12 WU | ≤ 2 calls: 2, met |"),
        (
            "| DELETE roll back | BatchGetItem, 2 TransactWriteItems | 3 RU, 12 WU"
            " | ≤ 2 calls: 3, MISSED |"
        ),
    ]
