"""Tables written to `out/`: the same rows always give the same bytes.

Neighbours: exports.py and changes.py say what is in them.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence

_WRITTEN_AT_ONCE = 10_000  # rows


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A CSV with its header; lines end in LF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def csv_gz(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A gzipped CSV with its header. `rows` may come from a generator: their text is never held
    whole.
    """
    # A gzip header without name or time, unlike gzip.open.
    packer = zlib.compressobj(wbits=31)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    packed = bytearray()
    for number, row in enumerate(rows, 1):
        writer.writerow(row)
        if number % _WRITTEN_AT_ONCE == 0:
            packed += packer.compress(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    return bytes(packed + packer.compress(text.getvalue().encode()) + packer.flush())


def plain_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file that `csv_gz` wrote and whose cells hold no line breaks."""
    unpacker = zlib.decompressobj(wbits=31)
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
        yield from (line.decode() for line in whole)
