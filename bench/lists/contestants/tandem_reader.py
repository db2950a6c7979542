"""The reader of segments, as the functions run it, with all its checks.

    … tandem_reader memory SEGMENT SAMPLE    each bucket is in memory: the reader's own work alone
    … tandem_reader file SEGMENT SAMPLE      each bucket is read from a local file
    … tandem_reader requests SEGMENT SAMPLE  counts GETs and bytes, cold and warm
    … tandem_reader records SEGMENT OUT      writes the records alone, for the other contestants

In the functions a fetch is a ranged GET. A cold look-up is the first one of its reader.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from bench.lists.contestants.timing import measure
from bench.lists.inputs import RECORD, read_sample
from chalicelib.adapters.lists.reader import Fetch, SegmentReader, SegmentRef
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentHeader

COLD = 500  # look-ups, each with a new reader


class SegmentFile:
    """A segment to fetch ranges from; `gets` and `got_bytes` count what was fetched."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self.gets = 0
        self.got_bytes = 0
        self.header = SegmentHeader.parse(os.pread(self._file, HEADER_SIZE, 0))
        header = self.header
        self.ref = SegmentRef(path, "unchanged", header.count, header.directory_crc, header.key_id)

    def fetch(self, _key: str, start: int, end: int, _etag: str) -> bytes:
        """Bytes [start, end)."""
        self.gets += 1
        self.got_bytes += end - start
        return os.pread(self._file, end - start, start)


def from_memory(segment: str, sample: str) -> None:
    """Measure with all buckets of the sample fetched before."""
    file = SegmentFile(segment)
    fetched: dict[int, bytes] = {}

    def fetch(key: str, start: int, end: int, etag: str) -> bytes:
        if start not in fetched:
            fetched[start] = file.fetch(key, start, end, etag)
        return fetched[start]

    _measure(file, fetch, sample)


def from_file(segment: str, sample: str) -> None:
    """Measure with a read for each bucket."""
    file = SegmentFile(segment)
    _measure(file, file.fetch, sample)


def requests(segment: str, sample: str) -> None:
    """Print how many GETs and bytes a look-up takes, at most and in the mean."""
    file = SegmentFile(segment)
    hits, misses = read_sample(Path(sample))
    some = (hits + misses)[:: (len(hits) + len(misses)) // COLD]
    cold = [_requested(file, SegmentReader(file.fetch), record) for record in some]
    reader = SegmentReader(file.fetch)
    reader.find(file.ref, hits[:1])  # loads the directory, which a warm reader has
    warm = [_requested(file, reader, record) for record in hits + misses]
    print(json.dumps(_summary("cold", cold) | _summary("warm", warm)))


def records(segment: str, out: str) -> None:
    """Copy the records, end to end."""
    with Path(segment).open("rb") as content, Path(out).open("wb") as copy:
        left = SegmentHeader.parse(content.read(HEADER_SIZE)).count * RECORD
        while piece := content.read(min(left, 1 << 20)):
            left -= len(piece)
            copy.write(piece)


def _measure(file: SegmentFile, fetch: Fetch, sample: str) -> None:
    find, ref = SegmentReader(fetch).find, file.ref

    def contains(record: bytes) -> bool:
        return find(ref, (record,)) is not None

    measure(contains, sample)


def _requested(file: SegmentFile, reader: SegmentReader, record: bytes) -> tuple[int, int]:
    gets, got_bytes = file.gets, file.got_bytes
    reader.find(file.ref, (record,))
    return file.gets - gets, file.got_bytes - got_bytes


def _summary(state: str, requested: list[tuple[int, int]]) -> dict[str, float]:
    gets, sizes = zip(*requested, strict=True)
    return {
        f"{state}_lookups": len(requested),
        f"{state}_gets_most": max(gets),
        f"{state}_gets_mean": sum(gets) / len(requested),
        f"{state}_bytes_most": max(sizes),
        f"{state}_bytes_mean": sum(sizes) / len(requested),
    }


_COMMANDS = {"memory": from_memory, "file": from_file, "requests": requests, "records": records}

if __name__ == "__main__":
    _COMMANDS[sys.argv[1]](*sys.argv[2:])
