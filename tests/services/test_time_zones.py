"""A version with another time zone: what happened before it stays on the day it was counted on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.campaign import versions
from chalicelib.domain.campaign.versions import ZONE_HOLDS_AFTER, CurrentCampaign
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.journal import miscounts
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.operations.project import project
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.ports import Replace
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.till import Till
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_statements import export_all, manifest_of, rows_in

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"
SKEW = timedelta(minutes=5)
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def invite_at(world: World, at: datetime, *addresses: str, sponsor: str = VIPS[0]) -> None:
    """A sponsor invites at an instant, which is counted at once."""
    world.clock.now = at
    world.invite(world.sponsor(sponsor), *addresses)
    world.run()


def invited(world: World) -> dict[date, int]:
    """Invitations by day, as the dashboard has them."""
    counts = view_dashboard(world.ports, CAMPAIGN).days
    return {day: names["invited"] for day, names in counts.items() if names.get("invited")}


def put_zone(world: World, zone: str) -> None:
    put_campaign(world.ports, campaign(time_zone=zone))


def test_the_days_of_the_past_stay_as_they_were_counted_and_are_recomputed_alike() -> None:
    world = new_world()
    # Half past midnight in Paris, half past six in the evening before in New York.
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    invite_at(world, late, "one@example.fr")
    put_zone(world, NEW_YORK)
    invite_at(world, late + ZONE_HOLDS_AFTER - timedelta(seconds=1), "two@example.fr")
    assert invited(world) == {TUESDAY: 2}
    invite_at(world, late + ZONE_HOLDS_AFTER, "three@example.fr")
    assert invited(world) == {TUESDAY: 2, MONDAY: 1}
    assert miscounts(world.ports, world.campaign) == []


def test_a_fact_that_is_counted_late_is_counted_on_its_own_day() -> None:
    world = new_world()
    world.projects = False
    invite_at(world, datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "one@example.fr")
    world.clock.advance(hours=3)
    put_zone(world, NEW_YORK)
    world.clock.advance(hours=1)
    project(world.ports, world.facts())
    assert invited(world) == {TUESDAY: 1}


def test_the_zone_may_change_again_and_back() -> None:
    world = new_world()
    first = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    for day, zone in enumerate([PARIS, NEW_YORK, PARIS, "Asia/Tokyo"]):
        at = first + timedelta(days=day)
        world.clock.now = at - timedelta(hours=2)
        put_zone(world, zone)
        invite_at(world, at, f"new{day}@example.fr", sponsor=VIPS[day])
    assert [zone.time_zone for zone in world.campaign.earlier_zones] == [PARIS, NEW_YORK, PARIS]
    assert invited(world) == {
        date(2026, 3, 3): 1, date(2026, 3, 5): 1, date(2026, 3, 6): 1
    } | {date(2026, 3, 3): 2}  # fmt: skip
    assert miscounts(world.ports, world.campaign) == []


@pytest.mark.parametrize("holds_after", [ZONE_HOLDS_AFTER, timedelta(0)])
def test_clocks_that_differ_by_five_minutes_move_no_fact_to_another_day(
    monkeypatch: pytest.MonkeyPatch, holds_after: timedelta
) -> None:
    monkeypatch.setattr(versions, "ZONE_HOLDS_AFTER", holds_after)
    world = new_world()
    now = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    invite_at(world, now + SKEW, "ahead@example.fr")
    world.clock.now = now - SKEW
    put_zone(world, NEW_YORK)
    world.clock.now = now + 3 * SKEW
    agree = miscounts(world.ports, world.campaign) == []
    assert agree is (holds_after == ZONE_HOLDS_AFTER)


def test_a_version_stored_before_zones_were_noted_is_judged_by_all_versions() -> None:
    world = new_world()
    world.clock.now = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    put_zone(world, NEW_YORK)
    forget_zones(world)
    world.clock.advance(days=1)
    put_zone(world, "Asia/Tokyo")
    assert [zone.time_zone for zone in world.campaign.earlier_zones] == [PARIS, NEW_YORK]


def forget_zones(world: World) -> None:
    """The campaign as a version without `earlier_zones` stored it."""
    current = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert current
    document = current.document.model_copy(update={"earlier_zones": ()})
    world.repository.commit(Replace(replace(current, document=document)))


def test_the_same_file_makes_no_version_after_a_change_of_zone() -> None:
    world = new_world()
    put_zone(world, NEW_YORK)
    assert put_campaign(world.ports, campaign(time_zone=NEW_YORK)).version == 2


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_statements_go_on_from_one_another_through_a_change_of_zone(zone: str) -> None:
    till = Till(new_world())
    for month, day in ((3, 31), (4, 1), (4, 30), (5, 1)):
        # Around each end of a month, in either zone.
        for hour in range(0, 24, 3):
            till.world.clock.now = datetime(2026, month, day, hour, tzinfo=UTC)
            key = till.issue()
            if hour % 2:
                till.redeem(key, f"A{month}{day}{hour}")
            export_all(till.world)
            write_statements(till.ports, till.world.campaign)
        if (month, day) == (4, 1):
            put_zone(till.world, zone)
    till.world.clock.now = datetime(2026, 6, 3, tzinfo=UTC)
    write_statements(till.ports, till.world.campaign)
    totals = [manifest_of(till.world, f"2026-0{month}")["totals"][0] for month in (3, 4, 5)]
    assert [one["opening"] for one in totals] == [0, *(one["closing"] for one in totals[:2])]
    assert sum(one["issued"] for one in totals) == till.issued * 1000
    assert sum(one["redeemed"] for one in totals) == 16_000
    assert len(rows_in(till.world, "statements/2026-05")) == till.issued
