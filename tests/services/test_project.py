"""Counts and journal: each fact once, whatever is repeated, overlapping, reordered or killed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.effects import deltas
from chalicelib.domain.fact_bodies import VoucherRedeemed
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.journal import GENESIS, BrokenChainError, verify
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import UnknownError
from chalicelib.services.journal import journal, miscounts, unsealed
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.operations.project import project
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import FACTS_A_COUNT
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped

DAY = timedelta(days=1)

NEWCOMER = "jeanne@example.fr"
JOURNAL = f"out/{CAMPAIGN}/journal/"


def eventful(**changes: Any) -> World:
    """A world in which much happened on two days, next to nothing of it counted yet."""
    world = new_world(**changes)
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


def eventful_twice() -> World:
    """A world with more facts than one batch has, whose first is more than one transaction."""
    world = eventful(quotas={"invitations_per_sponsor": 50, "referees_per_call": 20})
    world.clock.advance(days=1)
    world.invite(world.sponsor(VIPS[1]), *(f"n{number}@example.fr" for number in range(20)))
    world.run()
    return world


def recomputed(world: World) -> dict[date, dict[str, int]]:
    """The counts, from the journal alone."""
    at = datetime.fromisoformat
    facts = [Fact(**fact | {"at": at(fact["at"])}) for fact in world.journal()]
    return deltas(world.campaign, facts)


def assert_counted_once(world: World) -> None:
    journaled = [fact["fact_id"] for fact in world.journal()]
    own = (fact.fact_id for fact in world.facts() if fact.campaign == CAMPAIGN)
    assert sorted(journaled) == sorted(own)
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
        eventful_twice,
        # The latest first: a batch of three days, which takes two transactions.
        lambda world, ports: project(ports, world.facts()[::-1]),
        lambda world: world.ports,
    )
    # Bundle, two transactions; bundle, one that meets facts counted before; read, bundle, one:
    # before and after each, twice to the end.
    assert len(worlds) == 2 * (8 + 1)
    for world in worlds:
        project(world.ports, world.facts())
        assert_counted_once(world)
        assert miscounts(world.ports, world.campaign) == []


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2])
def test_law_10_two_projectors_of_overlapping_batches_count_each_fact_once(at: int) -> None:
    world = eventful_twice()
    facts = world.facts()
    mine, yours = facts[:100], facts[40:]
    competing = wrapped(
        world,
        lambda inner: ContestedRepository(inner, lambda: project(world.ports, yours), at),
    )
    counted = project(competing, mine)
    assert len({fact.fact_id for fact in counted}) == len(counted)
    assert_counted_once(world)


def test_law_10_facts_of_many_campaigns_are_counted_together() -> None:
    world = eventful()
    put_campaign(world.ports, campaign(campaign="other"))
    facts = world.repository.uncounted(world.facts())
    others = [replace(fact, fact_id=f"o{fact.fact_id}", campaign="other") for fact in facts]
    world.repository.commit(facts=others)
    bundles = len(world.files.under("journal/"))
    project(world.ports, [*facts, *others])
    assert len(world.files.under("journal/")) == bundles + 1
    assert world.repository.counts("other") == deltas(world.campaign, facts)
    assert miscounts(world.ports, campaign(campaign="other")) == []
    assert_counted_once(world)


def test_a_fact_that_cannot_be_counted_fails_before_anything_is_written(world: World) -> None:
    world.projects = False
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    torn = replace(received, fact_id="torn", ids={})
    elsewhere = replace(received, fact_id="elsewhere", campaign="unknown")
    world.repository.commit(facts=[torn, elsewhere])
    before = dict(world.files.content)
    for bad, error in ((torn, TypeError), (elsewhere, UnknownError)):
        with pytest.raises(error):
            project(world.ports, [received, bad])
    assert world.files.content == before
    assert world.repository.uncounted([received]) == [received]


def test_a_fact_of_a_later_version_is_journaled_and_counts_nothing(world: World) -> None:
    later = Fact(
        fact_id="later", name="voucher_given_away", campaign=CAMPAIGN, subject="v",
        at=world.clock(), correlation="k", ids={"giver": "g"}, details={"how": "by hand"},
    )  # fmt: skip
    world.repository.commit(facts=[later])
    before = world.repository.counts(CAMPAIGN)
    assert project(world.ports, [later]) == [later]
    assert world.repository.counts(CAMPAIGN) == before
    assert [fact for fact in journal(world.ports, CAMPAIGN) if fact.fact_id == "later"] == [later]


def test_the_dashboard_counts_by_local_day() -> None:
    world = eventful()
    project(world.ports, world.facts())
    dashboard = view_dashboard(world.ports, CAMPAIGN)
    days = {str(day): counts for day, counts in dashboard.days.items()}
    assert list(days) == ["2026-03-03", "2026-03-02"]
    assert (days["2026-03-02"]["confirmed"], days["2026-03-03"]["confirmed"]) == (1, 0)
    assert (days["2026-03-02"]["orders_kept"], days["2026-03-03"]["orders_kept"]) == (0, 1)
    assert dashboard.refused_by_reason == {"customer": 2}


def test_a_batch_of_the_stream_is_counted_in_one_transaction_and_one_of_two_days_in_two() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 100, "referees_per_call": 20})
    session = world.sponsor()
    for start in range(0, 100, 20):
        world.invite(session, *(f"p{number}@example.fr" for number in range(start, start + 20)))
    one_day = world.facts()[-FACTS_A_COUNT:]
    assert parts_of(world, one_day) == [(0, FACTS_A_COUNT)]
    assert world.funnel()["invited"] == FACTS_A_COUNT
    later = [replace(one, fact_id=f"l{one.fact_id}", at=one.at + DAY) for one in one_day[:50]]
    world.repository.commit(facts=later)
    again = [replace(one, fact_id=f"a{one.fact_id}") for one in one_day[:48]]
    world.repository.commit(facts=again)
    # With the counters of both days and the part itself, a transaction of 100 items holds 97.
    assert parts_of(world, [*again, *later]) == [(0, 97), (97, 1)]
    assert world.funnel()["invited"] == 2 * FACTS_A_COUNT


def test_a_batch_that_adds_to_more_counters_than_an_update_has_is_counted_in_two() -> None:
    world = new_world()
    body = VoucherRedeemed(
        voucher_id="v", referral_id="r", holder_id="h", holder=HolderRole.REFEREE,
        template="welcome", value_minor=500, ends_in="2026-11", rung=1,
    )  # fmt: skip
    facts = [
        Fact.of(
            replace(body, rule=f"rule-{number}", template=f"template-{number}"),
            fact_id=f"{number:03}", campaign=CAMPAIGN, subject="v", at=world.clock(),
            correlation="c",
        )
        for number in range(FACTS_A_COUNT)
    ]  # fmt: skip
    world.repository.commit(facts=facts)
    parts = parts_of(world, facts)
    assert len(parts) == 2
    assert sum(many for _, many in parts) == FACTS_A_COUNT
    figures = view_dashboard(world.ports, CAMPAIGN).figures
    assert len([name for name in figures if name.startswith("rule.redeemed.")]) == FACTS_A_COUNT


def parts_of(world: World, facts: list[Fact]) -> list[tuple[int, int]]:
    """The parts, all of one bundle, that projecting makes: where each begins, and its length."""
    before = set(unsealed(world.ports))
    assert len(project(world.ports, facts)) == len(facts)
    parts = set(unsealed(world.ports)) - before
    assert len({part.digest for part in parts}) == 1
    return sorted((part.first, part.lines) for part in parts)


@pytest.mark.parametrize("change", ["altered", "dropped", "swapped", "added"])
def test_law_10_a_journal_that_was_tampered_with_is_noticed(change: str) -> None:
    world = eventful()
    project(world.ports, world.facts())
    seal(world.ports)
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
    seal(world.ports)
    lines = b"".join(world.files.under(JOURNAL).values()).decode()
    assert lines
    code = world.exported(1)[0]["code"].replace("-", "")
    for secret in ("jeanne", "Camille", "@", token, code, code[2:]):
        assert secret not in lines
