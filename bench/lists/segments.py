"""Segments as local files: as the reader fetches them, and as the read parts of one.

A range is a `pread`; an ETag is the file's size and time, checked as `IfMatch` is. What the
builder needs of S3 is in `bucket`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bench.lists.making import RECORD
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.adapters.lists.segment import HEADER_SIZE, SegmentHeader
from chalicelib.domain.addresses import Algorithm

KEY_ID = "bench"
ALGORITHM: Algorithm = "hmac_sha256"
GENERATION = 1


class LocalSegments:
    """Segments under one folder; `gets` and `got_bytes` count what was fetched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, str], int] = {}
        self.gets = 0
        self.got_bytes = 0

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """Bytes [start, end); SegmentGoneError when the file is another one by now."""
        file = self._file(key, etag)
        self.gets += 1
        self.got_bytes += end - start
        return os.pread(file, end - start, start)

    def _file(self, key: str, etag: str) -> int:
        """Kept open, as a client keeps its connection."""
        if (key, etag) not in self._open:
            path = self._folder / key
            if etag_of(path) != etag:
                raise SegmentGoneError("another file")
            self._open[key, etag] = os.open(path, os.O_RDONLY)
        return self._open[key, etag]


def etag_of(segment: Path) -> str:
    """Of a file as it is now."""
    status = segment.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def header_of(segment: Path) -> SegmentHeader:
    """The header of a local segment."""
    with segment.open("rb") as content:
        return SegmentHeader.parse(content.read(HEADER_SIZE))


def records_of(segment: Path) -> bytes:
    """All records of a local segment, end to end, in memory."""
    with segment.open("rb") as content:
        size = SegmentHeader.parse(content.read(HEADER_SIZE)).count * RECORD
        return content.read(size)


def each_record(segment: Path) -> Iterator[bytes]:
    """The records of a local segment, one after another."""
    with segment.open("rb") as content:
        left = SegmentHeader.parse(content.read(HEADER_SIZE)).count * RECORD
        while piece := content.read(min(left, 1 << 20)):
            left -= len(piece)
            yield from (piece[at : at + RECORD] for at in range(0, len(piece), RECORD))
