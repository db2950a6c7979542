"""A list as it was dropped, and its position among all drops of that list.

Owns the two instants that all decisions compare: when a file was dropped (`position`) and when
its content was true (`as_of`). What a drop does is planned in plan.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.files.manifest import Manifest
from chalicelib.domain.lists.model import HeldList, ListMode

_SEQUENCER_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class ListFile:
    """A list as dropped: `path` under `in/{campaign}/`, `file_version` is S3's version id."""

    campaign: str
    name: ListName
    mode: ListMode
    path: str
    dropped_at: datetime
    sequencer: str
    file_version: str | None


@dataclass(frozen=True, kw_only=True)
class ReadListFile(ListFile):
    """A dropped list, read to its end. `rows` counts lines, duplicates included; its digests are
    made with `key_id` and `algorithm`.
    """

    rows: int
    sha256: str
    manifest: Manifest | None
    key_id: str
    algorithm: Algorithm

    @property
    def as_of(self) -> datetime:
        """The instant its content describes."""
        return as_of(self.manifest, self.dropped_at)

    @property
    def position(self) -> str:
        """Its position among all drops of its list."""
        return drop_position(self.dropped_at, self.sequencer, self.sha256)

    @property
    def base_sha256(self) -> str | None:
        """The full list that a delta is based on, where its manifest names one."""
        return self.manifest.base_sha256 if self.manifest else None

    @property
    def area(self) -> str:
        """The scope in which the same content is applied once. The key is part of it: under another
        key the digests mean other people.
        """
        return f"{self.name}-{self.mode}-{self.key_id}"


def drop_position(dropped_at: datetime, sequencer: str, sha256: str) -> str:
    """The position of a drop among all drops of a list: sorts in the order of the drops.

    S3's time of the drop, then its sequencer (hex of varying length, compared from the left, only
    comparable within one key), then the content: independent of the order of S3's events.
    """
    moment = dropped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{moment}.{sequencer.lower().ljust(_SEQUENCER_DIGITS, '0')}.{sha256[:16]}"


def position_of_held(held: HeldList) -> str:
    """The position of a held list's drop."""
    return drop_position(held.dropped_at, held.sequencer, held.sha256)


def as_of(manifest: Manifest | None, dropped_at: datetime) -> datetime:
    """The instant a list describes: what its manifest says, but never later than its drop.

    An old list dropped late keeps its age; a date in the future does not make a list younger.
    """
    return min(manifest.generated_at, dropped_at) if manifest else dropped_at
