"""The current lists: the pointer in the table, the segment in the bucket (`ports.Lists`).

The pointer is read for each look-up, so a list is used as soon as its receipt is written; the
segment's directory is cached. If the list is replaced between reading the pointer and the segment,
the look-up starts again with the new pointer. Any failure is `ListUnavailableError`, "unknown":
`no_list` and `too_old` until a good list is dropped, `read_failed` where a later attempt may
succeed. Never "not on the list" (law 3).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.adapters.lists.reader import SegmentGoneError, SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import SegmentError
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.files.digests import record
from chalicelib.domain.lists.ends import proves_membership, version_as_of
from chalicelib.domain.lists.model import CurrentList, ListVersion
from chalicelib.domain.lists.rules import is_fresh
from chalicelib.services.list_ports import NO_LONGER_KEPT, ListUnavailableError, Membership
from chalicelib.services.ports import Clock, Repository

ATTEMPTS = 3  # a look-up may meet one swap of the list, hardly ever two


class Segments(Protocol):
    """Where segments are kept."""

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """A range of a segment that still has that ETag; SegmentGoneError otherwise."""


class CurrentLists:
    """`ports.Lists` over a repository of pointers and a store of segments."""

    def __init__(self, repository: Repository, segments: Segments, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._reader = SegmentReader(segments.fetch)

    def find(
        self, name: str, campaign: str, max_age_days: int, digests: AddressDigests
    ) -> Membership:
        """Whether the list has the address, by either of its digests, in one pass."""

        def current() -> ListVersion:
            pointer = self._pointer(name, campaign)
            if not is_fresh(pointer, self._clock(), timedelta(days=max_age_days)):
                raise ListUnavailableError("too_old")
            return pointer

        return self._look_up(current, digests)

    def find_as_of(
        self, name: str, campaign: str, at: datetime, digests: AddressDigests
    ) -> Membership:
        """Whether the list as of `at` had the address; replaced versions are kept for this."""

        def as_of() -> ListVersion:
            pointer = self._pointer(name, campaign)
            if pointer.accepted_at <= at:
                return pointer
            versions = self._repository.within(ListVersion, campaign=campaign, name=name)
            return version_as_of(list(versions), at)

        return self._look_up(as_of, digests, at)

    def _look_up(
        self,
        version: Callable[[], ListVersion],
        digests: AddressDigests,
        at: datetime | None = None,
    ) -> Membership:
        """Look up in a version, which is read again when its segment has been replaced.

        pointer → 7 ······ GET 7 ✗ 412, 404        pointer → 8 ······ GET 8 ✓
                    swap 7 → 8, 7 deleted
        """
        for _ in range(ATTEMPTS):
            with suppress(SegmentGoneError):
                asked = version()
                found = self._look_up_in(asked, digests)
                if found.found and at and not proves_membership(asked, at):
                    raise ListUnavailableError(NO_LONGER_KEPT)
                return found
        raise ListUnavailableError("read_failed")

    def _look_up_in(self, pointer: ListVersion, digests: AddressDigests) -> Membership:
        try:
            pair = digests.under(pointer.key_id)
        except KeyError as error:
            # Made with a key that is no longer in force: nobody would be found on it.
            raise ListUnavailableError("key_not_in_force") from error
        # The same key id may have had another algorithm: nobody would be found either.
        if pair.algorithm != pointer.algorithm:
            raise ListUnavailableError("key_not_in_force")
        exact, alias = record(pair.exact), record(pair.canonical)
        ref = SegmentRef(
            key=pointer.segment,
            etag=pointer.etag,
            rows=pointer.rows,
            directory_crc=pointer.directory_crc,
            key_id=pointer.key_id,
        )
        try:
            found = self._reader.find(ref, (exact, alias))
        except SegmentGoneError:
            raise
        except SegmentError as error:
            raise ListUnavailableError("read_failed") from error
        form = None if found is None else "exact" if found == exact else "alias"
        return Membership(version=pointer.version, found=form)

    def _pointer(self, name: str, campaign: str) -> CurrentList:
        pointer = self._repository.get(CurrentList, campaign=campaign, name=name)
        if pointer is None:
            raise ListUnavailableError("no_list")
        return pointer
