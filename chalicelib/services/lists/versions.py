"""A version of a list: its segment judged by what would be in it, then the pointer moved to it.

What ingest_list.py does with a drop in all its modes, and overrule_list.py when ops go back, ends
here: one transaction with the version, the pointer at the revision it was judged against, the
record of the file, and the fact. A list that a limit stops is kept here for ops to decide on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListLimits
from chalicelib.domain.facts import BODIES, Fact, FactName
from chalicelib.domain.files.digests import record
from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.files.reading import FileRefusedError
from chalicelib.domain.files.receipt import ListOutcome
from chalicelib.domain.lists import rules as lists
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    FullList,
    HeldList,
    ListDelta,
    ListDrops,
    ListMode,
    ListVersion,
)
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import (
    Change,
    CommandPorts,
    Insert,
    Layer,
    NewSegment,
    Ports,
    Remove,
    Replace,
    StoredSegment,
    Sums,
)

ROLLBACK = "rollback"
APPROVED = "released"
REJECTED = "refused"
HELD_DAYS = 30  # as long as the file is kept where it was dropped


class ListHeldError(FileRefusedError):
    """A list that a limit stopped; ops may release it. `rows` are those it would have."""

    def __init__(self, reason: str, detail: str, rows: int) -> None:
        super().__init__(reason, 0, detail)
        self.rows = rows


@dataclass(frozen=True, kw_only=True)
class ListFile:
    """A list as it was dropped: `path` under `in/{campaign}/`, `file_version` S3's own."""

    name: str
    mode: ListMode
    path: str
    dropped_at: datetime
    sequencer: str
    file_version: str | None


@dataclass(frozen=True, kw_only=True)
class ReadListFile(ListFile):
    """The same, read to its end."""

    rows: int
    sha256: str
    manifest: Manifest | None
    key_id: str

    @property
    def as_of(self) -> datetime:
        return lists.as_of(self.manifest, self.dropped_at)

    @property
    def order(self) -> str:
        return lists.drop_position(self.dropped_at, self.sequencer, self.sha256)

    @property
    def area(self) -> str:
        """What the same content must not be taken in for twice. Under another key it is other
        content: nobody would be found by it.
        """
        return f"{self.name}-{self.mode}-{self.key_id}"


@dataclass(frozen=True, kw_only=True)
class ListState:
    """What the drop finds."""

    in_force: CurrentList | None
    drops: ListDrops | None
    deltas: list[ListDelta]
    seen: FileRecord | None
    held: HeldList | None
    limits: ListLimits


def built(
    ports: Ports,
    campaign: Campaign,
    listed: ReadListFile,
    standing: ListState,
    new: NewSegment,
    layers: list[Layer],
) -> StoredSegment:
    """The segment, once it has been judged by what would be in it."""

    def judge(sums: Sums) -> None:
        verdict = lists.judge(candidate(listed, sums), standing.in_force, _limits(standing))
        if isinstance(verdict, lists.Accepted):
            return
        if verdict.reason not in lists.HELD_FOR:
            raise FileRefusedError(verdict.reason, 0, verdict.detail)
        if standing.held is None or standing.held.decision != APPROVED:
            raise ListHeldError(verdict.reason, verdict.detail, sums.rows)

    canaries = _canaries(listed, standing)
    try:
        return ports.list_builder().build(new, layers, canaries=canaries, judge=judge)
    except ListHeldError as error:
        _hold(ports, campaign, listed, standing.held, error)
        raise


def _hold(
    ports: Ports,
    campaign: Campaign,
    listed: ReadListFile,
    before: HeldList | None,
    stopped: ListHeldError,
) -> None:
    """Keep what ops need to decide on it; of several drops of one content, the last one."""
    if before and position_of_held(before) >= listed.order:
        return
    held = HeldList(
        revision=before.revision if before else 0,
        campaign=campaign.id,
        name=listed.name,
        mode=listed.mode,
        sha256=listed.sha256,
        path=listed.path,
        dropped_at=listed.dropped_at,
        sequencer=listed.sequencer,
        file_version=listed.file_version,
        reason=stopped.reason,
        detail=stopped.detail,
        rows=stopped.rows,
        held_at=ports.clock(),
        ends_at=ports.clock() + timedelta(days=HELD_DAYS),
    )
    told = list_fact(
        ports, FactName.LIST_HELD, campaign.id, listed.name, listed.sha256[:12],
        mode=listed.mode, reason=stopped.reason, sha256=listed.sha256,
    )  # fmt: skip
    ports.repository.commit(Replace(held) if before else Insert(held), facts=[told])


def is_in_force(listed: ReadListFile, in_force: CurrentList) -> bool:
    """Whether what was dropped is the very content in force."""
    same = (in_force.source_sha256, in_force.key_id) == (listed.sha256, listed.key_id)
    return same and in_force.mode in {listed.mode, ROLLBACK}


def position_of_held(held: HeldList) -> str:
    """Where the drop of a held list stands."""
    return lists.drop_position(held.dropped_at, held.sequencer, held.sha256)


def candidate(listed: ReadListFile, sums: Sums | None = None) -> lists.ListCandidate:
    return lists.ListCandidate(
        rows=listed.rows,
        count=sums.rows if sums else 0,
        sha256=listed.sha256,
        key_id=listed.key_id,
        manifest=listed.manifest,
        canaries_missing=sums.canaries_missing if sums else 0,
    )


def _limits(standing: ListState) -> lists.ListLimits:
    growth = standing.limits.max_growth_percent
    return lists.ListLimits(
        max_shrink=standing.limits.max_shrink_percent / 100,
        max_growth=None if growth is None else growth / 100,
    )


def _canaries(listed: ReadListFile, standing: ListState) -> Collection[bytes]:
    """What must be in the list: what the campaign says, and a full list's own manifest."""
    manifest = listed.manifest if listed.mode == "full" else None
    own = manifest.canaries if manifest else ()
    return {record(digest) for digest in (*standing.limits.canaries_under(listed.key_id), *own)}


def next_version(in_force: CurrentList | None) -> int:
    return in_force.version + 1 if in_force else 1


def new_segment(campaign: Campaign, listed: ReadListFile, path: str, generation: int) -> NewSegment:
    return NewSegment(
        path=path,
        algorithm=campaign.digests.algorithm,
        key_id=listed.key_id,
        generation=generation,
    )


def pointer_to(
    campaign: Campaign,
    listed: ReadListFile,
    standing: ListState,
    made: StoredSegment,
    *,
    full: FullList,
    base_version: int | None,
    as_of: datetime,
    last_position: str,
) -> CurrentList:
    in_force = standing.in_force
    return CurrentList(
        revision=in_force.revision if in_force else 0,
        campaign=campaign.id,
        name=listed.name,
        version=next_version(in_force),
        rows=made.rows,
        segment=made.path,
        etag=made.etag,
        directory_crc=made.directory_crc,
        key_id=listed.key_id,
        algorithm=campaign.digests.algorithm,
        accepted_at=as_of,
        source_sha256=listed.sha256,
        mode=listed.mode,
        base_version=base_version,
        last_position=last_position,
        full=full,
    )


def commit(
    ports: Ports, listed: ReadListFile, standing: ListState, pointer: CurrentList, *more: Change
) -> None:
    """One transaction. A release is used up by it: the content is not let through for ever."""
    moved: Change = Replace(pointer) if standing.in_force else Insert(pointer)
    accepted = list_fact(
        ports, FactName.LIST_ACCEPTED, pointer.campaign, pointer.name, str(pointer.version),
        mode=pointer.mode,
        version=pointer.version,
        rows=pointer.rows,
        base_version=pointer.base_version,
        approved_by=standing.held.decided_by if standing.held else None,
    )  # fmt: skip
    ports.repository.commit(
        moved,
        Insert(version_of(pointer)),
        one_more(standing.drops, pointer.campaign, pointer.name),
        record_of_file(ports, pointer.campaign, listed, standing, pointer.version),
        *([Remove(standing.held)] if standing.held else []),
        *more,
        facts=[accepted],
    )


def one_more(drops: ListDrops | None, campaign: str, name: str) -> Change:
    """What makes every drop meet the others that were decided on at the same time.

    A delta that only waits moves no pointer: without this, the full list it waits for would be put
    in force beside it, not having seen it.
    """
    if drops is None:
        return Insert(ListDrops(campaign=campaign, name=name, taken=1))
    return Replace(replace(drops, taken=drops.taken + 1))


def version_of(pointer: CurrentList) -> ListVersion:
    """The version that a pointer names, as it is kept."""
    return ListVersion(**{**vars(pointer), "revision": 0})


def record_of_file(
    ports: Ports, campaign: str, listed: ReadListFile, standing: ListState, version: int
) -> Change:
    taken = FileRecord(
        revision=standing.seen.revision if standing.seen else 0,
        campaign=campaign,
        area=listed.area,
        sha256=listed.sha256,
        file=listed.path,
        taken_at=ports.clock(),
        version=version,
        order=min(listed.order, standing.seen.order) if standing.seen else listed.order,
        as_of=max(listed.as_of, standing.seen.as_of) if standing.seen else listed.as_of,
    )
    return Replace(taken) if taken.revision else Insert(taken)


def outcome(
    listed: ReadListFile,
    effect: str,
    now: CurrentList | None,
    version: int | None,
    before: CurrentList | None = None,
    deltas: int = 0,
) -> ListOutcome:
    return ListOutcome(
        mode=listed.mode,
        effect=effect,
        version=version,
        rows=now.rows if now else None,
        rows_before=before.rows if before else None,
        base_version=now.base_version if now else None,
        full_sha256=now.full.sha256 if now else None,
        later_deltas=deltas,
    )


def list_fact(
    ports: CommandPorts,
    name: FactName,
    campaign: str,
    listed: str,
    which: str,
    **details: str | int | None,
) -> Fact:
    """The fact that `name` happened to a list of a campaign."""
    subject = f"list-{campaign}-{listed}"
    values: dict[str, Any] = {"list_name": listed, **details}
    return new_fact(
        ports,
        BODIES[name](**values),
        campaign=campaign,
        subject=subject,
        correlation=f"{subject}-{which}",
    )
