"""A file of addresses cut into blocks of whole rows, so that each can be read on its own.

Owns where a block may be cut: after a row, and a line break within quotes does not end one. Reads
the delimiter and the position of the column from the header; the rows are read by digesting.py.
The ends of blocks depend only on the content, not on how it is read or compressed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from cli.errors import CommandError

BLOCK = 1 << 20  # bytes of a block, more or less a row
LONGEST_ROW = 16 * BLOCK  # bytes: a longer row has an unclosed quote
DELIMITERS = ",;\t"

_LINE_END = re.compile(rb"\r\n|\r|\n")
# A line break outside quotes; not yet a CR that may be the first half of a CRLF.
_ROW_END = re.compile(rb"\r?\n|\r(?=[^\n])")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a row is read: what separates its fields, and which of them is the address, from 0."""

    delimiter: str
    place: int


def table(source: IO[bytes], column: str) -> tuple[Layout, Iterator[bytes]]:
    """The layout in the first line, and the rows after it in blocks of about BLOCK bytes.

    Raises CommandError: no such column; and UnicodeDecodeError.
    """
    head = source.read(BLOCK)
    header_end = _LINE_END.search(head)
    end = header_end.end() if header_end else len(head)
    layout = _layout(head[:end].decode("utf-8-sig"), column)
    return layout, _blocks(head[end:], source, layout.delimiter)


def _layout(header: str, column: str) -> Layout:
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        if column in names:
            return Layout(delimiter, names.index(column))
    # The first line is not shown: without a header it contains an address.
    raise CommandError(f"no column named {column} in the first line")


def _blocks(
    pending: bytes, source: IO[bytes], delimiter: str, size: int = BLOCK
) -> Iterator[bytes]:
    """Raises CommandError when no row ends within LONGEST_ROW bytes, to bound the memory."""
    lines = 1
    while chunk := source.read(size):
        pending += chunk
        cut = _end_of_rows(pending, delimiter)
        if cut:
            yield pending[:cut]
            lines += pending.count(b"\n", 0, cut)
            pending = pending[cut:]
        elif len(pending) > LONGEST_ROW:
            raise CommandError(f"line {lines + 1}: this row does not end: a quote is not closed")
    if pending:
        yield pending


def _end_of_rows(content: bytes, delimiter: str) -> int:
    """Where the last whole row of `content` ends, which starts at a row; 0 when none does.

    >>> _end_of_rows(b'1,"two\\nlines"\\n2,"not ye\\n', ",")
    14
    """
    if b'"' not in content:
        return _last_end(content)
    end = len(content)
    # The pieces are in turn outside and within quotes: find the last line break that is outside.
    for number, piece in reversed(list(enumerate(_quoted(delimiter).split(content)))):
        end -= len(piece)
        if number % 2 == 0 and (cut := _last_end(piece)):
            return end + cut
    return 0


def _last_end(content: bytes) -> int:
    """Where the last line of `content` ends; 0 when none does."""
    if cut := content.rfind(b"\n") + 1:
        return cut
    ends = [found.end() for found in _ROW_END.finditer(content)]
    return ends[-1] if ends else 0


def _quoted(delimiter: str) -> re.Pattern[bytes]:
    """A quoted field: a quote opens it only as the first character, two quotes stand for one, and
    an unclosed field reaches to the end.
    """
    before = re.escape(delimiter.encode())
    return re.compile(rb"((?:\A|(?<=[\r\n" + before + rb']))"[^"]*(?:""[^"]*)*(?:"(?!")|\Z))')
