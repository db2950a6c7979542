"""What a drop does to a list: one decision, as frozen data.

    read the state ──► plan ──► build segments ──► judge ──► commit
    services           here     adapters           rules     services/lists/ingest.py

A full list replaces the list and every delta dropped before it. A delta is added to the current
list or removed from it:

    full    G                    ─┐
    add     the current list + G  ├─► one new segment
    remove  the current list - G ─┘

A delta that arrives late is applied in its place: the full list again, then every delta in the
order of their drops, so that the result does not depend on the order in which drops arrive (law 7).
A delta whose full list is not here yet waits for it. A plan contains all that its executor needs
and does nothing itself: no I/O, no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.lists.drops import ReadListFile, drop_position
from chalicelib.domain.lists.model import (
    REJECTED,
    CurrentList,
    FileRecord,
    FullList,
    HeldList,
    ListDelta,
    ListDrops,
    ListMode,
)
from chalicelib.domain.lists.rules import ManifestMismatch, applicable_deltas, manifest_mismatch

ROLLBACK = "rollback"  # the mode of a version restored by ops
DELTA_DAYS = 450  # longer than any list may be in force
# The same content dropped this much later is stored again: segments are not kept permanently.
RENEWED_AFTER = timedelta(days=90)

RefusalReason = (
    ManifestMismatch
    | Literal[
        "refused_by_ops",
        "older_than_the_list_in_force",
        "older_than_the_campaign_allows",
        "replaced_by_a_later_list",
        "taken_in_before",
    ]
)


@dataclass(frozen=True, kw_only=True)
class ListState:
    """What is stored of a list when a drop of it is planned; `record` and `held` are of the same
    content.
    """

    current: CurrentList | None
    drops: ListDrops | None
    deltas: tuple[ListDelta, ...]
    record: FileRecord | None
    held: HeldList | None
    limits: ListLimits


# --- plans ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """The whole file is refused, the list does not change. This uses up an approval of ops, unless
    the file may not be the one they approved.
    """

    reason: RefusalReason
    ends_approval: bool = True


@dataclass(frozen=True, kw_only=True)
class AlreadyApplied:
    """Nothing changes: an event delivered again, or content that is already applied.

    `version` is the version it made, None for none yet.
    """

    effect: Literal["already_taken_in", "already_in_force"]
    version: int | None


@dataclass(frozen=True, kw_only=True)
class Confirm:
    """The current list was dropped again: its age now counts from that drop."""

    current: CurrentList
    as_of: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Digests to apply to the result of the layers before: `full` replaces it, `add`, `remove`.

    `stored` is where they are; None for the digests of the dropped file.
    """

    mode: ListMode
    stored: FullList | CurrentList | ListDelta | None = None


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A delta to store for a full list that is not here yet; the current list stays.

    `delta` has no segment yet. `replaced`, the same content dropped later, is deleted.
    """

    delta: ListDelta
    replaced: tuple[ListDelta, ...]
    current_version: int | None


@dataclass(frozen=True, kw_only=True)
class _NewVersion:
    """A version to build from `layers`, to check, and to put in force."""

    version: int
    layers: tuple[Layer, ...]
    as_of: datetime
    last_position: str


@dataclass(frozen=True, kw_only=True)
class BuildFull(_NewVersion):
    """A version with a new full list. Where deltas dropped later are applied to it, it is also
    stored alone, because more deltas may arrive between them. `full` has no segment yet.
    """

    full: FullList

    @property
    def later_deltas(self) -> int:
        """How many deltas that were dropped later are applied to it."""
        return len(self.layers) - 1


@dataclass(frozen=True, kw_only=True)
class BuildDelta(_NewVersion):
    """A version with a delta applied: after all others, or in its place among them.

    `delta` has no segment yet. `replaced`, the same content dropped later, is deleted.
    """

    effect: Literal["merged", "merged_in_its_place"]
    base: CurrentList
    delta: ListDelta
    replaced: tuple[ListDelta, ...]


FullPlan = Refuse | AlreadyApplied | Confirm | BuildFull
DeltaPlan = Refuse | AlreadyApplied | Wait | BuildDelta
Plan = FullPlan | DeltaPlan


# --- planning ------------------------------------------------------------------------------------


def plan_drop(file: ReadListFile, state: ListState, now: datetime) -> Plan:
    """What a dropped list does. Its resulting content is checked when it is built."""
    if mismatch := manifest_mismatch(file):
        return Refuse(reason=mismatch, ends_approval=False)
    if state.held and state.held.decision == REJECTED:
        return Refuse(reason="refused_by_ops", ends_approval=False)
    if file.mode == "full":
        return plan_full(file, state, now)
    return plan_delta(file, state, now)


def plan_full(file: ReadListFile, state: ListState, now: datetime) -> FullPlan:
    """What a full list does."""
    current, record = state.current, state.record
    if current and record and not _is_to_be_applied_again(file, record, current):
        return _plan_full_seen_before(file, record, current, state.limits, now)
    if current and file.position < current.full.position:
        return Refuse(reason="older_than_the_list_in_force")
    if now - file.as_of > state.limits.max_age:
        return Refuse(reason="older_than_the_campaign_allows")
    full = FullList(
        position=file.position,
        sha256=file.sha256,
        key_id=file.key_id,
        segment="",
        etag="",
        rows=0,
    )
    later = applicable_deltas(full, state.deltas)
    return BuildFull(
        version=_next_version(current),
        layers=(Layer(mode="full"), *map(_layer, later)),
        full=full,
        as_of=max([file.as_of, *(delta.as_of for delta in later)]),
        last_position=_last_position(full, later),
    )


def plan_delta(file: ReadListFile, state: ListState, now: datetime) -> DeltaPlan:
    """What digests to add or to remove do."""
    current, record = state.current, state.record
    if record and _is_applied(file, record, current):
        return _plan_delta_seen_before(file, state, record)
    if any(stored.position == file.position for stored in state.deltas):
        # The very drop, delivered again after the campaign's key has changed: it is stored already.
        version = current.version if current else None
        return AlreadyApplied(effect="already_taken_in", version=version)
    if current and file.position < current.full.position and file.base_sha256 is None:
        return Refuse(reason="older_than_the_list_in_force")
    delta = _delta_of(file, now)
    # Content applies from its first drop: the same content, dropped later but handled first, is
    # replaced.
    repeats = tuple(old for old in state.deltas if _repeats(old, delta))
    others = [old for old in state.deltas if old not in repeats]
    deltas = applicable_deltas(current.full, [*others, delta]) if current else []
    if current is None or delta not in deltas or _is_late(file, current, state.limits):
        # Deltas of the current list stay: it may have to be built again.
        applied = applicable_deltas(current.full, state.deltas) if current else []
        return Wait(
            delta=delta,
            replaced=tuple(old for old in repeats if old not in applied),
            current_version=current.version if current else None,
        )
    before = [old.position for old in deltas if old != delta]
    is_last = delta.position > current.last_position >= max(before, default="")
    return BuildDelta(
        version=_next_version(current),
        effect="merged" if is_last else "merged_in_its_place",
        layers=_on_top(current, delta) if is_last else _in_place(current.full, deltas, delta),
        base=current,
        delta=delta,
        replaced=repeats,
        as_of=max(current.accepted_at, file.as_of),
        last_position=_last_position(current.full, deltas),
    )


# --- content that was dropped before -------------------------------------------------------------


def _is_to_be_applied_again(file: ReadListFile, record: FileRecord, current: CurrentList) -> bool:
    long_ago = drop_position(file.dropped_at - RENEWED_AFTER, "", "")
    aged = _is_content_of(file, current) and current.full.position < long_ago
    return aged or _is_intended_again(file, record, current)


def _is_intended_again(file: ReadListFile, record: FileRecord, current: CurrentList) -> bool:
    """Whether applied content is to be applied again: only if a manifest newer than both says so.
    Otherwise it is an old file delivered a second time.
    """
    newest = max(record.as_of, current.accepted_at)
    return file.manifest is not None and file.as_of > newest and file.position > record.position


def _is_content_of(file: ReadListFile, current: CurrentList) -> bool:
    """Whether the dropped content is that of the current list."""
    same = (current.source_sha256, current.key_id) == (file.sha256, file.key_id)
    return same and current.mode in {file.mode, ROLLBACK}


def _plan_full_seen_before(
    file: ReadListFile, record: FileRecord, current: CurrentList, limits: ListLimits, now: datetime
) -> FullPlan:
    """A full list that is or was the current one; the age of the current one restarts.

    A retailer whose list has not changed still drops it on time.
    """
    repeated = file.position <= record.position
    if not _is_content_of(file, current):
        if repeated:
            return AlreadyApplied(effect="already_taken_in", version=record.version)
        return Refuse(reason="replaced_by_a_later_list")
    if repeated:
        return AlreadyApplied(effect="already_in_force", version=record.version)
    if now - max(file.as_of, current.accepted_at) > limits.max_age:
        return Refuse(reason="older_than_the_campaign_allows")
    if file.as_of > current.accepted_at:
        return Confirm(current=current, as_of=file.as_of, version=record.version)
    return AlreadyApplied(effect="already_in_force", version=record.version)


def _is_applied(file: ReadListFile, record: FileRecord, current: CurrentList | None) -> bool:
    """Whether this drop, or an earlier one of the same content, is already applied."""
    if file.position < record.position:
        return False
    return current is None or not _is_intended_again(file, record, current)


def _plan_delta_seen_before(
    file: ReadListFile, state: ListState, record: FileRecord
) -> Refuse | AlreadyApplied:
    """An event delivered twice, or the content of the last delta dropped again.

    Content with other deltas after it is refused: the client expects it to be applied again.
    """
    current = state.current
    deltas = applicable_deltas(current.full, state.deltas) if current else state.deltas
    is_last = bool(deltas) and (deltas[-1].mode, deltas[-1].sha256) == (file.mode, file.sha256)
    if file.position == record.position or is_last:
        return AlreadyApplied(effect="already_taken_in", version=record.version or None)
    return Refuse(reason="taken_in_before")


def _repeats(stored: ListDelta, delta: ListDelta) -> bool:
    same = (stored.mode, stored.sha256, stored.key_id) == (delta.mode, delta.sha256, delta.key_id)
    return same and stored.position > delta.position and not stored.dated


# --- parts of a plan -----------------------------------------------------------------------------


def _is_late(file: ReadListFile, current: CurrentList, limits: ListLimits) -> bool:
    """Whether the list was too old before this delta: it may lack other changes too (law 3)."""
    return file.as_of - current.accepted_at > limits.max_age


def _next_version(current: CurrentList | None) -> int:
    return current.version + 1 if current else 1


def _last_position(full: FullList, deltas: Iterable[ListDelta]) -> str:
    return max([full.position, *(delta.position for delta in deltas)])


def _layer(delta: ListDelta) -> Layer:
    return Layer(mode=delta.mode, stored=delta)


def _on_top(current: CurrentList, delta: ListDelta) -> tuple[Layer, ...]:
    return Layer(mode="full", stored=current), Layer(mode=delta.mode)


def _in_place(full: FullList, deltas: Iterable[ListDelta], new: ListDelta) -> tuple[Layer, ...]:
    """The full list again, then every delta in its order."""
    applied = (Layer(mode=delta.mode) if delta is new else _layer(delta) for delta in deltas)
    return Layer(mode="full", stored=full), *applied


def _delta_of(file: ReadListFile, now: datetime) -> ListDelta:
    folder = f"lists/{file.campaign}/{file.name}/deltas"
    return ListDelta(
        campaign=file.campaign,
        name=file.name,
        position=file.position,
        mode=file.mode,
        sha256=file.sha256,
        key_id=file.key_id,
        segment=f"{folder}/{file.mode}-{file.key_id}-{file.sha256[:24]}.seg",
        etag="",
        rows=0,
        as_of=file.as_of,
        dated=file.manifest is not None,
        base_sha256=file.base_sha256,
        ends_at=now + timedelta(days=DELTA_DAYS),
    )
