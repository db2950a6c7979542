"""The lists in force: the pointer in the table, the segment in the bucket (`ports.Lists`).

The pointer is remembered for a minute; when the segment it names is gone, it is read again, once.
Whatever goes wrong is `ListUnavailableError`, "unknown": `no_list` and `too_old` until a good list
is dropped, `read_failed` for what a later attempt may mend. Never "not on the list" (law 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, cast

from chalicelib.adapters.lists.reader import SegmentGoneError, SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import Algorithm, SegmentError, build
from chalicelib.domain import lists
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.files.digests import record
from chalicelib.domain.model import ListInForce
from chalicelib.services.ports import (
    Clock,
    ListUnavailableError,
    Membership,
    Repository,
)

REMEMBERED_FOR = timedelta(seconds=60)


class Segments(Protocol):
    """Where segments are kept."""

    def put(self, key: str, content: bytes) -> str:
        """Store one; returns its ETag."""

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """A range of one, if it still is the one with that ETag."""


class ListsInForce:
    """`ports.Lists` over a repository of pointers and a store of segments."""

    def __init__(self, repository: Repository, segments: Segments, clock: Clock) -> None:
        self._repository = repository
        self._segments = segments
        self._clock = clock
        self._reader = SegmentReader(segments.fetch)
        self._pointers: dict[tuple[str, str], tuple[datetime, ListInForce]] = {}

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        """Whether the list knows the address, by either of its digests, in one pass."""
        pointer = self._pointer(name, campaign)
        self._require_fresh(pointer, max_age_days)
        try:
            return self._look_up(pointer, digests)
        except SegmentGoneError:
            pointer = self._pointer(name, campaign, anew=True)
        except SegmentError as error:
            raise ListUnavailableError("read_failed") from error
        try:
            return self._look_up(pointer, digests)
        except SegmentError as error:
            raise ListUnavailableError("read_failed") from error

    def store(self, pointer: ListInForce, records: Iterable[bytes]) -> ListInForce:
        """Build the segment of a version and store it; no reader knows of it until the pointer
        moves.
        """
        segment = build(
            records,
            algorithm=_algorithm(pointer),
            key_id=pointer.key_id,
            generation=pointer.version,
        )
        source = pointer.source_sha256[:12]
        key = f"lists/{pointer.campaign}/{pointer.name}/{pointer.version:08}-{source}.seg"
        etag = self._segments.put(key, segment.content)
        return replace(pointer, segment=key, etag=etag, rows=segment.header.count)

    def _look_up(self, pointer: ListInForce, digests: AddressDigests) -> Membership:
        try:
            pair = digests.under(pointer.key_id)
        except KeyError as error:
            # Made with a key that is not in force any more: nobody would be found on it.
            raise ListUnavailableError("key_not_in_force") from error
        exact, alias = record(pair.exact), record(pair.canonical)
        found = self._reader.find(_ref(pointer), (exact, alias))
        form = "exact" if exact in found else "alias" if alias in found else None
        return Membership(version=pointer.version, as_of=pointer.accepted_at, found=form)

    def _pointer(self, name: str, campaign: str, *, anew: bool = False) -> ListInForce:
        now = self._clock()
        read_at, pointer = self._pointers.get((name, campaign), (None, None))
        if pointer and read_at and now - read_at < REMEMBERED_FOR and not anew:
            return pointer
        pointer = self._repository.get(ListInForce, campaign=campaign, name=name)
        if pointer is None:
            raise ListUnavailableError("no_list")
        self._pointers[name, campaign] = (now, pointer)
        return pointer

    def _require_fresh(self, pointer: ListInForce, max_age_days: int) -> None:
        known = lists.ListInForce(pointer.version, pointer.rows, pointer.accepted_at)
        if not lists.in_force(known, self._clock(), timedelta(days=max_age_days)):
            raise ListUnavailableError("too_old")


def _algorithm(pointer: ListInForce) -> Algorithm:
    return cast(Algorithm, pointer.algorithm.replace("-", "_"))


def _ref(pointer: ListInForce) -> SegmentRef:
    return SegmentRef(pointer.segment, pointer.etag, pointer.key_id)
