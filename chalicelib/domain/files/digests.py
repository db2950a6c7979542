"""Customer and VIP lists: rows with a digest in them, 64 hex characters (SHA-256, keyed or not).

The first line says where: a header with `digest`, and `canonical_digest` if each address comes in
both forms, all other columns passed over; or, without a header, a row that has its digests at the
places where they stay.

Refuses a list whole on the first line with an @ (a plain address must not travel this way, and is
never repeated, not even its length), written as itself or as URLs and HTML write it; on any digest
of another length (another hash was used); and when more than one row in a thousand is bad: a list
with holes would make newcomers of customers. Fewer are left out and told. What a line means is said
here alone: adapters/lists/building reads most lines faster and hands over all that it does not
recognise. The guards on the number of digests are in domain/lists.py.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.files.reading import (
    MAX_CONTENT,
    FileRefusedError,
    Tally,
    fields,
    line_text,
    looks_like_a_column,
    raw_lines,
)

DIGEST_LENGTH = 64  # hex characters
RECORD_WIDTH = 16  # bytes of it that are kept: 2^-64 for one false match among 2^64 look-ups
COLUMNS = ("digest", "canonical_digest")  # the first one is required, in the list and in a row
TOLERATED = 1000  # rows for each bad one
MOST_BAD = MAX_CONTENT // (DIGEST_LENGTH + 1) // TOLERATED  # no file has room for more good rows

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_OTHER_HASH = re.compile(r"[0-9A-Fa-f]{16,}")
_ABOUT_A_DIGEST = range(DIGEST_LENGTH - 4, DIGEST_LENGTH + 5)  # characters of a damaged one
# Bare and in its wide and small forms; in URLs; in HTML, where the semicolon may be left out. A
# line that matches has one of the bytes in adapters/lists/building/lines.py `_IN_AN_AT`.
_AT = re.compile(
    r"[@\uFF20\uFE6B]|%40|&#0*64(?![0-9])|&#x0*40(?![0-9a-f])|&commat",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The digests of a row are those of its `width` fields that stand at `columns`.

    The first of `columns` must have one; where another has none, the row has one digest less.
    """

    width: int
    columns: tuple[int, ...]


class ListReading:
    """Judges a list line by line, and as a whole at its end; keeps no more than the counts.

    `layout` is known once a line told it. `tally` is complete once `finish` has returned or raised.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.layout: Layout | None = None
        self._lengths: set[int] = set()  # of the digests seen, good or bad
        self._other_length_at = 0  # the first line that has one, 0 before

    def take(self, number: int, raw: bytes) -> list[bytes]:
        """The records of one line as it is but for its LF; none of a blank, header or bad one.

        Raises FileRefusedError: `plain_address`, those of `reading.lines`, those of a wrong header
        (`unknown_column`, `missing_column`, `duplicate_column`), and those of `finish` when no end
        could be good any more.
        """
        text = line_text(number, raw)
        if _AT.search(text):
            raise FileRefusedError("plain_address", number)
        if not text:
            return []
        values = fields(text)
        if self.layout is None and values is not None:
            self.layout, header = _layout(values, number)
            if header:
                return []
        self.tally.rows += 1
        return self._row(number, values)

    def took(self, rows: int) -> None:
        """Count good rows that somebody else has judged as `take` would have."""
        if rows:
            self.tally.rows += rows
            self._lengths.add(DIGEST_LENGTH)

    def finish(self) -> None:
        """Judge the list as a whole.

        Raises FileRefusedError: `empty_file`, `wrong_length` when its digests are another hash's,
        `mixed_lengths` when some are, `too_many_bad_lines`.
        """
        if not self.tally.rows:
            raise FileRefusedError("empty_file")
        if self._other_length_at or self.tally.rejected * TOLERATED > self.tally.rows:
            raise self._refusal()

    def _row(self, number: int, values: list[str] | None) -> list[bytes]:
        if values is None:
            return self._reject(number, "bad_quotes")
        if self.layout is None or len(values) != self.layout.width:
            return self._reject(number, "wrong_number_of_fields")
        required, *others = [values[column] for column in self.layout.columns]
        digests_of_row = [required, *filter(None, others)]
        # Every one of them is looked at: the lengths seen are the whole list's.
        problems = [self._problem(number, digest) for digest in digests_of_row]
        if any(problems):
            return self._reject(number, *dict.fromkeys(filter(None, problems)))
        return [record(digest) for digest in digests_of_row]

    def _problem(self, number: int, digest: str) -> str | None:
        if not _OTHER_HASH.fullmatch(digest):
            return "not_hex"
        self._lengths.add(len(digest))
        if len(digest) == DIGEST_LENGTH:
            return None
        self._other_length_at = self._other_length_at or number
        return "wrong_length"

    def _reject(self, number: int, *reasons: str) -> list[bytes]:
        self.tally.reject(number, *reasons)
        if self.tally.rejected > MOST_BAD:
            raise self._refusal()
        return []

    def _refusal(self) -> FileRefusedError:
        if self._other_length_at:
            reason = "mixed_lengths" if len(self._lengths) > 1 else "wrong_length"
            return FileRefusedError(reason, self._other_length_at)
        told = f"{self.tally.rejected} of {self.tally.rows}"
        return FileRefusedError("too_many_bad_lines", self.tally.errors[0].line, told)


def digests(chunks: Iterable[bytes], tally: Tally) -> Iterator[bytes]:
    """The 16-byte records of a list, in the file's order, duplicates included.

    Raises FileRefusedError as `ListReading` does; `tally` then says which lines.
    """
    reading = ListReading(tally)
    for number, raw in raw_lines(chunks):
        yield from reading.take(number, raw)
    reading.finish()


def record(digest: str) -> bytes:
    """What a segment keeps of a digest in hex of either case: its first 16 bytes."""
    return bytes.fromhex(digest[: 2 * RECORD_WIDTH])


def _layout(values: Sequence[str], number: int) -> tuple[Layout, bool]:
    """What the first line that can be read tells, and whether it is a header.

    Raises FileRefusedError, with nothing of the line in it: a list may come without its header.
    """
    if any(map(_DIGEST.fullmatch, values)):
        return _told_by_row(values), False
    # A column passed over for its capitals or its spaces would be aliases that nobody looks up.
    nearly = [at for at, value in enumerate(values, 1) if _nearly_a_column(value)]
    if nearly:
        told = ", ".join(f"number {at}" for at in nearly)
        raise FileRefusedError("unknown_column", number, told)
    if COLUMNS[0] in values:
        if twice := [name for name in COLUMNS if values.count(name) > 1]:
            raise FileRefusedError("duplicate_column", number, ", ".join(twice))
        named = tuple(values.index(name) for name in COLUMNS if name in values)
        return Layout(len(values), named), True
    if all(looks_like_a_column(value) and not _OTHER_HASH.fullmatch(value) for value in values):
        if len(values) == 1:
            raise FileRefusedError("unknown_column", number, "number 1")
        raise FileRefusedError("missing_column", number, COLUMNS[0])
    return _told_by_row(values), False


def _told_by_row(values: Sequence[str]) -> Layout:
    """Where the digests are if they are where the first row has its own, good or damaged.

    A damaged one must not take those below it with it: the row is bad, the column is read.
    """
    found = [at for at, value in enumerate(values) if len(value) in _ABOUT_A_DIGEST]
    if not found:
        return Layout(len(values), (0,))
    # An empty field after a digest may be an alias that this address has not: read it, too.
    empty = [at for at, value in enumerate(values) if not value and at > found[0]]
    return Layout(len(values), tuple(sorted(found + empty)))


def _nearly_a_column(value: str) -> bool:
    return value not in COLUMNS and value.strip().lower() in COLUMNS
