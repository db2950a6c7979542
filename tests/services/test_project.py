"""Counts and journal: each fact once, whatever is repeated, overlapping, reordered or killed."""

from __future__ import annotations

import json
from datetime import date, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.effects import deltas
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import GENESIS, BrokenChainError, verify
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.operations.project import project
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.fuse import killed_everywhere
from tests.fakes.world import CUSTOMERS, World, new_world

NEWCOMER = "jeanne@example.fr"
JOURNAL = f"out/{CAMPAIGN}/journal/"


def eventful() -> World:
    """A world in which much happened on two days, next to nothing of it counted yet."""
    world = new_world()
    world.projects = False
    world.invite(world.sponsor(), NEWCOMER, *CUSTOMERS[:2])
    world.run()
    world.confirm(NEWCOMER)
    world.clock.advance(hours=14, minutes=30)  # 23:30 UTC: the next day in Paris
    world.run()
    world.export()
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    return world


def recomputed(world: World) -> dict[date, dict[str, int]]:
    """The counts, from the journal alone."""
    at = datetime.fromisoformat
    facts = [Fact(**fact | {"at": at(fact["at"])}) for fact in world.journal()]
    return deltas(world.campaign, facts)


def assert_counted_once(world: World) -> None:
    journal = [fact["fact_id"] for fact in world.journal()]
    assert sorted(journal) == sorted(fact.fact_id for fact in world.facts())
    assert world.repository.counts(CAMPAIGN) == recomputed(world)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32))
def test_law_10_batches_repeated_overlapping_and_reordered_count_each_fact_once(seed: int) -> None:
    chance, world = Random(seed), eventful()
    facts = world.facts()
    for _ in range(12):
        start = chance.randrange(len(facts))
        batch = facts[start : start + chance.randrange(1, 15)]
        project(world.ports, chance.sample(batch, len(batch)) + batch[:2])
    project(world.ports, facts)
    assert project(world.ports, facts) == []
    assert_counted_once(world)


@pytest.mark.slow
def test_law_10_killed_at_every_step_and_delivered_again_each_fact_is_counted_once() -> None:
    worlds = killed_everywhere(
        eventful, lambda world, ports: project(ports, world.facts()), lambda world: world.ports
    )
    assert len(worlds) > 8
    for world in worlds:
        project(world.ports, world.facts())
        assert_counted_once(world)


def test_the_dashboard_counts_by_local_day() -> None:
    world = eventful()
    project(world.ports, world.facts())
    dashboard = view_dashboard(world.ports, CAMPAIGN)
    days = {str(day): counts for day, counts in dashboard.days.items()}
    assert list(days) == ["2026-03-03", "2026-03-02"]
    assert (days["2026-03-02"]["confirmed"], days["2026-03-03"]["confirmed"]) == (1, 0)
    assert (days["2026-03-02"]["orders_kept"], days["2026-03-03"]["orders_kept"]) == (0, 1)
    assert dashboard.refused_by_reason == {"customer": 2}


def test_more_facts_than_fit_a_transaction_are_counted_in_several() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 100, "referees_per_call": 20})
    session = world.sponsor()
    for start in range(0, 100, 20):
        world.invite(session, *(f"p{number}@example.fr" for number in range(start, start + 20)))
    facts = world.facts()[-100:]
    assert len(project(world.ports, facts)) == 100
    assert world.funnel()["invited"] == 100


@pytest.mark.parametrize("change", ["altered", "dropped", "swapped", "added"])
def test_law_10_a_journal_that_was_tampered_with_is_noticed(change: str) -> None:
    world = eventful()
    project(world.ports, world.facts())
    [*_, path] = sorted(world.files.under(JOURNAL))
    lines = world.files.content[path].splitlines()
    start = json.loads(lines[0])["previous"]
    verify(start, lines)
    if change == "altered":
        lines[3] = lines[3].replace(b'"at":"2026', b'"at":"2025')
    elif change == "dropped":
        del lines[3]
    elif change == "swapped":
        lines[3], lines[4] = lines[4], lines[3]
    else:
        lines.insert(3, lines[3])
    with pytest.raises(BrokenChainError, match=r"line [45]"):
        verify(start, lines)


def test_a_journal_begins_with_nothing_before_it(world: World) -> None:
    assert world.journal()
    first = min(world.files.under(JOURNAL))
    assert json.loads(world.files.content[first].splitlines()[0])["previous"] == GENESIS


def test_law_9_the_journal_holds_no_address_name_code_or_token(world: World) -> None:
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    token = world.token_of(NEWCOMER)
    world.confirm(NEWCOMER)
    world.run()
    world.export()
    world.acknowledge(1)
    world.run()
    journal = b"".join(world.files.under(JOURNAL).values()).decode()
    code = world.exported(1)[0]["code"].replace("-", "")
    for secret in ("jeanne", "Camille", "@", token, code, code[2:]):
        assert secret not in journal
