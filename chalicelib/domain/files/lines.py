"""From the bytes of a dropped file to numbered lines: encoding and line ends.

Refuses a whole file (`FileRefusedError`) for bytes that are no text of the encoding it is to have.
What a line holds is for reading.py. A block is some lines together: whoever goes through millions
of them need not take each by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.domain.files.layouts import (
    STANDARD,
    Layout,
    NotUtf16Error,
    is_utf8,
    utf8_of_utf16,
    utf16_of,
)
from chalicelib.domain.files.reading import MAX_LINE, FileRefusedError

_BOM = "\ufeff"


def lines(chunks: Iterable[bytes], layout: Layout = STANDARD) -> Iterator[tuple[int, str]]:
    """Numbered lines, without their ends (LF or CRLF); blank ones are counted but left out.

    Raises FileRefusedError: `utf16`, `not_utf8`, `nul_character`, `line_too_long`; of a layout with
    another encoding also `other_encoding`, `not_utf16`, `not_windows_1252`.
    """
    if layout.encoding == "utf-16":
        yield from _utf16_lines(chunks, layout)
        return
    yield from block_lines(blocks(chunks), layout)


def block_lines(numbered: Iterable[tuple[int, bytes]], layout: Layout) -> Iterator[tuple[int, str]]:
    """The `lines` of blocks that are not UTF-16."""
    read = _windows_text if layout.encoding == "windows-1252" else line_text
    for first, block in numbered:
        for number, raw in enumerate(block.split(b"\n"), first):
            try:
                text = read(number, raw)
            except FileRefusedError as error:
                raise _named(error, raw, layout) from error
            if text:
                yield number, text


def blocks(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Whole lines, those of a chunk together, without the last LF and with the number of the first
    one; the first line is by itself. Ends after the first line that is too long, which may be cut.
    """
    number = 1
    pending = b""
    for chunk in chunks:
        whole, end, rest = (pending + chunk).rpartition(b"\n")
        if end and number == 1:
            first, more, whole = whole.partition(b"\n")
            yield 1, first
            number, end = 2, more
        if end:
            yield number, whole
            number += 1 + whole.count(b"\n")
        pending = rest
        if len(pending) > MAX_LINE:
            break
    if pending:
        yield number, pending


def plain_text(block: bytes) -> str | None:
    """The text of a block whose lines are records by themselves, if none is too long; None of any
    other block.
    """
    if block.isascii() and b"\0" not in block and b'"' not in block:
        return block.decode("ascii")
    return None


def _utf16_lines(chunks: Iterable[bytes], layout: Layout) -> Iterator[tuple[int, str]]:
    try:
        yield from lines(utf8_of_utf16(chunks))
    except NotUtf16Error as error:
        if error.line:
            raise FileRefusedError("not_utf16", error.line) from error
        detail = layout.found("no UTF-16", "encoding", "utf-8")
        raise FileRefusedError("other_encoding", 1, detail) from error


def _windows_text(number: int, raw: bytes) -> str:
    """As `line_text`, of Windows-1252."""
    if is_utf8(raw):
        raise FileRefusedError("other_encoding", number)
    try:
        return line_text(number, raw.decode("windows-1252").encode())
    except UnicodeDecodeError as error:
        raise FileRefusedError("not_windows_1252", number) from error


def _named(error: FileRefusedError, raw: bytes, layout: Layout) -> FileRefusedError:
    """A refusal with what was found and what to declare, where the campaign file has a word for it.

    Windows-1252 is not recognised: it is what tables that are no UTF-8 are nearly always saved in.
    """
    found = {
        "utf16": (f"{utf16_of(raw) or 'UTF-16'}".upper(), "utf-16"),
        "not_utf8": ("no UTF-8, perhaps Windows-1252", "windows-1252"),
        "other_encoding": ("UTF-8", "utf-8"),
    }.get(error.reason)
    if found is None or not layout.declared_at:
        return error
    detail = layout.found(found[0], "encoding", found[1])
    return FileRefusedError(error.reason, error.line, detail)


def raw_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their LF, a byte that is in no other UTF-8 character.

    Ends after the first line that is too long, which may be cut: `line_text` refuses it.
    """
    number = 0
    pending = b""
    for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        for raw in whole:
            number += 1
            yield number, raw
        if len(pending) > MAX_LINE:
            break
    if pending:
        yield number + 1, pending


def line_text(number: int, raw: bytes) -> str:
    """The text of one of the `raw_lines`, without a CR or BOM; empty if it is only white space.

    Raises FileRefusedError as `lines` does.
    """
    if len(raw) > MAX_LINE:
        raise FileRefusedError("line_too_long", number)
    if b"\0" in raw:  # in the first line it means UTF-16, with or without a BOM; later, damage
        raise FileRefusedError("utf16" if number == 1 else "nul_character", number)
    try:
        text = raw.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileRefusedError("not_utf8", number) from error
    if number == 1:
        text = text.removeprefix(_BOM)
    return "" if text.isspace() else text
