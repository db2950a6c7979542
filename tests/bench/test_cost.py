"""What a million invitations cost, and a month in which nobody comes: counts, which repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cost import idle as month_alone
from bench.cost import population as people
from bench.cost.bill import EDGE, HELD_IDLE, HELD_TIMES_SES, Bill, Bills, bills
from bench.cost.life import COMMITS, Life, lets_through
from bench.cost.prices import PRICES, Unit
from bench.cost.story import played
from bench.cost.usage import Usage, beyond, traces

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    with played() as made:
        yield made


@pytest.fixture(scope="module")
def made() -> Bills:
    return bills()


def test_the_population_is_the_one_that_is_played(life: Life) -> None:
    assert len(life.cloud.network.mails) == people.MAILS
    assert len(life.commits) == pytest.approx(COMMITS, rel=0.02)


def test_every_unit_has_a_price_with_its_source() -> None:
    assert set(PRICES) == set(Unit)
    assert all("/pricing" in price.source for price in PRICES.values())


def test_the_bill_is_for_the_mails_of_the_population(made: Bills) -> None:
    assert made.ses == pytest.approx(people.MAILS / people.PLAYED * people.BILLED * 0.0001)


def test_a_million_invitations_cost_no_more_than_is_held(made: Bills) -> None:
    assert made.times_ses <= HELD_TIMES_SES, made.month.lines()


def test_a_month_in_which_nobody_comes_costs_no_more_than_is_held(made: Bills) -> None:
    assert made.quiet.without(*EDGE).dollars(free=True) <= HELD_IDLE, made.quiet.lines(free=True)
    # The price of limiting each caller by address, with three rules.
    assert made.quiet.dollars(*EDGE, free=True) == 8


def test_the_bills_of_the_documents_are_those_of_today(made: Bills) -> None:
    """To the dollar: what changes a bill changes the documents."""
    root = Path(__file__).parents[2]
    written = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    month, idle = re.findall(r"\*\*in all\*\* .*\*\*([\d.]+)\*\* \|\n", written)
    assert float(month) == pytest.approx(made.month.dollars(), abs=1)
    assert float(idle) == pytest.approx(made.quiet.dollars(free=True), abs=0.05)
    readme = (root / "infra" / "README.md").read_text(encoding="utf-8")
    assert f"invitations are some ${float(month):.0f}," in readme
    [decided] = (root / "docs" / "decisions").glob("0060-*.md")
    assert f"→ ${month} a million invitations" in decided.read_text(encoding="utf-8")


def test_only_what_an_alarm_looks_at_is_a_metric(made: Bills) -> None:
    """Each of them is charged by the hour."""
    assert len(made.metrics) <= 4, made.metrics


def test_an_alarm_with_arithmetic_is_charged_for_each_metric() -> None:
    stat = {"Id": "a", "MetricStat": {}}
    assert (
        month_alone.metrics_of({"Metrics": [stat, stat, {"Id": "c", "Expression": "a + b"}]}) == 2
    )
    assert month_alone.metrics_of({"MetricName": "Errors"}) == 1


def test_what_is_free_is_taken_off_its_own_line_alone() -> None:
    usage = Usage({Unit.ALARM: 4.0, Unit.METRIC: 12.0})
    assert Bill(usage).dollars() == pytest.approx(0.4 + 3.6)
    assert Bill(usage).dollars(free=True) == pytest.approx(0.6)


def test_a_run_is_charged_to_people_for_what_it_does_beyond_an_empty_one() -> None:
    found = beyond(Usage({Unit.READ: 5.0, Unit.PUT: 1.0}), Usage({Unit.READ: 3.0, Unit.PUT: 2.0}))
    assert found == {Unit.READ: 2.0, Unit.PUT: 0.0}


def test_calls_that_come_once_a_second_are_traced_at_most_once_a_second() -> None:
    assert traces(1_000) == pytest.approx(1_000, rel=0.01)
    assert traces(100_000_000) == pytest.approx(2_592_000 + 0.05 * 97_408_000, rel=0.01)


def test_a_filter_of_an_event_source_lets_through_what_its_pattern_says() -> None:
    pattern = '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["FACT"]}}}}'
    criteria = {"Filters": [{"Pattern": pattern}]}
    assert lets_through(criteria, {"kind": {"S": "FACT"}})
    assert not lets_through(criteria, {"kind": {"S": "MAIL"}})
    assert not lets_through(criteria, {})
