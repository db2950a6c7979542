"""Customer and VIP lists: rows with digests of 64 hex characters (SHA-256, keyed or not).

The first line gives the layout: a header with `digest`, and `canonical_digest` if each address
comes in both forms, other columns ignored; or, without a header, a row whose digests are in the
same columns as in all other rows.

Refuses a whole list on the first line with an @, also as URLs and HTML encode it (plain addresses
must not be sent this way; nothing of one is repeated, not even its length); on any digest of
another length (another hash was used); and when more than one row in a thousand is bad, because a
list with holes would make newcomers of customers. Fewer bad rows are skipped and reported. Every
line is judged by itself, so a field with a line break makes a bad row of each of its lines. Only
this module defines what a line means: adapters/lists/building reads most lines faster and passes on
every line that it does not recognise. The limits on the number of digests are in domain/lists.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.files.lines import line_text, raw_lines
from chalicelib.domain.files.reading import (
    MAX_CONTENT,
    FileRefusedError,
    Tally,
    fields,
    is_header,
    looks_like_a_column,
)
from chalicelib.domain.files.spreadsheets import is_damaged

DIGEST_LENGTH = 64  # hex characters
RECORD_WIDTH = (
    16  # bytes of a digest that are stored: one false match expected in 2^64 look-ups of 2^64
)
COLUMNS = ("digest", "canonical_digest")  # the first one is required, in the list and in a row
TOLERATED = 1000  # rows per bad row
MAX_BAD_LINES = MAX_CONTENT // (DIGEST_LENGTH + 1) // TOLERATED  # no file is large enough for more

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_OTHER_HASH = re.compile(r"[0-9A-Fa-f]{16,}")
_ABOUT_A_DIGEST = range(DIGEST_LENGTH - 4, DIGEST_LENGTH + 5)  # characters of a damaged one
# An @, also in its wide and small forms; in URLs; in HTML, where the semicolon may be missing.
# Every match contains one of the bytes in adapters/lists/building/lines.py `_AT_BYTES`.
_AT = re.compile(
    r"[@\uFF20\uFE6B]|%40|&#0*64(?![0-9])|&#x0*40(?![0-9a-f])|&commat",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A row has `width` fields, and its digests are in `columns`.

    The first of `columns` must have a digest; the others may be empty.
    """

    width: int
    columns: tuple[int, ...]


class ListReading:
    """Checks a list line by line, and as a whole at its end; stores only counts and problems.

    `layout` is known after the first line with one. `tally` is complete once `finish` has returned
    or raised.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.layout: Layout | None = None
        self._lengths: set[int] = set()  # of the digests seen, good or bad
        self._other_length_at = 0  # the first line that has one, 0 before

    def read_line(self, number: int, raw: bytes) -> list[bytes]:
        """The records of one line, given without its LF; none for a blank line, header or bad row.

        Raises FileRefusedError: `plain_address`, those of `lines`, those of a wrong header
        (`unknown_column`, `missing_column`, `duplicate_column`), and those of `finish` as soon as
        the list can no longer pass it.
        """
        text = line_text(number, raw)
        if has_at_sign(text):
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

    def count_good_rows(self, rows: int) -> None:
        """Count good rows that the caller has read itself, in the way of `read_line`."""
        if rows:
            self.tally.rows += rows
            self._lengths.add(DIGEST_LENGTH)

    def finish(self) -> None:
        """Check the list as a whole.

        Raises FileRefusedError: `empty_file`, `wrong_length` when all digests are another hash's,
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
        # All of them are checked: the lengths are needed for the list as a whole.
        problems = [self._problem(number, digest) for digest in digests_of_row]
        if any(problems):
            return self._reject(number, *dict.fromkeys(filter(None, problems)))
        return [record(digest) for digest in digests_of_row]

    def _problem(self, number: int, digest: str) -> str | None:
        if not _OTHER_HASH.fullmatch(digest):
            return "digest_damaged" if is_damaged(digest) else "not_hex"
        self._lengths.add(len(digest))
        if len(digest) == DIGEST_LENGTH:
            return None
        self._other_length_at = self._other_length_at or number
        return "wrong_length"

    def _reject(self, number: int, *reasons: str) -> list[bytes]:
        self.tally.reject(number, *reasons)
        if self.tally.rejected > MAX_BAD_LINES:
            raise self._refusal()
        return []

    def _refusal(self) -> FileRefusedError:
        if self._other_length_at:
            reason = "mixed_lengths" if len(self._lengths) > 1 else "wrong_length"
            return FileRefusedError(reason, self._other_length_at)
        detail = f"{self.tally.rejected} of {self.tally.rows}"
        return FileRefusedError("too_many_bad_lines", self.tally.errors[0].line, detail)


def digests(chunks: Iterable[bytes], tally: Tally) -> Iterator[bytes]:
    """The 16-byte records of a list, in the file's order, duplicates included.

    Raises FileRefusedError as `ListReading` does; `tally` then has the lines at fault.
    """
    reading = ListReading(tally)
    for number, raw in raw_lines(chunks):
        yield from reading.read_line(number, raw)
    reading.finish()


def has_at_sign(text: str) -> bool:
    """Whether there is an @ in a text, also as URLs and HTML encode it, or in its wide forms."""
    return _AT.search(text) is not None


def record(digest: str) -> bytes:
    """What a segment stores of a hex digest (either case): its first 16 bytes."""
    return bytes.fromhex(digest[: 2 * RECORD_WIDTH])


def _layout(values: Sequence[str], number: int) -> tuple[Layout, bool]:
    """The layout given by the first readable line, and whether that line is a header.

    Raises FileRefusedError without any content of the line: it may be a row, not a header.
    """
    if any(map(_DIGEST.fullmatch, values)):
        return _layout_of_row(values), False
    if is_header(values, COLUMNS[:1]):
        return Layout(1, (0,)), True
    # A column ignored for its capitals or spaces would be a column of aliases that are never found.
    nearly = [at for at, value in enumerate(values, 1) if _nearly_a_column(value)]
    if nearly:
        columns = ", ".join(f"number {at}" for at in nearly)
        raise FileRefusedError("unknown_column", number, columns)
    if COLUMNS[0] in values:
        if twice := [name for name in COLUMNS if values.count(name) > 1]:
            raise FileRefusedError("duplicate_column", number, ", ".join(twice))
        named = tuple(values.index(name) for name in COLUMNS if name in values)
        return Layout(len(values), named), True
    if all(looks_like_a_column(value) and not _OTHER_HASH.fullmatch(value) for value in values):
        if len(values) == 1:
            raise FileRefusedError("unknown_column", number, "number 1")
        raise FileRefusedError("missing_column", number, COLUMNS[0])
    return _layout_of_row(values), False


def _layout_of_row(values: Sequence[str]) -> Layout:
    """The layout of a list without a header: its digests are where the first row has them.

    A damaged digest counts as one: that row is bad, but its column is read in the other rows.
    """
    found = [at for at, value in enumerate(values) if len(value) in _ABOUT_A_DIGEST]
    if not found:
        return Layout(len(values), (0,))
    # An empty field after a digest may be the alias column, where this address has none.
    empty = [at for at, value in enumerate(values) if not value and at > found[0]]
    return Layout(len(values), tuple(sorted(found + empty)))


def _nearly_a_column(value: str) -> bool:
    return value not in COLUMNS and value.strip().lower() in COLUMNS
