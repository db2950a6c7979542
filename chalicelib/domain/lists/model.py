"""What is stored of the client's lists: versions, the current one, deltas, and held lists.

Owns the stored shapes alone: which drops make a list is decided in plan.py, whether one may be
trusted in rules.py; segments are written and read by adapters/lists. Fields that were stored under
another name keep it by an alias, so that items of every version are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.campaign.lists import ALGORITHM_IN_FILES, ALGORITHM_OF_FILES
from chalicelib.domain.entity import Entity

ListMode = Literal["full", "add", "remove"]

# Where a drop stands among all drops of its list, as `drops.drop_position` writes it.
Position = Annotated[str, Field(alias="order")]
LastPosition = Annotated[str, Field(alias="last_order")]
# Stored as the campaign's file spells it.
StoredAlgorithm = Annotated[
    Algorithm,
    BeforeValidator(lambda stored: ALGORITHM_OF_FILES.get(stored, stored)),
    PlainSerializer(ALGORITHM_IN_FILES.__getitem__),
]


@dataclass(frozen=True, kw_only=True)
class FileRecord(Entity):
    """A file that was applied, by its content: a second delivery has no second effect (law 7).

    `position` is that of its earliest drop, `as_of` the instant it described when it last counted.
    """

    campaign: str
    area: str
    sha256: str
    file: str
    taken_at: datetime
    version: int
    position: Position
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class FullList:
    """The full drop that a list is based on, as a segment of its own, without any delta."""

    position: Position
    sha256: str
    key_id: str
    segment: str
    etag: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ListVersion(Entity):
    """One accepted version of a digest list, where its segment is and what it was made of.

    `rows` and `directory_crc` (CRC-32) say where the segment's directory is and what it must be;
    None for a list of 0.1.0, whose segment alone has it.
    `accepted_at` is the instant its content describes. `mode` says what made it: a drop (`full`,
    `add`, `remove`) or a `rollback`; `base_version` the version that a delta was applied to or a
    rollback went back to; `last_position` is that of the last drop in it; `full` the full list
    that its deltas were applied to.
    """

    campaign: str
    name: str
    version: int
    rows: int
    segment: str
    etag: str
    directory_crc: int | None = None
    key_id: str
    algorithm: StoredAlgorithm
    accepted_at: datetime
    source_sha256: str
    mode: str
    base_version: int | None = None
    last_position: LastPosition
    full: FullList


@dataclass(frozen=True, kw_only=True)
class CurrentList(ListVersion):
    """The pointer to the list version that decides now."""


@dataclass(frozen=True, kw_only=True)
class ListDelta(Entity):
    """An accepted drop of digests to add to a list or to remove from it, as a segment of its own.

    `base_sha256` is the full list's file that it was made against, where its manifest names one;
    `dated` says that a manifest dates it: it is intended, even if its content was dropped before.
    """

    campaign: str
    name: str
    position: Position
    mode: ListMode
    sha256: str
    key_id: str
    segment: str
    etag: str
    rows: int
    as_of: datetime
    dated: bool = False
    base_sha256: str | None = None
    ends_at: datetime


# What ops decided on a held list, as it is stored and shown.
APPROVED = "released"
REJECTED = "refused"


@dataclass(frozen=True, kw_only=True)
class HeldList(Entity):
    """A dropped list that a limit stopped, until ops decide on it: `decision` is APPROVED or
    REJECTED, and `decided_by` names who decided. The file itself stays where it was dropped.
    """

    campaign: str
    name: str
    mode: str
    sha256: str
    path: str
    dropped_at: datetime
    sequencer: str
    file_version: str | None = None
    reason: str
    detail: str
    rows: int
    held_at: datetime
    ends_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ListDrops(Entity):
    """A counter that every drop of a list increments, so that of two drops handled at once one
    conflicts and is retried.
    """

    campaign: str
    name: str
    taken: int
