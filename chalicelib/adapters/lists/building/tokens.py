"""From the bytes of a list to arrays of records, with the same tally as reading line by line.

    blocks of whole lines ─┬─ all lines alike but for their digests ── reshape, unhexlify
                           └─ others ── `lines.Sieve` ─┬─ regular ── unhexlify
                                                       ├─ blank ── counted
                                                       └─ odd ── `ListReading.read_line`

Every line that is not certainly a good row or blank (headers, plain addresses, damage) is passed to
`read_line`, in order and with its number: this module itself refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib.adapters.lists.building.lines import NotHexError, Sieve, blank_lead, unhexed
from chalicelib.adapters.lists.building.sorting import NO_RECORDS, RECORD, Records, joined
from chalicelib.domain.files.digests import DIGEST_LENGTH, Layout, ListReading


class Tokeniser:
    """Reads one list; the counts are in the tally of `reading`."""

    def __init__(self, reading: ListReading) -> None:
        self._reading = reading
        self._lines = 0  # read so far
        self._pattern: _Pattern | None = None

    def records(self, blocks: Iterable[bytes]) -> Iterator[Records]:
        """All records of a list that comes in blocks of whole lines, duplicates too, in no order.

        Raises FileRefusedError exactly when `domain.files.digests.digests` does.
        """
        for block in blocks:
            yield joined([*self._read(block)])
        self._reading.finish()

    def _read(self, block: bytes) -> Iterator[Records]:
        start = 0
        while self._reading.layout is None and start < len(block):
            blank, start = blank_lead(block, start)
            self._lines += blank
            if start == len(block):
                break
            end = block.index(b"\n", start)
            yield _array(self._read_line(self._lines + 1, block[start:end]))
            start = end + 1
        layout = self._reading.layout
        if layout and start < len(block):
            block = block[start:]
            alike = self._alike(block, layout)
            yield self._sifted(block, layout) if alike is None else alike

    def _read_line(self, number: int, line: bytes) -> list[bytes]:
        self._lines = number
        return self._reading.read_line(number, line)

    def _alike(self, block: bytes, layout: Layout) -> Records | None:
        """The records of lines that differ only in their digests; None if these do not."""
        first = block[: block.index(b"\n") + 1]
        if len(block) % len(first):
            return None
        if not (self._pattern and self._pattern.fits(first)):
            self._pattern = _pattern(first, layout)
        if not self._pattern:
            return None
        lines = np.frombuffer(block, np.uint8).reshape(-1, len(first))
        records = self._pattern.records(lines)
        if records is not None:
            self._lines += len(lines)
            self._reading.count_good_rows(len(lines))
        return records

    def _sifted(self, block: bytes, layout: Layout) -> Records:
        """The records of any lines; odd ones are passed to `read_line`."""
        sieve = Sieve(block, layout)
        before, counted = self._lines, 0
        records: list[bytes] = []
        for good, odd, line in sieve.odd():
            # The result of `read_line` may depend on all lines before.
            self._reading.count_good_rows(good - counted)
            counted = good
            records += self._read_line(before + odd + 1, line)
        self._reading.count_good_rows(sieve.regular - counted)
        self._lines = before + sieve.lines
        return joined([sieve.records, _array(records)])


@dataclass(frozen=True)
class _Pattern:
    """A line with its LF, and the offsets of its digests, where lines may differ."""

    line: bytes
    digests: tuple[int, ...]

    def fits(self, line: bytes) -> bool:
        """Whether `line` differs from this one in its digests at most."""
        return len(line) == len(self.line) and all(
            line[start:end] == self.line[start:end] for start, end in self._constant()
        )

    def records(self, lines: NDArray[np.uint8]) -> Records | None:
        """The records of `lines`, one per row; None when one does not fit the pattern."""
        model = np.frombuffer(self.line, np.uint8)
        if not all((lines[:, start:end] == model[start:end]).all()
                   for start, end in self._constant()):  # fmt: skip
            return None
        try:
            found = [unhexed(lines[:, at : at + DIGEST_LENGTH]) for at in self.digests]
        except NotHexError:
            return None
        return joined(found)

    def _constant(self) -> Iterator[tuple[int, int]]:
        start = 0
        for at in self.digests:
            yield start, at
            start = at + DIGEST_LENGTH
        yield start, len(self.line)


def _pattern(line: bytes, layout: Layout) -> _Pattern | None:
    """The pattern of a regular line, None for any other."""
    digests = Sieve(line, layout).digests()
    return _Pattern(line, tuple(digests)) if digests else None


def _array(records: list[bytes]) -> Records:
    return np.array(records, RECORD) if records else NO_RECORDS
