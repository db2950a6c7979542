"""Files of `out/` end on the day that is stated, whole, and what is still needed stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.files.ends import BOOKS, has_export_ended
from chalicelib.domain.files.reading import Tally
from chalicelib.services.operations.end_files import end_files
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.operations.report import report
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.acknowledge import ingest_ack
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.fuse import killed_everywhere
from tests.fakes.ports import MORNING
from tests.fakes.world import World
from tests.services.test_export import issued

OUT = f"out/{CAMPAIGN}/"
REFEREE = "jeanne@gmail.com"


def exports(world: World) -> set[str]:
    return {path.rpartition("/")[2] for path in world.files.under(f"{OUT}vouchers/")}


def test_an_export_ends_35_days_after_its_acknowledgement(world: World) -> None:
    world.referral(REFEREE)
    world.export()
    world.clock.advance(days=20)
    world.acknowledge(1)
    both = {"00000001.csv.gz", "00000001.manifest.json"}
    world.clock.advance(days=34)
    assert (end_files(world.ports, CAMPAIGN), exports(world)) == (0, both)
    world.clock.advance(days=1)
    assert (reconcile(world.ports)["files_ended"], exports(world)) == (2, set())


def test_law_5_an_export_is_locked_from_its_acknowledgement_until_the_day_before_it_ends(
    world: World,
) -> None:
    world.referral(REFEREE)
    world.export()
    world.clock.advance(days=60)
    world.acknowledge(1)
    paths = world.files.under(f"{OUT}vouchers/")
    for path in paths:
        assert world.files.locked[path] >= world.clock() + timedelta(days=34)
    locked = dict(world.files.locked)
    world.clock.advance(days=30)
    world.acknowledge(1, b"\n")  # once more: the day that it ends is the same
    assert world.files.locked | locked == world.files.locked
    [first, _] = world.files.written_since(f"{OUT}vouchers/", MORNING)
    with pytest.raises(AssertionError, match="locked"):
        world.files.erase(first)
    world.clock.advance(days=5)
    assert end_files(world.ports, CAMPAIGN) == 2


@pytest.mark.slow
def test_law_5_an_acknowledgement_that_is_noted_has_locked_its_export_wherever_it_is_killed() -> (
    None
):
    def begin() -> World:
        world = issued(3)
        world.export()
        world.clock.advance(days=60)
        return world

    def acknowledge(world: World, ports: Ports) -> object:
        return ingest_ack(ports, world.campaign, 1, plain=[b""], tally=Tally())

    worlds = killed_everywhere(begin, acknowledge, lambda world: world.ports)
    noted = [world for world in worlds if world.memory.all(Export)[0].acknowledged_at]
    assert 0 < len(noted) < len(worlds)
    for world in noted:
        for path in world.files.under(f"{OUT}vouchers/"):
            assert world.files.locked[path] >= world.clock() + timedelta(days=34)


def test_an_export_that_nobody_acknowledged_stays(world: World) -> None:
    world.referral(REFEREE)
    world.export()
    world.clock.advance(days=300)
    assert end_files(world.ports, CAMPAIGN) == 0
    assert len(exports(world)) == 2


def test_law_5_an_export_that_has_ended_is_acknowledged_again_and_not_written_again(
    world: World,
) -> None:
    world.referral(REFEREE)
    world.export()
    world.acknowledge(1)
    world.clock.advance(days=35)
    end_files(world.ports, CAMPAIGN)
    assert world.export() is None
    assert exports(world) == set()
    assert world.acknowledge(1, b"\n").status == "accepted"


@pytest.mark.parametrize("state", ExportState)
def test_law_5_the_file_of_an_export_whose_writing_is_not_noted_stays(state: ExportState) -> None:
    export = Export(
        campaign=CAMPAIGN, number=1, state=state, opened_at=MORNING, acknowledged_at=MORNING
    )
    later = MORNING + timedelta(days=400)
    assert has_export_ended(export, later) is (state is ExportState.WRITTEN)


def test_a_table_ends_35_days_after_it_was_written_and_a_report_after_three_years(
    world: World,
) -> None:
    report(world.ports, world.campaign)
    written = world.clock()
    ends = {"referrals": 35, "receipts": 400, "reports": 1_096}
    for area, days in ends.items():
        assert world.files.under(f"{OUT}{area}/"), area
        world.clock.now = written + timedelta(days=days) - timedelta(seconds=1)
        end_files(world.ports, CAMPAIGN)
        assert world.files.under(f"{OUT}{area}/"), area
        world.clock.now = written + timedelta(days=days)
        end_files(world.ports, CAMPAIGN)
        assert not world.files.under(f"{OUT}{area}/"), area


@pytest.mark.parametrize("area", BOOKS)
def test_law_10_no_function_ends_what_the_books_rest_on(world: World, area: str) -> None:
    world.files.write(f"{OUT}{area}/00000001.csv.gz", b"x")
    world.clock.advance(days=4_000)
    end_files(world.ports, CAMPAIGN)
    assert world.files.under(f"{OUT}{area}/")


def test_files_of_another_campaign_are_left_alone(world: World) -> None:
    other = f"out/{CAMPAIGN}-2/referrals/2026-03-02.csv.gz"
    world.files.write(other, b"x")
    world.clock.advance(days=36)
    end_files(world.ports, CAMPAIGN)
    assert other in world.files.content
