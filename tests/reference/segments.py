"""The plain builder of segments, in memory with sets: it fixes the bytes of every other one."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from sys import byteorder

from chalicelib.adapters.lists.segment import (
    MAX_IN_BUCKET,
    RECORD_WIDTH,
    SegmentHeader,
    bucket_of,
    directory_bits,
)
from chalicelib.domain.addresses import Algorithm
from chalicelib.domain.files.reading import FileRefusedError


@dataclass(frozen=True, slots=True)
class Segment:
    """A whole segment: `content` begins with `header.pack()`."""

    header: SegmentHeader
    content: bytes


def build(
    records: Iterable[bytes], *, algorithm: Algorithm, key_id: str, generation: int
) -> Segment:
    """The segment of 16-byte records in any order, duplicates allowed, none at all too.

    Raises FileRefusedError when a bucket would be too wide, ValueError on a record of another
    length or a key id that no header holds.
    """
    body = sorted(set(records))
    if any(len(record) != RECORD_WIDTH for record in body):
        raise ValueError(f"a record is {RECORD_WIDTH} bytes")
    bits = directory_bits(len(body))
    sizes = array("I", bytes(4 << bits))
    for record in body:
        sizes[bucket_of(record, bits)] += 1
    if max(sizes) > MAX_IN_BUCKET:
        raise FileRefusedError("uneven_digests")
    entries = array("I", accumulate(sizes, initial=0))
    if byteorder == "big":
        entries.byteswap()
    directory = entries.tobytes()
    header = SegmentHeader(bits, algorithm, zlib.crc32(directory), len(body), key_id, generation)
    return Segment(header, b"".join([header.pack(), *body, directory]))
