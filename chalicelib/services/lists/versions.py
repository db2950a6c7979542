"""What is committed for a drop of a list, always as one transaction.

A new version is committed with the pointer (at the revision it was checked against), the record of
the file and the fact; a waiting delta with its record and its fact. Which of these a drop leads to
is planned in `domain.lists.plan` and executed by ingest.py; rolling back is in roll_back.py.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import ListAccepted, ListWaits
from chalicelib.domain.files.receipt import ListOutcome
from chalicelib.domain.lists.drops import ReadListFile
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    FullList,
    ListDelta,
    ListDrops,
    ListVersion,
)
from chalicelib.domain.lists.plan import BuildDelta, BuildFull, ListState, Wait
from chalicelib.services.facts import list_fact
from chalicelib.services.list_ports import StoredSegment
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace


def new_pointer(
    file: ReadListFile,
    state: ListState,
    plan: BuildFull | BuildDelta,
    built: StoredSegment,
    *,
    full: FullList,
) -> CurrentList:
    """The pointer to the version of a plan, whose segment is `built`, on the full list `full`."""
    return CurrentList(
        revision=state.current.revision if state.current else 0,
        campaign=file.campaign,
        name=file.name,
        version=plan.version,
        rows=built.rows,
        segment=built.path,
        etag=built.etag,
        directory_crc=built.directory_crc,
        key_id=file.key_id,
        algorithm=file.algorithm,
        accepted_at=plan.as_of,
        source_sha256=file.sha256,
        mode=file.mode,
        base_version=plan.base.version if isinstance(plan, BuildDelta) else None,
        last_position=plan.last_position,
        full=full,
    )


def commit_version(
    ports: Ports, file: ReadListFile, state: ListState, pointer: CurrentList, *more: Change
) -> None:
    """Put a version in force. This uses up an approval of ops: the same content needs a new one."""
    moved: Change = Replace(pointer) if state.current else Insert(pointer)
    body = ListAccepted(
        list_name=pointer.name,
        mode=pointer.mode,
        version=pointer.version,
        rows=pointer.rows,
        base_version=pointer.base_version,
        approved_by=state.held.decided_by if state.held else None,
    )
    accepted = list_fact(ports, pointer.campaign, pointer.name, str(pointer.version), body)
    ports.repository.commit(
        moved,
        Insert(version_of(pointer)),
        count_drop(state.drops, pointer.campaign, pointer.name),
        _record(ports, file, state, pointer.version),
        *([Remove(state.held)] if state.held else []),
        *more,
        facts=[accepted],
    )


def commit_waiting(
    ports: Ports, file: ReadListFile, state: ListState, plan: Wait, delta: ListDelta
) -> None:
    """Store a delta, with its segment, until its full list arrives."""
    version = plan.current_version or 0
    body = ListWaits(list_name=delta.name, mode=delta.mode, rows=delta.rows)
    waiting = list_fact(ports, delta.campaign, delta.name, str(version), body)
    ports.repository.commit(
        _record(ports, file, state, version),
        count_drop(state.drops, delta.campaign, delta.name),
        Insert(delta),
        *map(Remove, plan.replaced),
        facts=[waiting],
    )


def count_drop(drops: ListDrops | None, campaign: str, name: str) -> Change:
    """The change that makes two concurrent drops of a list conflict, so that one is retried.

    A waiting delta does not move the pointer: without this, its full list could be put in force at
    the same time without the delta.
    """
    if drops is None:
        return Insert(ListDrops(campaign=campaign, name=name, count=1))
    return Replace(replace(drops, count=drops.count + 1))


def version_of(pointer: CurrentList) -> ListVersion:
    """The version that a pointer names, as it is stored."""
    return ListVersion(**{**vars(pointer), "revision": 0})


def _record(ports: Ports, file: ReadListFile, state: ListState, version: int) -> Change:
    before = state.record
    record = FileRecord(
        revision=before.revision if before else 0,
        campaign=file.campaign,
        area=file.area,
        sha256=file.sha256,
        file=file.path,
        processed_at=ports.clock(),
        version=version,
        position=min(file.position, before.position) if before else file.position,
        as_of=max(file.as_of, before.as_of) if before else file.as_of,
    )
    return Replace(record) if record.revision else Insert(record)


def outcome(
    file: ReadListFile,
    effect: str,
    current: CurrentList | None,
    version: int | None,
    before: CurrentList | None = None,
    later_deltas: int = 0,
) -> ListOutcome:
    """The list's part of the receipt: `current` is the list afterwards, `before` a replaced one."""
    return ListOutcome(
        mode=file.mode,
        effect=effect,
        version=version,
        rows=current.rows if current else None,
        rows_before=before.rows if before else None,
        base_version=current.base_version if current else None,
        full_sha256=current.full.sha256 if current else None,
        later_deltas=later_deltas,
    )
