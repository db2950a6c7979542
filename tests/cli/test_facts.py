"""`tandem facts`: what happened to one thing, wherever it is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.facts import Fact
from tests.cli.conftest import Tandem

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)


def fact(number: int, age: timedelta, subject: str = "i") -> Fact:
    return Fact(
        fact_id=f"f{number}", name=f"happened_{number}", campaign="demo-vip", subject=subject,
        at=NOW - age, correlation="k", ids={"sponsor": "s"}, details={"rung": number},
    )  # fmt: skip


@pytest.fixture
def stored(repository: DynamoRepository) -> DynamoRepository:
    """Facts of two subjects, of some hours and days, one as 0.2.0 stored it."""
    facts = [
        fact(1, timedelta(minutes=1)),
        fact(2, timedelta(hours=5)),
        replace(fact(3, timedelta(days=9)), by_subject=True),
        fact(4, timedelta(days=40)),
        fact(5, timedelta(minutes=1), subject="other"),
    ]
    repository.commit(facts=facts)
    return repository


def names(output: str) -> list[str]:
    return [line.split("  ")[1] for line in output.splitlines()]


@pytest.mark.usefixtures("stored", "stack")
def test_the_facts_of_a_subject_are_shown_oldest_first(tandem: Tandem) -> None:
    shown = tandem("facts", "i")
    assert shown.exit_code == 0
    assert names(shown.stdout) == ["happened_3", "happened_2", "happened_1"]
    assert shown.stdout.splitlines()[-1].endswith("  rung=1  sponsor=s")


@pytest.mark.usefixtures("stored", "stack")
def test_only_those_of_the_time_asked_for_are_shown(tandem: Tandem) -> None:
    def asked(since: timedelta, until: timedelta) -> str:
        moments = [f"{NOW - age:%Y-%m-%dT%H:%M:%S}" for age in (since, until)]
        return tandem("facts", "i", "--since", moments[0], "--until", moments[1]).stdout

    assert names(asked(timedelta(hours=6), timedelta(hours=1))) == ["happened_2"]
    assert names(asked(timedelta(days=41), timedelta(days=39))) == ["happened_4"]
    assert asked(timedelta(days=3), timedelta(days=2)) == "none\n"


@pytest.mark.usefixtures("stored", "stack")
def test_how_far_back_was_looked_is_said_where_nobody_asked_for_a_time(tandem: Tandem) -> None:
    since = f"{NOW - timedelta(days=30):%Y-%m-%d}"
    for subject in ("i", "nobody"):
        assert f"(since {since}" in tandem("facts", subject).stderr
    assert tandem("facts", "i", "--since", since).stderr == ""
    assert tandem("facts", "i", "--json").stderr == ""


@pytest.mark.usefixtures("stored", "stack")
def test_a_time_that_ends_before_it_begins_is_an_error(tandem: Tandem) -> None:
    refused = tandem("facts", "i", "--since", "2026-03-02", "--until", "2026-03-01")
    assert (refused.exit_code, refused.output) == (1, "--since is later than --until\n")
