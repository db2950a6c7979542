"""Customers' digests end 30 days after they were replaced, and nothing that is needed does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.lists.ends import ending_deltas
from chalicelib.domain.lists.model import CurrentList, ListDelta, ListVersion
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.services.errors import UnknownError
from chalicelib.services.lists.roll_back import roll_back_list
from chalicelib.services.operations.end_lists import end_lists
from chalicelib.services.operations.reconcile import reconcile
from tests.fakes.campaign import CAMPAIGN, CANARY, digest
from tests.fakes.drops import CURRENT, DAY, at, delta, sha256
from tests.fakes.world import CUSTOMERS, VIPS, World

KNOWN = [*CUSTOMERS, *VIPS, CANARY]
BY = "arn:aws:iam::123456789012:user/ops"
REFEREE = "jeanne@gmail.com"


def list_of(*addresses: str) -> bytes:
    return "\n".join(["digest", *map(digest, addresses), ""]).encode()


def store_segments(world: World) -> None:
    """The segments that were built, as files: their builder in memory keeps sets."""
    for path in world.lists.segments:
        if path not in world.files.content:
            world.files.write(path, b"segment")


def segments(world: World) -> set[str]:
    return set(world.files.under(f"lists/{CAMPAIGN}/customers/"))


def current(world: World) -> CurrentList:
    found = world.repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert found
    return found


def versions(world: World) -> list[int]:
    found = world.repository.within(ListVersion, campaign=CAMPAIGN, name="customers")
    return [version.version for version in found]


def dropped(world: World, *more: str) -> str:
    """Drop a full list; returns its segment."""
    world.drop_list("customers", [*KNOWN, *more], file=f"with-{len(more)}")
    store_segments(world)
    return current(world).segment


def pass_days(world: World, days: int) -> None:
    """`reconcile` looks once a day."""
    for _ in range(days):
        world.clock.advance(days=1)
        end_lists(world.ports, CAMPAIGN)


def test_a_replaced_version_and_its_segment_end_30_days_later(world: World) -> None:
    store_segments(world)
    first = current(world).segment
    second = dropped(world, "new@example.fr")
    end_lists(world.ports, CAMPAIGN)
    pass_days(world, 29)
    assert (versions(world), segments(world)) == ([1, 2], {first, second})
    pass_days(world, 1)
    assert (versions(world), segments(world)) == ([2], {second})


def test_reconcile_ends_them_and_says_how_many(world: World) -> None:
    store_segments(world)
    dropped(world, "new@example.fr")
    assert reconcile(world.ports)["segments_ended"] == 0
    world.clock.advance(days=30)
    assert reconcile(world.ports)["segments_ended"] == 1


def test_a_list_in_force_never_ends_by_being_old(world: World) -> None:
    store_segments(world)
    in_force = segments(world)
    pass_days(world, 400)
    assert (versions(world), segments(world)) == ([1], in_force)


def test_the_end_does_not_move_while_a_version_stays_replaced(world: World) -> None:
    dropped(world, "new@example.fr")
    end_lists(world.ports, CAMPAIGN)
    [noted] = [one for one in world.memory.all(ListVersion) if one.ends_at]
    assert noted.ends_at == world.clock() + timedelta(days=30)
    pass_days(world, 5)
    assert [one for one in world.memory.all(ListVersion) if one.ends_at] == [noted]


def test_deltas_and_the_full_list_under_them_stay_while_they_are_in_force(world: World) -> None:
    full = dropped(world)
    world.drop("customers/add/a.csv", list_of("new@example.fr"))
    store_segments(world)
    pass_days(world, 60)
    [delta] = world.memory.all(ListDelta)
    assert segments(world) == {full, delta.segment, current(world).segment}
    world.clock.advance(minutes=1)
    whole = dropped(world, "new@example.fr", "another@example.fr")
    end_lists(world.ports, CAMPAIGN)
    pass_days(world, 30)
    assert segments(world) == {whole}
    assert list(world.repository.within(ListDelta, campaign=CAMPAIGN, name="customers")) == []


def test_of_the_deltas_only_those_end_that_a_later_full_list_has_replaced() -> None:
    replaced = delta("add", "before", 50)
    applied = delta("add", "named", 50, base_sha256=sha256("current"))
    waiting = delta("add", "early", 150, base_sha256=sha256("not there yet"))
    now = at(DAY)
    [ending] = ending_deltas(CURRENT, [replaced, applied, waiting], now)
    assert ending == replace(replaced, ends_at=now + timedelta(days=30))
    assert ending_deltas(CURRENT, [ending], now + timedelta(days=1)) == []


def test_a_segment_that_a_drop_has_just_stored_stays_a_day(world: World) -> None:
    store_segments(world)
    left = f"lists/{CAMPAIGN}/customers/00000009-left.seg"
    world.files.write(left, b"segment")
    pass_days(world, 1)
    assert left in segments(world)
    pass_days(world, 1)
    assert left not in segments(world)


def test_without_a_list_in_force_nothing_is_removed(world: World) -> None:
    orphan = "lists/another/customers/00000001-x.seg"
    world.files.write(orphan, b"segment")
    world.clock.advance(days=3)
    assert end_lists(world.ports, "another") == 0
    assert orphan in world.files.content


# --- going back -----------------------------------------------------------------------------------


def test_a_version_that_is_in_force_again_keeps_its_segment(world: World) -> None:
    store_segments(world)
    first = current(world).segment
    second = dropped(world, "new@example.fr")
    end_lists(world.ports, CAMPAIGN)
    pass_days(world, 10)
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)
    assert current(world).segment == first
    [copy] = [one for one in world.memory.all(ListVersion) if one.version == 3]
    assert copy.ends_at is None
    pass_days(world, 60)
    assert (versions(world), segments(world)) == ([3], {first})
    assert second not in world.files.content


@pytest.mark.parametrize(("left", "is_restored"), [(61, True), (60, False)])
def test_a_version_is_not_restored_in_its_last_hour(
    world: World, left: int, is_restored: bool
) -> None:
    dropped(world, "new@example.fr")
    end_lists(world.ports, CAMPAIGN)
    world.clock.advance(days=30)
    world.clock.advance(minutes=-left)
    if is_restored:
        assert roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY).version == 3
    else:
        with pytest.raises(UnknownError):
            roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)


# --- orders reported late -------------------------------------------------------------------------


def rewards(world: World) -> set[str]:
    return {one.rule for one in world.memory.all(Reward) if one.code_key}


def report_late(world: World, *, kept_for: int) -> Referral:
    """A referee's first order, reported after the list of that day was replaced so long ago."""
    store_segments(world)
    world.referral(REFEREE)
    ordered = world.order("A1", "kept", of=REFEREE)
    world.clock.advance(hours=6)
    dropped(world, REFEREE)
    end_lists(world.ports, CAMPAIGN)
    world.clock.advance(days=kept_for)
    end_lists(world.ports, CAMPAIGN)
    world.drop_orders(ordered)
    world.run()
    [referral] = world.memory.all(Referral)
    return referral


@pytest.mark.parametrize("kept_for", [29, 31])
def test_law_4_an_order_reported_late_is_rewarded_whether_its_list_is_kept_or_not(
    world: World, kept_for: int
) -> None:
    referral = report_late(world, kept_for=kept_for)
    assert versions(world) == ([1, 2] if kept_for < 30 else [2])
    assert (referral.newcomer, referral.newcomer_list_version) == (True, 1)
    assert "sponsor-reward" in rewards(world)
