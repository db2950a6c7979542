"""Looking digests up in a segment with ranged GETs and the standard library.

    cold   directory → bucket (→ bucket)               2 or 3 GETs
    warm   bucket, 8 to 16 KB on average (→ bucket)    1 or 2 GETs, of 32 KB at most

Both digests of an address are looked up in one pass: with one bucket GET when they are equal or in
one bucket. Different digests are mostly in different buckets (a digest's bucket is random); the
second bucket is read only when the first had no match. No header is read: the caller's pointer
gives the number of records, and so the place of the directory, the directory's CRC-32, and the key.
(Pointers stored by 0.1.0 have no CRC-32: for those a cold look-up reads the header, one GET more.)
Directories are cached by key and ETag, and an object never changes, so they are never stale.

Does not guess: any doubt is a `SegmentError`, and "absent" is only returned after reading the whole
bucket.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chalicelib.adapters.lists.segment import (
    HEADER_SIZE,
    MAX_IN_BUCKET,
    RECORD_WIDTH,
    SegmentError,
    SegmentHeader,
    bucket_of,
    directory_bits,
    directory_extent,
    parse_directory,
)

# (key, start, end, etag) → bytes [start, end) of the object that has this ETag (If-Match).
Fetch = Callable[[str, int, int, str], bytes]

CACHED_DIRECTORIES = 4  # two lists, and their successors during a swap


class SegmentGoneError(SegmentError):
    """The object has another ETag or is gone: read the pointer again. Raised by `fetch`."""


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment as its pointer names it: `rows` records made with `key_id`, a directory of that
    CRC-32. Pointers of 0.1.0 have none (None): the segment's header is read for it.
    """

    key: str
    etag: str
    rows: int
    directory_crc: int | None
    key_id: str


class SegmentReader:
    """Looks records up in segments; one per process, safe for threads."""

    def __init__(self, fetch: Fetch, kept: int = CACHED_DIRECTORIES) -> None:
        self._fetch = fetch
        self._opened = lru_cache(maxsize=kept)(self._open)  # caches values, never errors

    def find(self, ref: SegmentRef, records: Sequence[bytes]) -> bytes | None:
        """The first of the 16-byte records that is on the list; None when none is.

        Raises SegmentError, SegmentGoneError when the object is no longer the one referred to,
        and ValueError on a record of another length.
        """
        for record in records:
            if len(record) != RECORD_WIDTH:
                raise ValueError(f"a record is {RECORD_WIDTH} bytes")
        directory, bits = self._opened(ref)
        at, content = -1, b""
        for record in records:
            bucket = bucket_of(record, bits)
            if bucket != at:
                at, content = bucket, self._bucket(ref, directory, bits, bucket)
            if _holds(content, record):
                return record
        return None

    def _open(self, ref: SegmentRef) -> tuple[Sequence[int], int]:
        crc = self._crc_in_header(ref) if ref.directory_crc is None else ref.directory_crc
        start, end = directory_extent(ref.rows)
        directory = parse_directory(self._get(ref.key, start, end, ref.etag), ref.rows, crc)
        return directory, directory_bits(ref.rows)

    def _crc_in_header(self, ref: SegmentRef) -> int:
        header = SegmentHeader.parse(self._get(ref.key, 0, HEADER_SIZE, ref.etag))
        if (header.count, header.key_id) != (ref.rows, ref.key_id):
            raise SegmentError("the header disagrees with the pointer")
        return header.directory_crc

    def _bucket(self, ref: SegmentRef, directory: Sequence[int], bits: int, bucket: int) -> bytes:
        """The records of one bucket, end to end. An empty one needs no GET."""
        first, last = directory[bucket], directory[bucket + 1]
        if first == last:
            return b""
        if first > last:
            raise SegmentError("the directory is not ascending")
        if last - first > MAX_IN_BUCKET:
            raise SegmentError("a bucket is larger than allowed")
        start, end = HEADER_SIZE + first * RECORD_WIDTH, HEADER_SIZE + last * RECORD_WIDTH
        content = self._get(ref.key, start, end, ref.etag)
        if bucket_of(content, bits) != bucket or bucket_of(content[-RECORD_WIDTH:], bits) != bucket:
            raise SegmentError("a bucket contains another bucket's records")
        return content

    def _get(self, key: str, start: int, end: int, etag: str) -> bytes:
        try:
            content = self._fetch(key, start, end, etag)
        except SegmentError:
            raise
        except Exception as error:  # any error of the transport means "unknown" to the caller
            raise SegmentError("the segment could not be read") from error
        if len(content) != end - start:
            raise SegmentError("a short or long read")
        return content


def _holds(bucket: bytes, record: bytes) -> bool:
    """A binary search; `bisect` with a key takes 1.5 times as long."""
    low, high = 0, len(bucket) // RECORD_WIDTH
    while low < high:
        middle = (low + high) // 2
        at = middle * RECORD_WIDTH
        if bucket[at : at + RECORD_WIDTH] < record:
            low = middle + 1
        else:
            high = middle
    at = low * RECORD_WIDTH
    return bucket[at : at + RECORD_WIDTH] == record
