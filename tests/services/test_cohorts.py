"""Newcomers of other sources, and ours: from files and orders to what curves are made of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.domain.cohorts import (
    LONGEST_DAYS,
    MOST_SOURCES,
    REFERRED,
    STILL_ACTIVE_DAYS,
    Cohort,
    cohort_of,
)
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.survival import Life
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.operations.report import report
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World, new_world

HEADER = "source,joined_on,last_order_on,active"
JEANNE, PAUL, LEA = "jeanne@example.fr", "paul@example.fr", "lea@example.fr"


def drop(world: World, *rows: str, header: str = HEADER, file: str = "year") -> Receipt:
    return world.drop(f"cohorts/{file}.csv", "\n".join([header, *rows]).encode())


def cohort(world: World, source: str) -> list[Life]:
    [found] = [one for one in world.memory.all(Cohort) if one.source == source]
    return found.histogram


def test_a_file_becomes_a_histogram_for_each_source(world: World) -> None:
    today = world.campaign.local_date(world.clock())
    joined = today - timedelta(days=100)
    recent = today - timedelta(days=STILL_ACTIVE_DAYS)
    receipt = drop(
        world,
        f"search,{joined},{joined + timedelta(days=12)},",
        f"search,{joined},{joined + timedelta(days=12)},",
        f"search,{joined},{recent},",
        f"search,{joined},{recent - timedelta(days=1)},",
        f"search,{joined},,",
        f"social & co,{joined},{joined},yes",
        f"social & co,{joined},{today},no",
    )
    assert (receipt.status, receipt.accepted, receipt.effects) == ("accepted", 7, {"counted": 7})
    assert cohort(world, "search") == [
        Life(0, ended=1), Life(12, ended=2), Life(100 - STILL_ACTIVE_DAYS - 1, ended=1),
        Life(100, active=1),
    ]  # fmt: skip
    assert cohort(world, "social & co") == [Life(100, ended=1, active=1)]


def test_one_of_the_two_columns_is_enough(world: World) -> None:
    today = world.campaign.local_date(world.clock())
    dated = drop(world, f"search,{today},{today}", header="source,joined_on,last_order_on")
    told = drop(world, f"yes,social,{today}", header="active,source,joined_on", file="told")
    assert (dated.status, told.status) == ("accepted", "accepted")
    assert cohort(world, "search") == cohort(world, "social") == [Life(0, active=1)]
    neither = drop(world, f"social,{today}", header="source,joined_on", file="neither")
    assert (neither.status, neither.errors[0].reason) == ("refused", "missing_column")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2025-11-05,,", "source_missing"),
        ("anne@example.fr,2025-11-05,,", "source_plain_address"),
        ("referred,2025-11-05,,", "source_reserved"),
        ("=SUM(A1),2025-11-05,,", "source_invalid"),
        (f"{'a' * 41},2025-11-05,,", "source_invalid"),
        ("search,,,", "joined_on_missing"),
        ("search,05/01/2026,,", "joined_on_invalid"),
        ("search,2026-02-30,,", "joined_on_invalid"),
        ("search,2026-03-03,,", "joined_on_in_the_future"),
        ("search,2015-01-01,,", "joined_on_too_early"),
        ("search,a@b.fr,,", "joined_on_plain_address"),
        ("search,2025-11-05,2025-11-04,", "last_order_on_before_joined_on"),
        ("search,2025-11-05,2026-03-03,", "last_order_on_in_the_future"),
        ("search,2025-11-05,soon,", "last_order_on_invalid"),
        ("search,2025-11-05,,no", "last_order_on_missing"),
        ("search,2025-11-05,,perhaps", "active_invalid"),
    ],
)
def test_a_bad_row_is_named_and_the_others_count(world: World, row: str, reason: str) -> None:
    receipt = drop(world, "search,2025-11-05,2025-11-09,", row)
    assert (receipt.status, receipt.accepted, receipt.rejected) == ("partial", 1, 1)
    assert [(one.line, one.reason) for one in receipt.errors] == [(3, reason)]
    assert cohort(world, "search") == [Life(4, ended=1)]


def test_a_file_replaces_what_is_known_of_the_sources_it_names(world: World) -> None:
    drop(world, "search,2025-11-05,2025-11-09,", "social,2025-11-05,2025-11-09,")
    world.clock.advance(days=1)
    drop(world, "search,2025-11-05,2025-11-06,", file="later")
    assert cohort(world, "search") == [Life(1, ended=1)]
    assert cohort(world, "social") == [Life(4, ended=1)]


def test_law_7_a_file_handled_again_or_after_a_later_one_has_no_second_effect() -> None:
    world = new_world()
    early = world.put_file("cohorts/early.csv", f"{HEADER}\nsearch,2025-11-05,2025-11-09,".encode())
    world.clock.advance(days=1)
    later = drop(world, "search,2025-11-05,2025-11-06,", file="later")
    assert later.effects == {"counted": 1}
    before = world.memory.all(Cohort)
    for _ in range(2):
        receipt = ingest(world.ports, early)
        assert receipt is not None
        assert receipt.effects == {"outdated": 1}
    again = ingest(world.ports, Drop(CAMPAIGN, "cohorts/later.csv", world.clock()))
    assert again is not None
    assert world.memory.all(Cohort) == before


def test_sources_have_a_bound_in_a_file_and_in_all(world: World) -> None:
    most = [f"source {number},2025-11-05,2025-11-09," for number in range(MOST_SOURCES)]
    receipt = drop(world, *most, "one more,2025-11-05,2025-11-09,")
    assert [(one.line, one.reason) for one in receipt.errors] == [(22, "source_too_many")]
    assert len(world.memory.all(Cohort)) == MOST_SOURCES
    refused = drop(world, "one more,2025-11-05,2025-11-09,", file="more")
    assert (refused.status, refused.errors[0].reason) == ("refused", "too_many_sources")


def test_a_file_that_is_damaged_at_its_end_changes_nothing(world: World) -> None:
    content = f"{HEADER}\nsearch,2025-11-05,2025-11-09,\n".encode() + b"\xff\xfe"
    assert world.drop("cohorts/year.csv", content).status == "refused"
    assert world.memory.all(Cohort) == []


def test_ten_years_of_days_fit_into_an_item() -> None:
    lives = {Life(days, ended=1): 1_000_000 for days in range(LONGEST_DAYS + 1)}
    now = new_world().clock()
    made = cohort_of(CAMPAIGN, "search", date(2026, 3, 2), now, lives)
    assert len(made.lives) < 100_000


def test_ours_joined_with_their_first_order_and_stop_with_the_last() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL, LEA)
    world.run()
    for address in (JEANNE, PAUL, LEA):
        world.confirm(address)
    world.clock.advance(days=5)
    world.drop_orders(world.order("A1", "kept", of=JEANNE), world.order("B1", of=PAUL))
    world.clock.advance(days=10)
    world.drop_orders(world.order("A2", "kept", of=JEANNE), file="second")
    world.clock.advance(days=STILL_ACTIVE_DAYS)
    report(world.ports, world.campaign)
    # Lea has bought nothing: she is no customer yet.
    assert cohort(world, REFERRED) == [Life(0, ended=1), Life(70, active=1)]
    world.clock.advance(days=1)
    report(world.ports, world.campaign)
    assert cohort(world, REFERRED) == [Life(0, ended=1), Life(10, ended=1)]


def test_without_anybody_who_has_bought_we_have_no_cohort(world: World) -> None:
    world.referral(JEANNE)
    report(world.ports, world.campaign)
    assert world.memory.all(Cohort) == []


def test_an_order_that_is_reported_late_moves_the_first_one() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE)
    world.run()
    world.confirm(JEANNE)
    first = world.clock().isoformat()
    world.clock.advance(days=8)
    world.drop_orders(world.order("A2", of=JEANNE))
    world.drop_orders(world.order("A1", of=JEANNE, ordered_at=first), file="late")
    report(world.ports, world.campaign)
    assert cohort(world, REFERRED) == [Life(8, active=1)]
