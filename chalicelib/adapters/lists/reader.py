"""Looking digests up in a segment with ranged GETs and the standard library.

    cold   header (64 bytes) → directory → bucket      3 GETs
    warm   bucket (8 to 16 KB on average)              1 GET

Both digests of an address are looked up in one pass: one bucket GET when they are equal or share a
bucket. When they differ they mostly do not (a digest's bucket is random), and each bucket is
one GET. Header and directory are kept per object key and ETag, and an object never changes, so they
are never stale; the pointer that names the object is somebody else's, with its own cache.

Refuses to guess: any doubt is a `SegmentError`, and "absent" is said only of a bucket read whole.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.adapters.lists.segment import (
    HEADER_SIZE,
    RECORD_WIDTH,
    SegmentError,
    SegmentHeader,
    bucket_of,
    parse_directory,
)

# (key, start, end, etag) → bytes [start, end) of the object that has this ETag (If-Match).
Fetch = Callable[[str, int, int, str], bytes]

KEPT_DIRECTORIES = 4  # two lists, and their successors while a swap is under way


class SegmentGoneError(SegmentError):
    """The object has another ETag or is gone: read the pointer again. For `fetch` to raise."""


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment as its pointer names it. `key_id` is what the digests looked up are made with."""

    key: str
    etag: str
    key_id: str


class SegmentReader:
    """Looks records up in segments; share one per process, it is safe between threads."""

    def __init__(self, fetch: Fetch, kept: int = KEPT_DIRECTORIES) -> None:
        self._fetch = fetch
        self._opened = lru_cache(maxsize=kept)(self._open)  # keeps values, never errors

    def header(self, ref: SegmentRef) -> SegmentHeader:
        """Raises SegmentError."""
        return self._checked(ref)[0]

    def find(self, ref: SegmentRef, records: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the 16-byte records that are on the list; a GET for each bucket they are in.

        Raises SegmentError, SegmentGoneError when the object is no longer the one referred to,
        and ValueError on a record of another length.
        """
        header, directory = self._checked(ref)
        buckets: dict[int, set[bytes]] = {}
        for record in records:
            if len(record) != RECORD_WIDTH:
                raise ValueError(f"a record is {RECORD_WIDTH} bytes")
            buckets.setdefault(bucket_of(record, header.directory_bits), set()).add(record)
        return frozenset(
            record
            for bucket, wanted in buckets.items()
            for record in _found(self._bucket(ref, header, directory, bucket), wanted)
        )

    def _checked(self, ref: SegmentRef) -> tuple[SegmentHeader, Sequence[int]]:
        header, directory = self._opened(ref.key, ref.etag)
        if header.key_id != ref.key_id:  # digests of another key would all be "absent"
            raise SegmentError("the segment was made with another key")
        return header, directory

    def _open(self, key: str, etag: str) -> tuple[SegmentHeader, Sequence[int]]:
        header = SegmentHeader.parse(self._get(key, 0, HEADER_SIZE, etag))
        start = header.directory_offset
        directory = self._get(key, start, start + header.directory_size, etag)
        return header, parse_directory(directory, header)

    def _bucket(
        self, ref: SegmentRef, header: SegmentHeader, directory: Sequence[int], bucket: int
    ) -> bytes:
        """The records of one bucket, end to end. An empty one needs no GET."""
        first, last = directory[bucket], directory[bucket + 1]
        if first == last:
            return b""
        if first > last:
            raise SegmentError("the directory goes backwards")
        start, end = (HEADER_SIZE + n * RECORD_WIDTH for n in (first, last))
        content = self._get(ref.key, start, end, ref.etag)
        for record in (content[:RECORD_WIDTH], content[-RECORD_WIDTH:]):
            if bucket_of(record, header.directory_bits) != bucket:
                raise SegmentError("a bucket holds another bucket's records")
        return content

    def _get(self, key: str, start: int, end: int, etag: str) -> bytes:
        try:
            content = self._fetch(key, start, end, etag)
        except SegmentError:
            raise
        except Exception as error:  # whatever the transport raises, it is "unknown" to our caller
            raise SegmentError("the segment could not be read") from error
        if len(content) != end - start:
            raise SegmentError("a short or long read")
        return content


def _found(bucket: bytes, wanted: Iterable[bytes]) -> Iterable[bytes]:
    count = len(bucket) // RECORD_WIDTH

    def record_at(index: int) -> bytes:
        return bucket[index * RECORD_WIDTH : (index + 1) * RECORD_WIDTH]

    for record in wanted:
        index = bisect_left(range(count), record, key=record_at)
        if index < count and record_at(index) == record:
            yield record
