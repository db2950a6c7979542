"""The store of segments as the builder uses it: read in order by ranges, written body first.

A stored segment is read from front to back and checked while reading: its records are copied into
the next segment, where damage could no longer be detected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

import numpy as np

from chalicelib.adapters.lists.building.ahead import ahead
from chalicelib.adapters.lists.building.sorting import (
    NO_RECORDS,
    RECORD,
    Records,
    joined,
    strictly_ascending,
)
from chalicelib.adapters.lists.building.spill import PARTS
from chalicelib.adapters.lists.segment import (
    HEADER_SIZE,
    RECORD_WIDTH,
    SegmentError,
    SegmentHeader,
)
from chalicelib.services.list_ports import StoredSegment


class Upload(Protocol):
    """An object being uploaded to the store. Without `finish` it has no effect."""

    def write(self, content: bytes | memoryview) -> None:
        """Append to the body, which follows the header."""

    def finish(self, header: bytes) -> str:
        """Put the header of 64 bytes before the body and make the object visible; returns its
        ETag.
        """


class Segments(Protocol):
    """Where segments are kept."""

    def fetch(self, key: str, start: int, end: int, etag: str) -> bytes:
        """A range of a segment that still has that ETag; SegmentGoneError otherwise."""

    def upload(self, key: str) -> AbstractContextManager[Upload]:
        """Start storing a segment. Without `finish`, nothing of it remains."""


def stored_header(segments: Segments, stored: StoredSegment) -> SegmentHeader:
    """Raises SegmentError, also when the segment is not what its pointer says."""
    header = SegmentHeader.parse(_fetched(segments, stored, 0, HEADER_SIZE))
    if header.count != stored.rows:
        raise SegmentError("the count is not that of the pointer")
    return header


def stored_parts(
    segments: Segments, stored: StoredSegment, window: int, thread: Executor
) -> Iterator[Records]:
    """The records of a segment, sorted, in 256 parts; `window` bytes are read at a time.

    Raises SegmentError.
    """
    windows = _checked(ahead(thread, _windows(segments, stored, window)))
    held = NO_RECORDS
    for first_byte in range(PARTS):
        pieces: list[Records] = []
        while True:
            end = _end_of(first_byte, held)
            pieces.append(held[:end])
            held = held[end:]
            if len(held):
                break
            following = next(windows, None)
            if following is None:
                break
            held = following
        yield joined(pieces)


def _windows(
    segments: Segments, stored: StoredSegment, window: int
) -> Iterator[Callable[[], bytes]]:
    last = HEADER_SIZE + stored.rows * RECORD_WIDTH
    window -= window % RECORD_WIDTH
    for start in range(HEADER_SIZE, last, window):
        yield partial(_fetched, segments, stored, start, min(start + window, last))


def _fetched(segments: Segments, stored: StoredSegment, start: int, end: int) -> bytes:
    content = segments.fetch(stored.path, start, end, stored.etag)
    if len(content) != end - start:
        raise SegmentError("a short or long read")
    return content


def _checked(windows: Iterator[bytes]) -> Iterator[Records]:
    last = NO_RECORDS
    for window in windows:
        records: Records = np.frombuffer(window, RECORD)
        # Two comparisons, to avoid copying the window with the last record of the one before.
        if not strictly_ascending(joined([last, records[:1]])) or not strictly_ascending(records):
            raise SegmentError("the records are not in order")
        last = records[-1:].copy()
        yield records


def _end_of(first_byte: int, records: Records) -> int:
    """How many of the sorted records begin with that byte or a smaller one."""
    if first_byte + 1 == PARTS:
        return len(records)
    return int(np.searchsorted(records, np.array(bytes([first_byte + 1]), RECORD)))
