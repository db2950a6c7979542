"""Local days through every change of offset of every time zone, 2026 to 2030 (law 11).

A day ends with its last local second, whatever the clocks do around it. What the domain computes is
compared with a plain look at the clock of the zone: the day it shows, second by second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.orders import return_window_ends_at
from chalicelib.domain.statements import end_of, month_after, month_of
from chalicelib.domain.vouchers import Voucher, far_zone, month_of_end, valid_until
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import campaign

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# Both happen at midnight: the first hour of a day is missing, or the last one comes twice.
AT_MIDNIGHT = ("Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Santiago")


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The instants from which a zone has another offset."""
    clock, found, at = ZoneInfo(zone), [], FIRST
    while at < LAST:
        later = at + timedelta(days=7)
        if at.astimezone(clock).utcoffset() != later.astimezone(clock).utcoffset():
            found.append(_first_with_another_offset(clock, at, later))
        at = later
    return tuple(found)


def _first_with_another_offset(clock: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(clock).utcoffset()
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        same = middle.astimezone(clock).utcoffset() == offset
        before, after = (middle, after) if same else (before, middle)
    return after


@cache
def zones() -> tuple[tuple[str, tuple[datetime, ...]], ...]:
    """One zone of each that change alike, with its changes; zones that never change once each."""
    alike: dict[object, tuple[str, tuple[datetime, ...]]] = {}
    for zone in sorted(available_timezones()):
        offset = FIRST.astimezone(ZoneInfo(zone)).utcoffset()
        alike.setdefault((offset, changes(zone)), (zone, changes(zone)))
    return tuple(alike.values())


@cache
def in_zone(zone: str) -> Campaign:
    return campaign(time_zone=zone, starts_on="2026-01-01", ends_on="2031-12-31")


def moments() -> Iterator[tuple[Campaign, datetime]]:
    """A campaign of each zone, at instants around each of its changes, or anywhere without one."""
    for zone, found in zones():
        for change in found or (FIRST,):
            for hours in (-26, -1, 0, 1, 26):
                yield in_zone(zone), change + timedelta(hours=hours)


def day_shown(one: Campaign, at: datetime) -> date:
    """What a calendar on the wall shows."""
    return at.astimezone(ZoneInfo(one.time_zone)).date()


def assert_ends_the_day(one: Campaign, end: datetime, day: date) -> None:
    assert (day_shown(one, end), day_shown(one, end + SECOND)) == (day, day + DAY), one.time_zone


def test_there_are_enough_zones_and_changes_and_some_at_midnight() -> None:
    assert len(zones()) > 60
    assert sum(len(found) for _, found in zones()) > 250
    for zone in AT_MIDNIGHT:
        local = [change.astimezone(ZoneInfo(zone)) for change in changes(zone)]
        assert any(at.hour in {0, 1, 23} and not at.minute for at in local), zone


def test_law_11_each_local_day_has_one_end_and_the_next_one_begins_with_it() -> None:
    for one, at in moments():
        day = day_shown(one, at)
        for near in (day - DAY, day, day + DAY):
            assert_ends_the_day(one, one.end_of_day(near), near)
            assert one.start_of_day(near + DAY) == one.end_of_day(near) + SECOND


def test_law_11_vouchers_end_with_a_local_day() -> None:
    for one, at in moments():
        for days in (0, 1, 60):
            issued = at - days * DAY
            last_day = day_shown(one, issued) + days * DAY
            assert_ends_the_day(one, valid_until(one, issued, days), last_day)


def test_a_voucher_ends_in_the_month_of_its_last_local_day() -> None:
    voucher = next(one for one in ENTITIES if isinstance(one, Voucher))
    far = set()
    for zone, _ in zones():
        where = in_zone(zone)
        for last_day in (date(2026, 1, 1), date(2026, 1, 31), date(2026, 7, 1), date(2026, 7, 31)):
            ends = where.end_of_day(last_day)
            issued = replace(voucher, valid_until=ends, far_zone=far_zone(where, ends))
            assert month_of_end(issued) == f"{last_day:%Y-%m}", zone
            moved = where.end_of_day(last_day + 150 * DAY)
            month = f"{last_day + 150 * DAY:%Y-%m}"
            assert month_of_end(replace(issued, valid_until=moved)) == month, zone
            if issued.far_zone:
                far.add(zone)
    # Those beyond UTC-10 and UTC+13, or sometimes there, and no others.
    assert 2 <= len(far) <= 4
    assert far_zone(in_zone("Europe/Paris"), ends) is None


def test_law_11_invitations_close_with_a_local_day() -> None:
    for one, at in moments():
        days = one.invitation_days * DAY
        received = at - days  # so that it closes around the change
        assert_ends_the_day(one, one.closes_at(received), day_shown(one, received) + days)


def test_law_11_return_windows_end_with_a_local_day() -> None:
    for one, at in moments():
        days = one.return_window_days * DAY
        ordered = at - days
        assert_ends_the_day(
            one, return_window_ends_at(one, ordered), day_shown(one, ordered) + days
        )


def test_law_11_days_between_are_those_on_the_calendar() -> None:
    for one, at in moments():
        for hours in (1, 23, 24, 25, 49):
            later = at + timedelta(hours=hours)
            between = (day_shown(one, later) - day_shown(one, at)).days
            assert one.days_between(at, later) == between


@pytest.mark.parametrize("year", range(2026, 2031))
def test_law_11_statement_months_end_with_their_last_local_day(year: int) -> None:
    for zone, _ in zones():
        one = in_zone(zone)
        for month in (f"{year}-{number:02}" for number in range(1, 13)):
            end = end_of(one, month)
            assert month_of(one, end - SECOND) == month
            assert month_of(one, end) == month_after(month)
            assert day_shown(one, end).day == 1
