"""What is kept of the client's lists: versions, the one in force, deltas, and what is held.

Entities like those in model.py, with which drops came together as which list; how they settle is
decided in lists.py, where their segments lie is adapters/lists' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.entity import Entity

ListMode = Literal["full", "add", "remove"]


@dataclass(frozen=True, kw_only=True)
class FileRecord(Entity):
    """A file already taken in, by what is in it: a second delivery has no second effect (law 7).

    `order` is that of its earliest drop, `as_of` the instant it spoke of when it last counted.
    """

    campaign: str
    area: str
    sha256: str
    file: str
    taken_at: datetime
    version: int
    order: str
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class FullList:
    """The full drop beneath a list, as its segment alone holds it; `order` as `domain.lists` has
    it.
    """

    order: str
    sha256: str
    key_id: str
    segment: str
    etag: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ListVersion(Entity):
    """One accepted version of a digest list, where its segment lies and what it was made of.

    `rows` and `directory_crc` (CRC-32) say where the segment's directory is and what it must be;
    None for a list of 0.1.0, whose segment alone has it.
    `accepted_at` is the instant its content speaks of. `mode` says what made it: a drop (`full`,
    `add`, `remove`) or a `rollback`; `base_version` which version that was laid over or went back
    to; `last_position` is the order of the last drop in it; `full` the full list beneath.
    """

    campaign: str
    name: str
    version: int
    rows: int
    segment: str
    etag: str
    directory_crc: int | None = None
    key_id: str
    algorithm: str
    accepted_at: datetime
    source_sha256: str
    mode: str
    base_version: int | None = None
    last_position: Annotated[str, Field(alias="last_order")]
    full: FullList


@dataclass(frozen=True, kw_only=True)
class CurrentList(ListVersion):
    """The pointer to the list version that decides now."""


@dataclass(frozen=True, kw_only=True)
class ListDelta(Entity):
    """An accepted drop of digests to add to a list or to remove from it, as a segment of its own.

    `base_sha256` is the full list's file that it was made against, where its manifest names one;
    `dated` says that a manifest told when it was made: then it is meant, though its content came
    before.
    """

    campaign: str
    name: str
    order: str
    mode: str
    sha256: str
    key_id: str
    segment: str
    etag: str
    rows: int
    as_of: datetime
    dated: bool = False
    base_sha256: str | None = None
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class HeldList(Entity):
    """A dropped list that a limit stopped, until ops have said what it is: `released` or
    `refused`, by whom. The file itself stays where it was dropped.
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
    """How many drops of a list had a say in it: whoever adds one meets whoever else does."""

    campaign: str
    name: str
    taken: int
