"""The segment: one version of a digest list as one immutable object.

    0        64                        64 + 16 n                        end
    | header | n records of 16 bytes    | directory: 2^b + 1 u32          |
    |        | sorted, distinct         | records before each bucket, n   |

All numbers are little-endian; records compare as bytes. A record's bucket is its first b bits, so
directory entries i and i + 1 bound bucket i, and one ranged GET reads it. b is the smallest number
that gives at most 1,024 records (16 KB) a bucket on average: digests are uniform, so buckets are
about equal, and the builder stores none of more than 2,048.

Refuses (`SegmentError`) anything else. `building` writes segments, `reader` looks digests up in
them.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.addresses import Algorithm

MAGIC = b"TDMLIST1"
RECORD_WIDTH = 16
NORMALISATION = 1  # the recipe of domain/addresses.py
HEADER = struct.Struct("<8sBBBBIQQQ16sQ")
HEADER_SIZE = HEADER.size  # 64
KEY_ID_SIZE = 16
MAX_BITS = 24  # a directory of 64 MB: beyond 10^10 records, and more than u32 can count
BUCKET_RECORDS = 1024  # on average, at most
MAX_IN_BUCKET = 2 * BUCKET_RECORDS  # 32 KB: a look-up reads no more

_ALGORITHM_IDS: dict[Algorithm, int] = {"sha256": 1, "hmac_sha256": 2}
_ALGORITHMS = {number: name for name, number in _ALGORITHM_IDS.items()}
_ENTRY = 4  # bytes of a directory entry


class SegmentError(Exception):
    """The segment cannot be used. This must never be treated as "not on the list"."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """The contents of the first 64 bytes. Offsets and sizes in bytes, `count` in records."""

    directory_bits: int
    algorithm: Algorithm
    directory_crc: int
    count: int
    key_id: str
    generation: int

    @property
    def directory_offset(self) -> int:
        return directory_extent(self.count)[0]

    def pack(self) -> bytes:
        """Raises ValueError on a key id that is empty, contains NUL or exceeds 16 bytes."""
        if not 0 < len(self.key_id.encode()) <= KEY_ID_SIZE or "\0" in self.key_id:
            raise ValueError("a key id has 1 to 16 bytes, none of them NUL")
        return HEADER.pack(
            MAGIC,
            RECORD_WIDTH,
            self.directory_bits,
            _ALGORITHM_IDS[self.algorithm],
            NORMALISATION,
            self.directory_crc,
            self.count,
            HEADER_SIZE,
            self.directory_offset,
            self.key_id.encode(),  # struct pads with NUL
            self.generation,
        )

    @classmethod
    def parse(cls, content: bytes) -> "SegmentHeader":
        """Raises SegmentError on anything that `pack` does not write."""
        if len(content) != HEADER_SIZE:
            raise SegmentError("short header")
        (
            magic,
            width,
            bits,
            algorithm,
            normalisation,
            crc,
            count,
            record_offset,
            directory_offset,
            key_id,
            generation,
        ) = HEADER.unpack(content)
        if magic != MAGIC:
            raise SegmentError("bad magic")
        if (width, normalisation) != (RECORD_WIDTH, NORMALISATION):
            raise SegmentError("unknown record width or normalisation")
        if algorithm not in _ALGORITHMS:
            raise SegmentError("unknown algorithm")
        if bits != directory_bits(count):
            raise SegmentError("the directory's size disagrees with the count")
        header = cls(bits, _ALGORITHMS[algorithm], crc, count, _key_id(key_id), generation)
        if (record_offset, directory_offset) != (HEADER_SIZE, header.directory_offset):
            raise SegmentError("offsets disagree with the count")
        return header


def directory_bits(count: int) -> int:
    """b for a list of `count` records."""
    return min(MAX_BITS, max(0, (count - 1) // BUCKET_RECORDS).bit_length())


def directory_extent(count: int) -> tuple[int, int]:
    """Where the directory of a list of `count` records begins and ends, in bytes."""
    start = HEADER_SIZE + count * RECORD_WIDTH
    return start, start + ((1 << directory_bits(count)) + 1) * _ENTRY


def bucket_of(record: bytes, bits: int) -> int:
    """The bucket a record belongs to: its first `bits` bits."""
    return int.from_bytes(record[:4], "big") >> (32 - bits)


def parse_directory(content: bytes, count: int, crc: int) -> Sequence[int]:
    """The 2^b + 1 cumulative counts of `count` records. Raises SegmentError unless the
    CRC-32 matches.
    """
    start, end = directory_extent(count)
    if len(content) != end - start:
        raise SegmentError("short directory")
    if zlib.crc32(content) != crc:
        raise SegmentError("the directory's CRC is wrong")
    entries = _little_endian(array("I", content))
    if entries[0] != 0 or entries[-1] != count:
        raise SegmentError("the directory disagrees with the count")
    return entries


def _little_endian(entries: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


def _key_id(padded: bytes) -> str:
    try:
        return padded.rstrip(b"\0").decode()
    except UnicodeDecodeError as error:
        raise SegmentError("bad key id") from error
