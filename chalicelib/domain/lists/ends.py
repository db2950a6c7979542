"""When what a list has replaced ends: its earlier versions and deltas, and their segments.

    version 7 in force ── replaced by 8 ── noted within the hour ── 30 days ── ended ── segment gone

Until then an earlier version may be restored (`tandem list rollback`), and an order is judged by
the list that was in force when it was made, if it is reported within 30 days of that. A list in
force never ends by this, nor the full list and the deltas that it would be built from again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.lists.model import CurrentList, ListDelta, ListVersion
from chalicelib.domain.lists.rules import applicable_deltas

KEPT_AFTER_REPLACED = timedelta(days=30)
# A drop stores its segments before it names them, and may take as long as a function runs.
UNNAMED_FOR = timedelta(days=1)
# A version that is about to end is not restored: its segment may be removed meanwhile.
LAST_HOUR = timedelta(hours=1)


def ending_versions(
    current: CurrentList, versions: Iterable[ListVersion], now: datetime
) -> list[ListVersion]:
    """The versions that have been replaced without an end noted, with their end."""
    return [
        replace(version, ends_at=now + KEPT_AFTER_REPLACED)
        for version in versions
        if version.version != current.version and version.ends_at is None
    ]


def ending_deltas(
    current: CurrentList, deltas: Iterable[ListDelta], now: datetime
) -> list[ListDelta]:
    """The deltas that a later full list has replaced, with their end, where it gets earlier."""
    deltas, end = list(deltas), now + KEPT_AFTER_REPLACED
    applied = applicable_deltas(current.full, deltas)
    return [
        replace(delta, ends_at=end)
        for delta in deltas
        # A later one that does not apply waits for its full list.
        if delta.position < current.full.position and delta not in applied and delta.ends_at > end
    ]


def may_be_restored(version: ListVersion, now: datetime) -> bool:
    """Whether a version stays long enough for being put in force again."""
    return version.ends_at is None or version.ends_at - now > LAST_HOUR


def version_as_of(versions: Sequence[ListVersion], at: datetime) -> ListVersion:
    """The version in force at `at`, or the oldest one where that is not there."""
    before = [version for version in versions if version.accepted_at <= at]
    return before[-1] if before else versions[0]


def proves_membership(version: ListVersion, at: datetime) -> bool:
    """Whether this was the list in force at `at`, or the first one ever. A later list, used where
    that one has ended, proves only absence: people on it may have become customers since.
    """
    return version.accepted_at <= at or version.version == 1


def named_segments(
    current: CurrentList, versions: Iterable[ListVersion], deltas: Iterable[ListDelta]
) -> set[str]:
    """The segments that something which has not ended is stored in."""
    in_force = {current.segment, current.full.segment}
    return in_force | {one.segment for one in versions} | {one.segment for one in deltas}
