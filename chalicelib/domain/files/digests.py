"""Customer and VIP lists: one column, `digest`, 64 hex characters (SHA-256, keyed or not).

Refuses the file whole on the first line with an @ (a plain address must not travel this way, and
is never repeated, not even its length) and, once all lines are read, when any line is no digest:
a list with holes would make newcomers of customers. The records go to adapters/lists/segment.py,
the guards on their number are in domain/lists.py.
"""

import re
from collections.abc import Iterable, Iterator

from chalicelib.domain.files.reading import (
    FileRefusedError,
    Tally,
    check_header,
    column,
    lines,
    looks_like_a_column,
)

DIGEST_LENGTH = 64  # hex characters
RECORD_WIDTH = 16  # bytes of it that are kept: 2^-64 for one false match among 2^64 look-ups

_HEX = re.compile(r"[0-9A-Fa-f]+")


def digests(chunks: Iterable[bytes], tally: Tally) -> Iterator[bytes]:
    """The 16-byte records of a list, in the file's order, duplicates included.

    Raises FileRefusedError: `plain_address`, `empty_file`, `mixed_lengths`, `wrong_length`,
    `not_hex`, `unknown_column` and those of `reading.lines`; `tally` then says which lines.
    """
    lengths: set[int] = set()
    for number, value in column(_without_addresses(lines(chunks)), "digest", tally):
        if not _HEX.fullmatch(value):
            if tally.rows == 1 and looks_like_a_column(value):
                check_header([value], ["digest"], number)
            tally.reject(number, "not_hex")
            continue
        lengths.add(len(value))
        if len(value) == DIGEST_LENGTH:
            yield record(value)
        else:
            tally.reject(number, "wrong_length")
    if tally.rejected:
        raise FileRefusedError(_refusal(lengths, tally), tally.errors[0].line)


def record(digest: str) -> bytes:
    """What a segment keeps of a digest in hex of either case: its first 16 bytes."""
    return bytes.fromhex(digest[: 2 * RECORD_WIDTH])


def _refusal(lengths: set[int], tally: Tally) -> str:
    return "mixed_lengths" if len(lengths) > 1 else tally.errors[0].reason


def _without_addresses(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, line in numbered:
        if "@" in line:
            raise FileRefusedError("plain_address", number)
        yield number, line
