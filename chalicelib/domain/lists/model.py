"""What is stored of the client's lists: versions, the current one, deltas, and held lists.

Owns only the stored shapes: which drops make up a list is decided in plan.py, whether one may be
trusted in rules.py; segments are written and read by adapters/lists. Fields that used to have
another name keep it as their alias, so that items of every version stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer

from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.campaign.lists import ALGORITHM_IN_FILES, ALGORITHM_OF_FILES
from chalicelib.domain.entity import Entity, stored_as

ListMode = Literal["full", "add", "remove"]

# The position of a drop among all drops of its list, as `drops.drop_position` makes it.
Position = Annotated[str, stored_as("order")]
LastPosition = Annotated[str, stored_as("last_order")]
# Stored in the spelling of the campaign file.
StoredAlgorithm = Annotated[
    Algorithm,
    BeforeValidator(lambda stored: ALGORITHM_OF_FILES.get(stored, stored)),
    PlainSerializer(ALGORITHM_IN_FILES.__getitem__),
]


@dataclass(frozen=True, kw_only=True)
class FileRecord(Entity):
    """A processed file, by its content: a second delivery has no second effect (law 7).

    `position` is that of its earliest drop, `as_of` the instant it described when it was last
    applied.
    """

    campaign: str
    area: str
    sha256: str
    file: str
    processed_at: Annotated[datetime, stored_as("taken_at")]
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
    """One accepted version of a digest list, with its segment and its sources.

    `rows` gives the place of the segment's directory, `directory_crc` its CRC-32 (None for a list
    of 0.1.0: only the segment's header has it). `accepted_at` is the instant the content
    describes. `mode` is what made the version: a drop (`full`, `add`, `remove`) or a `rollback`;
    `base_version` is the version that a delta was applied to or a rollback restored;
    `last_position` is that of the last drop in it; `full` is the full list that its deltas were
    applied to. `ends_at`: noted once it has been replaced (domain/lists/ends.py).
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
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CurrentList(ListVersion):
    """The pointer to the list version in force."""


@dataclass(frozen=True, kw_only=True)
class ListDelta(Entity):
    """An accepted drop of digests to add to a list or to remove from it, as a segment of its own.

    `base_sha256` is the full list it is based on, where its manifest names one; `dated`: a manifest
    dates it, so it is intended, even if its content was dropped before.
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


# What ops decided about a held list, as stored and shown.
APPROVED = "released"
REJECTED = "refused"


@dataclass(frozen=True, kw_only=True)
class HeldList(Entity):
    """A dropped list that exceeded a limit, until ops decide: `decision` is APPROVED or REJECTED,
    and `decided_by` is who decided. The file itself stays where it was dropped.
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
    count: Annotated[int, stored_as("taken")]
