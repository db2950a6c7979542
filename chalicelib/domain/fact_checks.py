"""How far the facts have been checked: the hours that are left, and those that are looked at again.

Facts are checked by the hour, once the hour is settled. An hour in which work was missing is looked
at again, each time after twice as long and at least every `LOOKED_AT_EVERY`, until nothing is
missing: work may rightly wait for weeks, for a list or for codes, longer than a queue keeps its
message.

    hour ends ── SETTLED_AFTER ── first look ── 1 h ── 2 h ── 4 h ── … ── every LOOKED_AT_EVERY
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.entity import Entity

HOUR = timedelta(hours=1)
# Work that follows from a fact is normally done long before.
SETTLED_AFTER = timedelta(minutes=15)
# Runs are an hour apart: what an hour waits for, such as codes, is used within a day of its coming.
LOOKED_AT_EVERY = timedelta(hours=23)
# For so long the backlog of a queue explains that work is not done; then it may be lost as well.
BACKLOG_EXPLAINS = timedelta(hours=12)
# The item of the check holds 400 KB, an hour takes some 110 bytes of them. Twelve weeks.
UNFINISHED_AT_MOST = 2_000
HOURS_A_RUN = 12
# Longer than this no hour waits for its first look, unless runs fail or cannot keep up.
LATE_AFTER = timedelta(hours=6)
UNREAD = "facts_unread"  # the finding: how many hours do


class Missing(StrEnum):
    """What a fact lacked. The values are names of findings."""

    NOT_COUNTED = "facts_not_counted"
    NOT_DONE = "facts_not_done"
    FAILED = "facts_failed"  # it could not be looked at, or not be put right


@dataclass(frozen=True, kw_only=True)
class UnfinishedHour:
    """An hour in which work was missing, and when its last complete look was. While another look is
    under way: the first shard still to be read, and whether anything was missing before it.
    """

    hour: datetime
    looked_at: datetime
    shard: int = 0
    is_missing: bool = False

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to look again: after the last complete look, as long as that look was
        after the end of the hour, and `LOOKED_AT_EVERY` at most.
        """
        before = self.looked_at - (self.hour + HOUR)
        return now - self.looked_at >= min(before, LOOKED_AT_EVERY)


@dataclass(frozen=True, kw_only=True)
class FactCheck(Entity):
    """The first hour, and shard of it, whose facts have not been looked at, and the hours before it
    that are unfinished.
    """

    hour: datetime
    shard: int = 0
    unfinished: tuple[UnfinishedHour, ...] = ()


def first_check(now: datetime) -> FactCheck:
    """Before the first one. Facts happened before it, since the deployment; earlier hours are
    empty and cost little, and none of them is late.
    """
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return FactCheck(hour=this_hour - LATE_AFTER)


def unfinished_due(check: FactCheck, now: datetime) -> list[UnfinishedHour]:
    """The hours to look at again."""
    return [one for one in check.unfinished if one.is_due(now)]


def unread_hours(check: FactCheck, now: datetime) -> Iterator[datetime]:
    """The hours that nobody has looked at and whose facts are settled: those of one run."""
    for hour in (check.hour + HOUR * number for number in range(HOURS_A_RUN)):
        if hour + HOUR + SETTLED_AFTER <= now:
            yield hour


def late_hours(check: FactCheck, now: datetime) -> int:
    """How many hours should have been looked at for the first time, and were not."""
    return max(0, (now - SETTLED_AFTER - LATE_AFTER - check.hour) // HOUR)


def found_unfinished(check: FactCheck, hour: datetime, now: datetime) -> FactCheck:
    """The check after something was missing in an hour that is looked at for the first time."""
    return _with(check, UnfinishedHour(hour=hour, looked_at=now))


def looked_again(
    check: FactCheck, one: UnfinishedHour, shard: int, shards: int, now: datetime, *, is_done: bool
) -> FactCheck:
    """The check once the shards before `shard` of an unfinished hour were looked at again, the last
    of them with that result.
    """
    is_missing = one.is_missing or not is_done
    if shard < shards:
        return _with(check, replace(one, shard=shard, is_missing=is_missing))
    if is_missing:
        return _with(check, UnfinishedHour(hour=one.hour, looked_at=now))
    return replace(check, unfinished=_without(check, one.hour))


def _with(check: FactCheck, one: UnfinishedHour) -> FactCheck:
    unfinished = (*_without(check, one.hour), one)
    in_order = sorted(unfinished, key=lambda each: each.hour)
    return replace(check, unfinished=tuple(in_order[-UNFINISHED_AT_MOST:]))


def _without(check: FactCheck, hour: datetime) -> tuple[UnfinishedHour, ...]:
    return tuple(one for one in check.unfinished if one.hour != hour)


def moved_on(check: FactCheck, shard: int, shards: int) -> FactCheck:
    """The check once the shards before `shard` of its hour were looked at."""
    if shard < shards:
        return replace(check, shard=shard)
    return replace(check, hour=check.hour + HOUR, shard=0)
