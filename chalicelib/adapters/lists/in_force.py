"""The lists in force: the pointer in the table, the segment in the bucket (`ports.Lists`).

The pointer is read anew for each look-up, so a list decides from the moment its receipt is there;
the segment's directory is remembered. Whatever goes wrong is `ListUnavailableError`, "unknown":
`no_list` and `too_old` until a good list is dropped, `read_failed` for what a later attempt may
mend. Never "not on the list" (law 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, cast

from chalicelib.adapters.lists.reader import SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import Algorithm, SegmentError, build
from chalicelib.domain import lists
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.files.digests import record
from chalicelib.domain.model import ListInForce, ListVersion
from chalicelib.services.ports import (
    Clock,
    ListUnavailableError,
    Membership,
    Repository,
)


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

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        """Whether the list knows the address, by either of its digests, in one pass."""
        pointer = self._pointer(name, campaign)
        known = lists.ListInForce(pointer.version, pointer.rows, pointer.accepted_at)
        if not lists.in_force(known, self._clock(), timedelta(days=max_age_days)):
            raise ListUnavailableError("too_old")
        return self._look_up(pointer, digests)

    def find_as_of(
        self, name: str, campaign: str, at: datetime, digests: AddressDigests
    ) -> Membership:
        """What the list in force at `at` said; versions and their segments are kept for this."""
        pointer: ListVersion = self._pointer(name, campaign)
        if pointer.accepted_at > at:
            versions = list(self._repository.within(ListVersion, campaign=campaign, name=name))
            before = [version for version in versions if version.accepted_at <= at]
            pointer = before[-1] if before else versions[0]
        return self._look_up(pointer, digests)

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

    def _look_up(self, pointer: ListVersion, digests: AddressDigests) -> Membership:
        try:
            pair = digests.under(pointer.key_id)
        except KeyError as error:
            # Made with a key that is not in force any more: nobody would be found on it.
            raise ListUnavailableError("key_not_in_force") from error
        exact, alias = record(pair.exact), record(pair.canonical)
        try:
            found = self._reader.find(_ref(pointer), (exact, alias))
        except SegmentError as error:
            raise ListUnavailableError("read_failed") from error
        form = "exact" if exact in found else "alias" if alias in found else None
        return Membership(version=pointer.version, found=form)

    def _pointer(self, name: str, campaign: str) -> ListInForce:
        pointer = self._repository.get(ListInForce, campaign=campaign, name=name)
        if pointer is None:
            raise ListUnavailableError("no_list")
        return pointer


def _algorithm(pointer: ListVersion) -> Algorithm:
    return cast(Algorithm, pointer.algorithm.replace("-", "_"))


def _ref(pointer: ListVersion) -> SegmentRef:
    return SegmentRef(pointer.segment, pointer.etag, pointer.key_id)
