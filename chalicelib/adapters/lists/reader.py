"""Looking digests up in a segment with ranged GETs and the standard library.

    cold   directory → bucket (→ bucket)               2 or 3 GETs
    warm   bucket, 8 to 16 KB on average (→ bucket)    1 or 2 GETs, of 32 KB at most

Both digests of an address are looked up in one pass: one bucket GET when they are equal or share a
bucket. When they differ they mostly do not (a digest's bucket is random), and the second bucket is
asked for only when the first has not told. No header is read: the pointer that names the object is
somebody else's, and it says how many records there are, and so where the directory is, which
CRC-32 the directory has, and which key was used. Directories are kept as long as the object has the
same key and ETag, and an object never changes, so they are never stale.

Refuses to guess: any doubt is a `SegmentError`, and "absent" is said only of a bucket read whole.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.adapters.lists.segment import (
    HEADER_SIZE,
    MOST_IN_BUCKET,
    RECORD_WIDTH,
    SegmentError,
    bucket_of,
    directory_bits,
    directory_extent,
    parse_directory,
)

# (key, start, end, etag) → bytes [start, end) of the object that has this ETag (If-Match).
Fetch = Callable[[str, int, int, str], bytes]

KEPT_DIRECTORIES = 4  # two lists, and their successors while a swap is under way


class SegmentGoneError(SegmentError):
    """The object has another ETag or is gone: read the pointer again. For `fetch` to raise."""


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment as its pointer names it: `rows` records, a directory of that CRC-32."""

    key: str
    etag: str
    rows: int
    directory_crc: int


class SegmentReader:
    """Looks records up in segments; share one per process, it is safe between threads."""

    def __init__(self, fetch: Fetch, kept: int = KEPT_DIRECTORIES) -> None:
        self._fetch = fetch
        self._opened = lru_cache(maxsize=kept)(self._open)  # keeps values, never errors

    def find(self, ref: SegmentRef, records: Sequence[bytes]) -> bytes | None:
        """The first of the 16-byte records that is on the list; None when no one is.

        Raises SegmentError, SegmentGoneError when the object is no longer the one referred to,
        and ValueError on a record of another length.
        """
        if any(len(record) != RECORD_WIDTH for record in records):
            raise ValueError(f"a record is {RECORD_WIDTH} bytes")
        directory = self._opened(ref.key, ref.etag, ref.rows, ref.directory_crc)
        bits = directory_bits(ref.rows)
        read: dict[int, bytes] = {}
        for record in records:
            bucket = bucket_of(record, bits)
            if bucket not in read:
                read[bucket] = self._bucket(ref, directory, bits, bucket)
            if _holds(read[bucket], record):
                return record
        return None

    def _open(self, key: str, etag: str, rows: int, crc: int) -> Sequence[int]:
        start, end = directory_extent(rows)
        return parse_directory(self._get(key, start, end, etag), rows, crc)

    def _bucket(self, ref: SegmentRef, directory: Sequence[int], bits: int, bucket: int) -> bytes:
        """The records of one bucket, end to end. An empty one needs no GET."""
        first, last = directory[bucket], directory[bucket + 1]
        if first == last:
            return b""
        if first > last:
            raise SegmentError("the directory goes backwards")
        if last - first > MOST_IN_BUCKET:
            raise SegmentError("a bucket is wider than a look-up reads")
        start, end = (HEADER_SIZE + n * RECORD_WIDTH for n in (first, last))
        content = self._get(ref.key, start, end, ref.etag)
        for record in (content[:RECORD_WIDTH], content[-RECORD_WIDTH:]):
            if bucket_of(record, bits) != bucket:
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


def _holds(bucket: bytes, record: bytes) -> bool:
    count = len(bucket) // RECORD_WIDTH

    def record_at(index: int) -> bytes:
        return bucket[index * RECORD_WIDTH : (index + 1) * RECORD_WIDTH]

    index = bisect_left(range(count), record, key=record_at)
    return index < count and record_at(index) == record
