"""From the bytes of a dropped file to numbered rows of fields.

Owns what all files share: gzip, quoting, headers, the counting of problems. Neighbour: lines.py.
Refuses a whole file (`FileRefusedError`) for anything that makes every line doubtful; what a column
may contain is decided by its neighbours. Memory stays bounded: no line is longer than `MAX_LINE`,
and at most `MAX_ERRORS` problems are stored.
"""

import csv
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

from chalicelib.domain.files.layouts import STANDARD, Layout, other_delimiter

MAX_LINE = 4096  # bytes, without the LF
MAX_RECORD_LINES = 10  # of a record with line breaks in it
MAX_ERRORS = 1000  # stored; later ones are only counted
MAX_CONTENT = 8 << 30  # bytes once decompressed: 100 M digests with their line ends are 6.6 GB
MAX_RATIO = (
    100  # decompressed to compressed bytes, checked from `RATIO_FROM` on: hex compresses to a half
)
RATIO_FROM = 16 << 20
_PIECE = 1 << 20  # bytes decompressed at a time
_BITE = 1 << 18  # compressed bytes given to zlib at a time: it copies the unused rest each time

_GZIP = b"\x1f\x8b"
_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class FileRefusedError(ValueError):
    """The whole file is refused and has no effect. `line` 0: no single line is at fault."""

    def __init__(self, reason: str, line: int = 0, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.line = line
        self.detail = detail


@dataclass(frozen=True, slots=True)
class LineError:
    """One problem of one line (counted from 1). `detail` may name columns, never content."""

    line: int
    reason: str
    detail: str = ""


@dataclass(slots=True)
class Tally:
    """What a parser has read so far; complete once it has ended.

    `rows` counts records that are neither blank nor the header; `rejected` counts rows, each once,
    however many problems it has. `effects` and `vouchers` are of accepted rows: how many had which
    effect, and the problem of the voucher code where there is one, by line.
    """

    rows: int = 0
    rejected: int = 0
    errors: list[LineError] = field(default_factory=list)
    has_header: bool = False  # where it may be left out
    addresses: bool = False  # whether there was one in place of a digest
    effects: dict[str, int] = field(default_factory=dict)
    vouchers: list[tuple[int, str]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.rows - self.rejected

    def reject(self, line: int, *reasons: str, detail: str = "") -> None:
        """Count a row as rejected; also called with the reasons of a use case."""
        self.rejected += 1
        self.addresses |= any(reason.endswith("plain_address") for reason in reasons)
        room = max(0, MAX_ERRORS - len(self.errors))
        self.errors += [LineError(line, reason, detail) for reason in reasons[:room]]

    def note(self, effect: str) -> None:
        """Count the effect of an accepted row."""
        self.effects[effect] = self.effects.get(effect, 0) + 1

    def note_voucher(self, line: int, problem: str) -> None:
        """Record what is wrong with the voucher code of an accepted row."""
        if len(self.vouchers) < MAX_ERRORS:
            self.vouchers.append((line, problem))

    def add(self, other: "Tally") -> None:
        """Add what other rows of the file came to; problems stay in line order, the first ones."""
        self.rows += other.rows
        self.rejected += other.rejected
        self.addresses |= other.addresses
        for effect, number in other.effects.items():
            self.effects[effect] = self.effects.get(effect, 0) + number
        errors = sorted([*self.errors, *other.errors], key=lambda error: error.line)
        self.errors[:] = errors[:MAX_ERRORS]
        vouchers = sorted([*self.vouchers, *other.vouchers], key=lambda voucher: voucher[0])
        self.vouchers[:] = vouchers[:MAX_ERRORS]


# --- content ------------------------------------------------------------------------------------


def content(name: str, chunks: Iterable[bytes], limit: int = MAX_CONTENT) -> Iterator[bytes]:
    """The plain bytes of a dropped file; its name and its first bytes must agree on gzip.

    Raises FileRefusedError: `not_gzip`, `gzip_not_named_gz`, and those of `decompress`.
    """
    head, chunks = _peek(chunks, len(_GZIP))
    if not head:
        return iter(())
    if name.endswith(".gz") != (head == _GZIP):
        raise FileRefusedError("not_gzip" if name.endswith(".gz") else "gzip_not_named_gz")
    return decompress(chunks, limit) if head == _GZIP else _limited(chunks, limit)


def decompress(chunks: Iterable[bytes], limit: int = MAX_CONTENT) -> Iterator[bytes]:
    """Gunzip, member after member, in pieces of at most 1 MB, none of them empty.

    Raises FileRefusedError: `corrupt_gzip`, `truncated_gzip`, `too_large` beyond `limit` bytes,
    compressed or decompressed (members may be empty), and `unpacks_too_far` beyond `MAX_RATIO`.
    """
    return _limited(_members(_limited(chunks, limit)), limit)


def _members(chunks: Iterable[bytes]) -> Iterator[bytes]:
    member = None
    packed = unpacked = 0
    for left in bites(chunks, _BITE):
        # Between members, and only there, the format allows zero padding.
        while left := (left if member else left.lstrip(b"\0")):
            member = member or zlib.decompressobj(wbits=31)
            try:
                piece = member.decompress(left, _PIECE)
            except zlib.error as error:
                raise FileRefusedError("corrupt_gzip") from error
            rest = member.unused_data if member.eof else member.unconsumed_tail
            packed += len(left) - len(rest)
            unpacked += len(piece)
            if unpacked > max(RATIO_FROM, packed * MAX_RATIO):
                raise FileRefusedError("unpacks_too_far")
            if piece:
                yield piece
            left = rest
            if member.eof:
                member = None
    if member:
        raise FileRefusedError("truncated_gzip")


def bites(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The same bytes in chunks of at most `most`."""
    for chunk in chunks:
        if len(chunk) <= most:
            yield chunk
        else:
            yield from (chunk[start : start + most] for start in range(0, len(chunk), most))


def _limited(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    for chunk in chunks:
        limit -= len(chunk)
        if limit < 0:
            raise FileRefusedError("too_large")
        yield chunk


def _peek(chunks: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes (fewer if there are no more), and all chunks again."""
    rest = iter(chunks)
    head = b""
    while len(head) < size and (chunk := next(rest, None)) is not None:
        head += chunk
    return head[:size], chain([head], rest)


# --- fields -------------------------------------------------------------------------------------


@cache
def _record(delimiter: str) -> re.Pattern[str]:
    sign = re.escape(delimiter)
    one = rf'(?:"(?:[^"]|"")*+"|[^"{sign}]*+)'
    return re.compile(rf"{one}(?:{sign}{one})*")


def fields(line: str, delimiter: str = ",") -> list[str] | None:
    """The separated fields of one line; None when its quotes are wrong.

    Quotes stand around whole fields only: a quote within an unquoted field is what is left of a
    record that was cut in two.
    """
    if '"' not in line:
        return line.split(delimiter)
    if not _record(delimiter).fullmatch(line):
        return None
    try:
        return next(csv.reader([line], strict=True, delimiter=delimiter))
    except csv.Error:
        return None


def records(
    numbered: Iterable[tuple[int, str]], width: int, delimiter: str = ","
) -> Iterator[tuple[int, list[str] | None]]:
    """The fields of each record by the number of its first line; None when its quotes are wrong.

    No column contains a line break. A quoted field that has one makes a single bad record of all
    its lines, so that no half of it is read as a record of its own. A quote that is never closed
    must not do that to the rest of the file, so its record ends with its own line unless it is
    closed within `MAX_RECORD_LINES` lines and `MAX_LINE` characters, and before a line that is
    itself a whole record of `width` fields. Where a record has one field, any line may be part of
    such a field.
    """
    rest = iter(numbered)
    held: deque[tuple[int, str]] = deque()
    while (first := _next_line(held, rest)) is not None:
        number, line = first
        yield number, fields(line, delimiter)
        if _is_open(line):
            _skip_to_the_end(line, held, rest, width, delimiter)


def _next_line(
    held: deque[tuple[int, str]], rest: Iterator[tuple[int, str]]
) -> tuple[int, str] | None:
    return held.popleft() if held else next(rest, None)


def _is_open(text: str) -> bool:
    """Whether a quote is left open at the end: the quotes of a whole record are even in number."""
    return text.count('"') % 2 == 1


def _skip_to_the_end(
    line: str,
    held: deque[tuple[int, str]],
    rest: Iterator[tuple[int, str]],
    width: int,
    delimiter: str,
) -> None:
    """Skip the lines that complete the record begun by `line`; none where it stays open."""
    read: list[tuple[int, str]] = []
    text = line
    while len(read) < MAX_RECORD_LINES - 1 and len(text) <= MAX_LINE:
        following = _next_line(held, rest)
        if following is None:
            break
        read.append(following)
        text = f"{text}\n{following[1]}"
        if not _is_open(text):
            if _record(delimiter).fullmatch(text):
                return
            break
        if width > 1 and len(fields(following[1], delimiter) or ()) == width:
            break
    held.extendleft(reversed(read))


def looks_like_a_column(text: str) -> bool:
    return _COLUMN_NAME.fullmatch(text) is not None


def check_header(
    names: Sequence[str], wanted: Sequence[str], line: int, layout: Layout = STANDARD
) -> None:
    """Accept a header that has exactly the wanted columns, in any order.

    Raises FileRefusedError naming them: `unknown_column`, `duplicate_column`, `missing_column`.
    A name that may be content is given by number instead, and so are all where no wanted name is
    found: the first row of a file without a header must not be copied into a receipt.
    """
    is_header = not set(names).isdisjoint(wanted)
    if len(names) > 1 and not is_header:
        raise FileRefusedError("missing_column", line, ", ".join(map(layout.theirs, wanted)))
    problems = {
        "unknown_column": [
            name if is_header and looks_like_a_column(name) else f"number {position}"
            for position, name in enumerate(names, 1)
            if name not in wanted
        ],
        "duplicate_column": [layout.theirs(name) for name in wanted if names.count(name) > 1],
        "missing_column": [layout.theirs(name) for name in wanted if name not in names],
    }
    for reason, columns in problems.items():
        if columns:
            raise FileRefusedError(reason, line, ", ".join(columns))


def table(
    numbered: Iterable[tuple[int, str]],
    wanted: Sequence[str],
    tally: Tally,
    layout: Layout = STANDARD,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbered rows by our names of their columns; the first line is the header.

    Raises FileRefusedError as `lines` and `check_header` do, `empty_file` without a header,
    `carriage_return_alone` for lines that have no LF, and `other_delimiter`. A header alone is an
    empty table: there are days without orders.
    """
    rest = iter(numbered)
    names = read_header(rest, wanted, layout)
    for number, values in records(rest, len(names), layout.delimiter):
        tally.rows += 1
        if row := row_of(number, values, names, tally):
            yield number, row


def row_of(
    number: int, values: Sequence[str] | None, names: Sequence[str], tally: Tally
) -> dict[str, str] | None:
    """A record by the names of its columns; None where it is rejected."""
    if values is None:
        tally.reject(number, "bad_quotes")
    elif len(values) != len(names):
        tally.reject(number, "wrong_number_of_fields")
    else:
        return dict(zip(names, values, strict=True))
    return None


def read_header(
    rest: Iterator[tuple[int, str]], wanted: Sequence[str], layout: Layout = STANDARD
) -> list[str]:
    """Our names of the columns of a table, whose first line is read. Refuses as `table` does."""
    header = next(rest, None)
    if header is None:
        raise FileRefusedError("empty_file")
    if "\r" in header[1]:  # then all lines are in the first, and what they hold looks like columns
        raise FileRefusedError("carriage_return_alone", header[0])
    names = layout.ours(fields(header[1], layout.delimiter) or [])
    if set(names).isdisjoint(wanted) and (found := other_delimiter(header[1], layout, wanted)):
        detail = layout.found(found, "delimiter", found)
        raise FileRefusedError("other_delimiter", header[0], detail)
    check_header(names, wanted, header[0], layout)
    return names


def column(
    numbered: Iterable[tuple[int, str]], name: str, tally: Tally
) -> Iterator[tuple[int, str]]:
    """Numbered values of a file of one column, whose header may be left out.

    Raises FileRefusedError as `lines` does, and `empty_file` when there is no row at all.
    """
    for number, values in records(numbered, 1):
        if is_header(values, [name]) and not tally.rows:
            tally.has_header = True
            continue
        tally.rows += 1
        if values is None:
            tally.reject(number, "bad_quotes")
        elif len(values) != 1:
            tally.reject(number, "wrong_number_of_fields")
        else:
            yield number, values[0]
    if not tally.rows:
        raise FileRefusedError("empty_file")


def is_header(values: Sequence[str] | None, names: Sequence[str]) -> bool:
    """Whether a line is the header of a file that may lack one, whatever its case.

    A header that is not recognised would be read as the first row.
    """
    return [value.strip().lower() for value in values or ()] == list(names)
