"""Tables written to `out/`: the same rows give the same bytes, as long as the same zlib packs them.

Neighbours: exports.py, changes.py and statements.py say what is in them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

_WRITTEN_AT_ONCE = 10_000  # rows


@dataclass(frozen=True)
class Encrypted:
    """What a manifest says of an encrypted table: the SHA-256 of the gzipped file in it, and the
    fingerprint of the key it is for; None for a key that no version of the campaign has.
    """

    plain_sha256: str
    fingerprint: str | None

    def members(self) -> dict[str, str | None]:
        """As the manifest has it."""
        return {"plain_sha256": self.plain_sha256, "encrypted_to": self.fingerprint}


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
    left = iter(rows)
    while True:
        writer.writerows(islice(left, _WRITTEN_AT_ONCE))
        if not text.tell():
            break
        packed += packer.compress(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    packed += packer.flush()
    return bytes(packed)


def sha256_of(content: bytes) -> str:
    """The SHA-256 of a file, as hex."""
    return hashlib.sha256(content).hexdigest()


def has_same_rows(stored: bytes, made: bytes) -> bool:
    """Whether two gzipped CSVs have the same rows, whatever packed them.

    One of an earlier version may lack the last columns: new ones are only ever added at the end.
    """
    try:
        with (
            gzip.open(io.BytesIO(stored), "rt", encoding="utf-8", newline="") as first,
            gzip.open(io.BytesIO(made), "rt", encoding="utf-8", newline="") as second,
        ):
            pairs = zip_longest(csv.reader(first), csv.reader(second), fillvalue=())
            header, other_header = next(pairs)
            common = min(len(header), len(other_header))
            return (
                common > 0
                and header[:common] == other_header[:common]
                and all(row[:common] == other[:common] for row, other in pairs)
            )
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error):
        return False  # no table at all


def rows_of(content: bytes) -> Iterator[dict[str, str]]:
    """The rows of a file that `csv_gz` wrote, each by column, in the order of its header."""
    with gzip.open(io.BytesIO(content), "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def plain_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a file that `csv_gz` wrote and whose cells hold no line breaks."""
    unpacker = zlib.decompressobj(wbits=31)
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
        yield from (line.decode() for line in whole)
