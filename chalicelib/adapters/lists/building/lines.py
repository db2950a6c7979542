"""Separating the regular, blank and odd lines of a block, all lines at once.

A line is regular if `ListReading.read_line` would certainly find good digests in it and nothing
else: as many fields as the layout says, each unquoted or quoted as a whole, with 64 hex characters
where a digest must be. A line is blank if it is only ASCII white space. All others are odd: nothing
is decided about them here.
"""

from __future__ import annotations

import re
from binascii import Error as NotHexError
from binascii import unhexlify
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chalicelib.adapters.lists.building.sorting import RECORD, Records, joined
from chalicelib.domain.files.digests import DIGEST_LENGTH, RECORD_WIDTH, Layout
from chalicelib.domain.files.reading import MAX_LINE

__all__ = ["NotHexError", "Sieve", "blank_lead", "unhexed"]

_Places = NDArray[np.intp]
_Flags = NDArray[np.bool_]
_Span = tuple[_Places, _Places]  # start and end of a field, for each row

_LF, _CR, _QUOTE, _COMMA = b'\n\r",'
_AT_BYTES = b"@%&\xef"  # every way to write an @ contains one: domain/files/digests.py `_AT`
_HARMFUL = b"\0" + _AT_BYTES
_LAST_OF_ASCII = 127
_NOWHERE: _Places = np.empty(0, np.intp)
_HALF_BYTES = 2  # hex characters of a byte
_IS_HEX = np.zeros(256, bool)
_IS_HEX[list(b"0123456789abcdefABCDEF")] = True
_IS_WHITE = np.zeros(256, bool)
_IS_WHITE[list(b" \t\n\v\f\r\x1c\x1d\x1e\x1f")] = True
_SOLID = re.compile(rb"[^ \t\n\v\f\r\x1c-\x1f]")


def unhexed(digests: NDArray[np.uint8]) -> Records:
    """The records of hex digests (either case), one per row. Raises NotHexError."""
    whole = np.frombuffer(unhexlify(np.ascontiguousarray(digests).data), RECORD)
    return whole[:: DIGEST_LENGTH // _HALF_BYTES // RECORD_WIDTH]


class Sieve:
    """A block of whole lines, each with its LF.

    `lines` is the number of lines, `records` are those of the regular lines.
    """

    def __init__(self, block: bytes, layout: Layout) -> None:
        self._block = block
        self._bytes: NDArray[np.uint8] = np.frombuffer(block, np.uint8)
        self._starts, self._ends = _bounds(self._bytes)
        self.lines = len(self._ends)
        # Of the lines that remain, in the original block.
        self._numbers: _Places = np.arange(self.lines)
        if _IS_WHITE[self._bytes[self._starts]].any():
            self._leave_out_blank()
        self._stops = self._ends - (self._bytes[self._ends - 1] == _CR)
        self._quotes = np.flatnonzero(self._bytes == _QUOTE) if b'"' in block else _NOWHERE
        # The regular lines among those that remain.
        self._rows, fields = self._with_fields(layout.width)
        digests = self._with_digests([fields[column] for column in layout.columns])
        self.records, self._digests = self._in_hex(digests)

    @property
    def regular(self) -> int:
        """How many lines are regular."""
        return len(self._rows)

    def odd(self) -> Iterator[tuple[int, int, bytes]]:
        """The odd lines: how many regular ones are before each, its number from 0, and the line
        without its LF.
        """
        odd = np.ones(len(self._ends), bool)
        odd[self._rows] = False
        places = np.flatnonzero(odd)
        before = np.searchsorted(self._rows, places)
        for good, place in zip(before.tolist(), places.tolist(), strict=True):
            line = self._block[self._starts[place] : self._ends[place]]
            yield good, int(self._numbers[place]), line

    def digests(self) -> list[int]:
        """The offsets of the regular lines' digests in the block, in order."""
        return sorted(
            int(start) for starts, ends in self._digests for start in starts[ends > starts]
        )

    def _leave_out_blank(self) -> None:
        """Remove the blank lines from the block."""
        sizes = self._ends - self._starts
        filled = np.logical_or.reduceat(~_IS_WHITE[self._bytes], self._starts)
        filled |= sizes > MAX_LINE
        self._numbers = np.flatnonzero(filled)
        self._bytes = self._bytes[np.repeat(filled, sizes + 1)]
        self._block = self._bytes.tobytes()
        self._starts, self._ends = _bounds(self._bytes)

    def _with_fields(self, width: int) -> tuple[_Places, list[_Span]]:
        """The lines of `width` fields, and the place of each field without its quotes."""
        commas = self._commas()
        up_to = np.searchsorted(commas, self._ends)
        fits = self._harmless() & (np.diff(up_to, prepend=0) == width - 1)
        rows = np.flatnonzero(fits)
        first = up_to[rows] - (width - 1)
        starts = [self._starts[rows], *(commas[first + n] + 1 for n in range(width - 1))]
        ends = [*(commas[first + n] for n in range(width - 1)), self._stops[rows]]
        spans = list(zip(starts, ends, strict=True))
        return self._unquoted(rows, spans) if len(self._quotes) else (rows, spans)

    def _commas(self) -> _Places:
        """The commas after an even number of quotes; `_unquoted` checks that this is enough."""
        commas = np.flatnonzero(self._bytes == _COMMA)
        if not len(self._quotes) or not len(commas):
            return commas
        before_line = np.searchsorted(self._quotes, self._starts)
        opened = np.searchsorted(self._quotes, commas)
        opened -= before_line[np.searchsorted(self._ends, commas)]
        outside: _Places = commas[opened % 2 == 0]
        return outside

    def _unquoted(self, rows: _Places, spans: list[_Span]) -> tuple[_Places, list[_Span]]:
        """The rows that have quotes only around whole fields, and the fields without them.

        So no quote is within a field, and `_commas` has found the right commas in these rows.
        """
        quotes = np.searchsorted(self._quotes, self._ends)
        left = np.diff(quotes, prepend=0)[rows]
        bare: list[_Span] = []
        for start, end in spans:
            around = (end - start > 1) & (self._bytes[start] == _QUOTE)
            around &= self._bytes[end - 1] == _QUOTE
            left = left - 2 * around
            bare.append((start + around, end - around))
        return _chosen(left == 0, rows, bare)

    def _harmless(self) -> _Flags:
        """The lines that are not too long and have no byte that makes a line odd: a NUL, a CR
        before its end, a byte of an @, bytes that are not UTF-8.
        """
        harmless: _Flags = self._ends - self._starts <= MAX_LINE
        suspects = [np.flatnonzero(self._bytes == byte) for byte in _HARMFUL if byte in self._block]
        if b"\r" in self._block:
            returns = np.flatnonzero(self._bytes == _CR)
            suspects.append(returns[returns < self._stops[np.searchsorted(self._ends, returns)]])
        if not _is_text(self._block):
            suspects.append(np.flatnonzero(self._bytes > _LAST_OF_ASCII))
        for places in suspects:
            harmless[np.searchsorted(self._ends, places)] = False
        return harmless

    def _with_digests(self, spans: list[_Span]) -> list[_Span]:
        """Keep the rows whose fields are as long as a digest, or empty where that is allowed."""
        lengths = [end - start for start, end in spans]
        fits = lengths[0] == DIGEST_LENGTH
        for length in lengths[1:]:
            fits &= (length == DIGEST_LENGTH) | (length == 0)
        self._rows, spans = _chosen(fits, self._rows, spans)
        return spans

    def _in_hex(self, spans: list[_Span]) -> tuple[Records, list[_Span]]:
        """The records of the rows; rows with anything but hex digits are dropped."""
        texts = [self._texts(span) for span in spans]
        try:
            return joined([unhexed(text) for text in texts]), spans
        except NotHexError:
            hexadecimal = np.ones(len(self._rows), bool)
            for (start, end), text in zip(spans, texts, strict=True):
                hexadecimal[end > start] &= _IS_HEX[text].all(axis=1)
            self._rows, spans = _chosen(hexadecimal, self._rows, spans)
            return self._in_hex(spans)

    def _texts(self, span: _Span) -> NDArray[np.uint8]:
        """The contents of the fields that are not empty, as rows of bytes."""
        start, end = span
        filled = start[end > start]
        if not len(filled):
            return np.empty((0, DIGEST_LENGTH), np.uint8)
        anywhere: NDArray[np.bytes_] = np.ndarray(  # the 64 bytes from each byte on
            len(self._block) - DIGEST_LENGTH + 1, f"S{DIGEST_LENGTH}", self._block, strides=(1,)
        )
        return anywhere[filled].view(np.uint8).reshape(-1, DIGEST_LENGTH)


def blank_lead(block: bytes, start: int) -> tuple[int, int]:
    """How many blank lines a block has at `start`, the beginning of a line, and where the first
    other line begins.
    """
    solid = _SOLID.search(block, start)
    end = block.rfind(b"\n", start, solid.start() if solid else len(block)) + 1
    if not end:
        return 0, start
    ends = start + np.flatnonzero(np.frombuffer(block, np.uint8, end - start, start) == _LF)
    too_long = np.flatnonzero(np.diff(ends, prepend=start - 1) > MAX_LINE + 1)
    if len(too_long):
        ends = ends[: too_long[0]]
    return len(ends), int(ends[-1]) + 1 if len(ends) else start


def _bounds(block: NDArray[np.uint8]) -> _Span:
    """The start of each line, and the place of its LF."""
    ends = np.flatnonzero(block == _LF)
    return np.concatenate([[0], ends[:-1] + 1])[: len(ends)], ends


def _chosen(flags: _Flags, rows: _Places, spans: list[_Span]) -> tuple[_Places, list[_Span]]:
    if flags.all():
        return rows, spans
    return rows[flags], [(start[flags], end[flags]) for start, end in spans]


def _is_text(block: bytes) -> bool:
    """Whether all of it is UTF-8; then each of its lines is."""
    if block.isascii():
        return True
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
