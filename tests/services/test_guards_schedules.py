"""Scheduled work that meets itself, comes too early, or comes again: nothing is done twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.statements import end_of
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.expire import end_due
from chalicelib.services.operations.report import report
from chalicelib.services.operations.seal import seal
from chalicelib.services.operations.statement import SETTLED_AFTER, write_statements
from chalicelib.services.ports import ConflictError, Key
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository
from tests.fakes.till import Till
from tests.fakes.world import World, new_world, wrapped
from tests.services.test_seal import assert_sealed, recorded
from tests.services.test_statements import export_all

NEWCOMER = "jeanne@example.fr"


def test_an_end_that_was_noted_is_not_noted_again(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.drop_orders(world.order("A1", "kept", code=world.exported(1)[0]["code"]))
    used = next(one for one in world.memory.all(Voucher) if one.redeemed_by)
    key = Key.of(Voucher, code_key=used.code_key)
    world.clock.advance(days=70)
    assert not end_due(world.ports, key)
    ended = world.repository.read(key).get(key)
    world.clock.advance(days=1)
    assert not end_due(world.ports, key)  # the agenda lags, or its message came twice
    assert world.repository.read(key).get(key) == ended


def test_law_10_a_campaign_that_lost_a_race_for_its_head_has_not_failed() -> None:
    world = recorded()

    def other() -> None:
        raise ConflictError("head")

    contested = wrapped(world, lambda inner: ContestedRepository(inner, other, at=2))
    done = seal(contested)
    assert (done.altered, done.failed) == (set(), {})
    assert_sealed(world)


@pytest.fixture
def till() -> Till:
    """A till with one exported voucher of this month."""
    till = Till(new_world())
    till.issue()
    export_all(till.world)
    return till


def test_of_two_runs_at_once_one_writes_the_statement(till: Till) -> None:
    world = till.world
    world.clock.now = end_of(world.campaign, "2026-03") + SETTLED_AFTER
    contested = wrapped(
        world,
        lambda inner: ContestedRepository(
            inner, lambda: write_statements(till.ports, world.campaign)
        ),
    )
    assert write_statements(contested, world.campaign) == []
    assert len(world.facts(FactName.STATEMENT_WRITTEN)) == 1


def test_a_statement_waits_for_what_functions_of_its_month_still_store(till: Till) -> None:
    world = till.world
    world.clock.now = end_of(world.campaign, "2026-03") + SETTLED_AFTER - timedelta(seconds=1)
    assert write_statements(till.ports, world.campaign) == []
    world.clock.advance(seconds=1)
    assert [one.month for one in write_statements(till.ports, world.campaign)] == ["2026-03"]


def test_a_report_of_counts_names_what_happened_and_why_referees_were_refused(
    world: World,
) -> None:
    world.invite(world.sponsor(), NEWCOMER, "customer1@demo.test")
    world.run()
    report(world.ports, world.campaign)
    [path] = [one for one in world.files.content if "/reports/" in one]
    counts = json.loads(world.files.content[path])
    assert counts["campaign"] == CAMPAIGN
    [day] = counts["days"]
    assert day == {
        "date": "2026-03-02",
        "invited": 2,
        "sent": 1,
        "refused": 1,
        "refused.customer": 1,
    }
