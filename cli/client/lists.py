"""A list of digests read to its end, in flat memory whatever its size.

What a line means is decided where our side decides it (domain/files/digests.py); blocks of digests
alone are recognised without looking at each line. Duplicates are counted in buckets on disk, as 16
bytes a digest: the part of it that is looked up.
"""

from __future__ import annotations

import hashlib
from binascii import Error as HexError
from binascii import unhexlify
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from chalicelib.domain.files.digests import DIGEST_LENGTH, RECORD_WIDTH, ListReading, record
from chalicelib.domain.files.reading import MAX_LINE, LineError, Tally, content
from cli.hashing.files import progress

BLOCK = 1 << 22  # bytes read at a time
BUCKETS = 128
_DIGEST_BYTES = DIGEST_LENGTH // 2


@dataclass(frozen=True, slots=True)
class ReadList:
    """`rows` without the header; `sha256` of the file as it is dropped; `missing` of the digests
    that were looked for; `errors` are the first bad lines, of `rejected`.
    """

    rows: int
    digests: int
    duplicates: int
    is_sorted: bool
    sha256: str
    missing: tuple[str, ...]
    errors: tuple[LineError, ...]
    rejected: int


def read_list(path: Path, wanted: Sequence[str] = (), block: int = BLOCK) -> ReadList:
    """Read a `.csv` or `.csv.gz`, `block` bytes at a time, looking for `wanted`.

    Raises FileRefusedError when all of it would be refused, but for a file with too many bad lines:
    these are named.
    """
    sha256 = hashlib.sha256()
    tally = Tally()
    with ExitStack() as files:
        file = files.enter_context(path.open("rb"))
        advance = files.enter_context(progress(path, file))
        buckets = _Buckets([files.enter_context(TemporaryFile()) for _ in range(BUCKETS)])
        reading = _Reading(tally, buckets, {record(digest): digest for digest in wanted})
        for piece in _blocks(content(path.name, _hashed(file, sha256, block))):
            reading.read(piece)
            advance(reading.lines)
        if not tally.rejected:
            reading.finish()
        return ReadList(
            tally.rows,
            reading.digests,
            buckets.duplicates(),
            reading.is_sorted,
            sha256.hexdigest(),
            tuple(reading.wanted.values()),
            tuple(tally.errors),
            tally.rejected,
        )


@dataclass
class _Reading:
    """What has been read so far; `wanted` are those not yet found, by what is looked up of them."""

    tally: Tally
    buckets: _Buckets
    wanted: dict[bytes, str]
    lines: int = 0
    digests: int = 0
    is_sorted: bool = True
    _last: bytes = b""
    _rules: ListReading = field(init=False)

    def __post_init__(self) -> None:
        self._rules = ListReading(self.tally)

    def read(self, block: bytes) -> None:
        """One block of whole lines."""
        layout = self._rules.layout
        records = _digests_alone(block) if layout and layout.width == 1 else None
        if records is None:
            records = list(self._line_by_line(block))
        else:
            self.lines += len(records)
            self._rules.count_good_rows(len(records))
        if records:
            self._take(records)

    def finish(self) -> None:
        """Judge the list as a whole."""
        self._rules.finish()

    def _line_by_line(self, block: bytes) -> Iterator[bytes]:
        for raw in block.removesuffix(b"\n").split(b"\n"):
            self.lines += 1
            yield from self._rules.read_line(self.lines, raw)

    def _take(self, records: list[bytes]) -> None:
        self.digests += len(records)
        for found in self.wanted.keys() & set(records) if self.wanted else ():
            del self.wanted[found]
        ordered = sorted(records)
        self.is_sorted &= records == ordered and self._last <= ordered[0]
        self._last = records[-1]
        self.buckets.add(ordered)


class _Buckets:
    """Digests on disk, by their first bits: equal ones are in one bucket."""

    def __init__(self, files: Sequence[IO[bytes]]) -> None:
        self._files = files
        self._ends = [bytes([256 * (at + 1) // BUCKETS]) for at in range(BUCKETS - 1)]

    def add(self, ordered: list[bytes]) -> None:
        start = 0
        for file, beginning in zip(self._files, self._ends, strict=False):
            end = bisect_left(ordered, beginning, start)
            file.write(b"".join(ordered[start:end]))
            start = end
        self._files[-1].write(b"".join(ordered[start:]))

    def duplicates(self) -> int:
        """How many digests were there before, each time they come again."""
        return sum(map(self._duplicates_in, self._files))

    def _duplicates_in(self, file: IO[bytes]) -> int:
        file.seek(0)
        records = _cut(file.read(), RECORD_WIDTH)
        return len(records) - len(set(records))


def _digests_alone(block: bytes) -> list[bytes] | None:
    """The records of lines that hold a digest each and nothing else; None where one does not."""
    for end in (b"\n", b"\r\n"):
        stride = DIGEST_LENGTH + len(end)
        rows, rest = divmod(len(block), stride)
        if rest or any(
            block[DIGEST_LENGTH + at :: stride] != end[at : at + 1] * rows for at in range(len(end))
        ):
            continue
        try:
            packed = unhexlify(block.translate(None, b"\r\n"))
        except (HexError, ValueError):
            return None
        if len(packed) == rows * _DIGEST_BYTES:
            return [packed[at : at + RECORD_WIDTH] for at in range(0, len(packed), _DIGEST_BYTES)]
    return None


def _cut(content: bytes, width: int) -> list[bytes]:
    return [content[at : at + width] for at in range(0, len(content), width)]


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut at line ends; a line too long to be one is handed over as it is."""
    pending = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield pending + chunk[:cut]
            pending = chunk[cut:]
        else:
            pending += chunk
        if len(pending) > MAX_LINE:
            break
    if pending:
        yield pending


def _hashed(file: IO[bytes], sha256: hashlib._Hash, size: int) -> Iterator[bytes]:
    while chunk := file.read(size):
        sha256.update(chunk)
        yield chunk
