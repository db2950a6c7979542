"""The interfaces to the client's digest lists, as those of `ports.py`: looking up, and building."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the list builder needs these ports without the models of a campaign
    from chalicelib.domain.addresses import AddressDigests, Algorithm
    from chalicelib.domain.files.reading import Tally
    from chalicelib.domain.lists.model import ListMode

READ_FAILED = "read_failed"
# The list of that moment was replaced more than 30 days ago, and a later one says nothing of it.
NO_LONGER_KEPT = "no_longer_kept"


class ListUnavailableError(Exception):
    """No trustworthy answer from a list: it means "unknown", never "not on it" (law 3)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def is_transient(self) -> bool:
        """Whether a later attempt may succeed with the same list."""
        return self.reason == READ_FAILED


@dataclass(frozen=True)
class Membership:
    """A list's answer on one address. `found` is the form that matched, None when neither did."""

    version: int
    found: str | None


class Lists(Protocol):
    """The client's digest lists."""

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        """Whether the list knows the address (`exact` or `alias`). `ListUnavailableError` on any
        doubt.
        """

    def find_as_of(
        self, name: str, campaign: str, at: datetime, digests: AddressDigests
    ) -> Membership:
        """Whether the list in force at `at` had the address; before the first list, that one is
        used. Where the list of that moment is no longer kept, the oldest one that is tells only who
        was not on it: for anybody else `NO_LONGER_KEPT`.

        `ListUnavailableError` on any doubt.
        """


@dataclass(frozen=True)
class NewSegment:
    """A segment to be built: its path and what its header contains."""

    path: str
    algorithm: Algorithm
    key_id: str
    generation: int


@dataclass(frozen=True)
class StoredSegment:
    """A segment stored at `path` with that ETag; `rows` counts its distinct digests.

    `directory_crc` is the CRC-32 that look-ups check; it is not needed to build on the segment.
    """

    path: str
    etag: str
    rows: int
    directory_crc: int = 0


class GatheredDigests(Protocol):
    """The digests of one dropped list, read to its end and kept until the context ends."""


@dataclass(frozen=True)
class Layer:
    """Digests to apply to the result of the layers before: `full` replaces it, `add`, `remove`."""

    mode: ListMode
    digests: GatheredDigests | StoredSegment


@dataclass(frozen=True)
class Sums:
    """What a segment would hold: distinct digests, and how many canaries would be missing."""

    rows: int
    canaries_missing: int


class ListBuilder(Protocol):
    """Builds segments from dropped lists and stored segments of any size."""

    def gather(
        self, plain: Iterable[bytes], tally: Tally
    ) -> AbstractContextManager[GatheredDigests]:
        """Read the decompressed bytes of a list to their end; `tally` then has the counts.

        `FileRefusedError` when the whole list is refused.
        """

    def build(
        self,
        new: NewSegment,
        layers: Sequence[Layer],
        *,
        canaries: Collection[bytes] = (),
        judge: Callable[[Sums], None] = lambda _: None,
    ) -> StoredSegment:
        """Apply `layers` to one another (the first is `full`) and store the result.

        `judge` is called with the sums before anything is stored; if it raises, nothing is.
        `ListUnavailableError` when a stored segment cannot be read.
        """
