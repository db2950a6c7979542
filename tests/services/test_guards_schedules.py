"""Scheduled work that meets itself, comes too early, or comes again: nothing is done twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.exports import Export, ExportSequence, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.statements import end_of
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations import seal as sealing
from chalicelib.services.operations.expire import end_due
from chalicelib.services.operations.report import report
from chalicelib.services.operations.seal import seal
from chalicelib.services.operations.statement import SETTLED_AFTER, write_statements
from chalicelib.services.ports import ConflictError, Insert, Key, Replace
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


def test_law_10_what_a_run_of_the_seal_has_no_time_for_is_sealed_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "PARTS_AT_ONCE", 1)
    world = recorded()
    parts = len(world.memory.all(JournalPart))

    def slow() -> datetime:
        world.clock.advance(seconds=sealing.RUN_FOR.total_seconds() / 5)
        return world.clock()

    first = seal(replace(world.ports, clock=slow))
    assert 0 < first.parts < parts
    assert first.parts + seal(world.ports).parts == parts
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


def test_an_export_of_the_next_month_that_has_no_row_yet_holds_up_no_statement(till: Till) -> None:
    world = till.world
    world.clock.now = end_of(world.campaign, "2026-03") + SETTLED_AFTER
    [sequence] = world.memory.all(ExportSequence)
    opened = Export(
        campaign=CAMPAIGN, number=2, state=ExportState.OPEN, opened_at=world.clock()
    )  # fmt: skip
    world.repository.commit(Replace(sequence.following()), Insert(opened))
    assert [one.month for one in write_statements(till.ports, world.campaign)] == ["2026-03"]


def test_a_voucher_of_a_later_month_in_an_earlier_export_is_in_the_later_statement(
    till: Till,
) -> None:
    """The index lags: the third export has a voucher that was issued before those of the second."""
    world = till.world
    april = end_of(world.campaign, "2026-03") + SETTLED_AFTER
    world.clock.now = april
    till.issue()
    export_all(world)
    world.clock.now = april - timedelta(days=2)
    till.issue()
    world.clock.now = april
    export_all(world)
    [march] = write_statements(till.ports, world.campaign)
    world.clock.advance(days=31)
    [april_too] = write_statements(till.ports, world.campaign)
    assert (march.rows, april_too.rows) == (2, 3)


def test_a_statement_names_the_last_export_that_has_a_row_of_its_month(till: Till) -> None:
    world = till.world
    world.clock.now = end_of(world.campaign, "2026-03") + SETTLED_AFTER
    till.issue()
    export_all(world)
    [march] = write_statements(till.ports, world.campaign)
    assert (march.exports, march.rows) == (1, 1)


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


def test_a_report_of_counts_has_no_counter_that_is_not_of_the_funnel(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    report(world.ports, world.campaign)
    [path] = [one for one in world.files.content if "/reports/" in one]
    counts = json.loads(world.files.content[path])
    [day] = counts["days"]
    assert day.keys() - {"date"} <= counts["funnel"].keys()
