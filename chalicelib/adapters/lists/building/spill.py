"""Records spilled to disk, in 256 parts by their first byte: one file, 16 bytes a record.

In memory are one buffer that is being filled, one that a thread is writing, and the place of each
part of each buffer in the file: 256 numbers for every half a million records.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chalicelib.adapters.lists.building.sorting import RECORD, Records
from chalicelib.adapters.lists.segment import RECORD_WIDTH

PARTS = 256
BUFFERED = 1 << 19  # records: 8 MB, three times that while they are partitioned


class Spill:
    """Records are added until `seal`; parts can be read any number of times until `close`."""

    def __init__(self, scratch: Path | None = None, buffered: int = BUFFERED) -> None:
        self._file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - closed by `close`
        self._buffer: Records = np.empty(buffered, RECORD)
        self._filled = 0
        self._borders: list[NDArray[np.int64]] = []  # of the parts of each buffer, in records
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[int] | None = None
        self.count = 0

    def add(self, records: Records) -> None:
        """Add records, in any order, duplicates included."""
        while len(records):
            fitting = records[: len(self._buffer) - self._filled]
            self._buffer[self._filled : self._filled + len(fitting)] = fitting
            self._filled += len(fitting)
            records = records[len(fitting) :]
            if self._filled == len(self._buffer):
                self._flush()

    def seal(self) -> None:
        """End adding records."""
        self._flush()
        self._buffer = self._buffer[:0].copy()
        self._wait_for_writer()
        self._file.flush()

    def part(self, first_byte: int, most: int) -> Iterator[Records]:
        """The records that begin with that byte, about `most` at a time."""
        extents: list[tuple[int, int]] = []
        for borders in self._borders:
            start, end = borders[first_byte : first_byte + 2].tolist()
            extents.append((start, end))
            if sum(end - start for start, end in extents) >= most:
                yield self._read(extents)
                extents = []
        yield self._read(extents)

    def size_of(self, first_byte: int) -> int:
        """How many records begin with that byte."""
        return sum(int(each[first_byte + 1] - each[first_byte]) for each in self._borders)

    def close(self) -> None:
        """Close and delete the file."""
        self._writer.shutdown()
        self._file.close()

    def _flush(self) -> None:
        if not self._filled:
            return
        records = self._buffer[: self._filled]
        first_bytes = records.view(np.uint8)[::RECORD_WIDTH].copy()
        order = np.argsort(first_bytes, kind="stable")  # of bytes: a radix sort
        sizes = np.bincount(first_bytes, minlength=PARTS)
        self._borders.append(self.count + np.concatenate([[0], np.cumsum(sizes)]))
        parted = records[order].view(np.uint8).data
        self._wait_for_writer()
        self._writing = self._writer.submit(self._file.write, parted)
        self.count += self._filled
        self._filled = 0

    def _wait_for_writer(self) -> None:
        """Wait until the current write is finished; raises its error."""
        if self._writing:
            self._writing.result()
            self._writing = None

    def _read(self, extents: list[tuple[int, int]]) -> Records:
        records: Records = np.empty(sum(end - start for start, end in extents), RECORD)
        room = records.view(np.uint8).data
        for start, end in extents:
            size = (end - start) * RECORD_WIDTH
            if size and os.preadv(self._file.fileno(), [room[:size]], start * RECORD_WIDTH) != size:
                raise OSError("the spill file is shorter than what was written to it")
            room = room[size:]
        return records
