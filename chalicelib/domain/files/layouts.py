"""How a dropped file is laid out: its encoding, the sign between fields, the one before cents, and
the names of its columns.

    bytes ─► text ─► fields by our names of the columns
    utf-16,          delimiter, columns, decimal
    windows-1252

A campaign says it (`domain/campaign/layouts.py`); without a word a file is what `STANDARD` is.
Nothing is guessed: an amount or a name read in the wrong way would be somebody's money. What is
seen to be laid out otherwise is refused, and the refusal says what was found and which field of the
campaign file would have it read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

Encoding = Literal["utf-8", "utf-16", "windows-1252"]

DELIMITERS = {",": ",", ";": ";", "|": "|", "tab": "\t"}
# A sign in a sentence, which has signs of its own.
_SIGNS = {",": "a comma", ";": "a semicolon", "|": "a bar", "tab": "a tab", ".": "a point"}
_UTF8_BOM = codecs.BOM_UTF8
_UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SWAPPED = str.maketrans(".,", ",.")
_WITH_OTHER_SIGN = re.compile(r"-?[0-9]+,[0-9]+")


@dataclass(frozen=True)
class Layout:
    """How the files of one kind are laid out. `columns` has our name of a column by its name in the
    file, `declared_at` is the field of the campaign file that says all this; empty: none.
    """

    declared_at: str = ""
    encoding: Encoding = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    columns: Mapping[str, str] = field(default_factory=dict)

    def ours(self, names: Iterable[str]) -> list[str]:
        """The names of columns of a file, as we call them."""
        return [self.columns.get(name, name) for name in names]

    def theirs(self, name: str) -> str:
        """A column of ours by its name in the file, with ours where it is another one."""
        found = next((other for other, ours in self.columns.items() if ours == name), None)
        return f"{found} ({name})" if found else name

    def amount(self, text: str) -> str:
        """An amount with a point before its cents; one that has the other sign is none."""
        return text.translate(_SWAPPED) if self.decimal == "," else text

    def has_other_decimal(self, text: str) -> bool:
        """Whether an amount has a comma where the layout says point, or the other way round."""
        return bool(_WITH_OTHER_SIGN.fullmatch(self.amount(text)))

    def found(self, found: str, name: str, value: str) -> str:
        """What was found in place of what the layout says, and what to declare for it."""
        declared = {"encoding": self.encoding, "delimiter": _word(self.delimiter)}.get(
            name, self.decimal
        )
        text = f"found {_SIGNS.get(found, found)}, expected {_SIGNS.get(declared, declared)}"
        return f'{text}: declare {self.declared_at}.{name}: "{value}"' if self.declared_at else text


STANDARD = Layout()


def _word(delimiter: str) -> str:
    return next(word for word, sign in DELIMITERS.items() if sign == delimiter)


def other_delimiter(line: str, layout: Layout, wanted: Sequence[str]) -> str | None:
    """How a header is separated that has none of the wanted columns as the layout reads it; None
    when no other sign separates it into any.
    """
    for word, sign in DELIMITERS.items():
        names = layout.ours(name.strip('" ') for name in line.split(sign))
        if sign != layout.delimiter and len(set(names).intersection(wanted)) > 1:
            return word
    return None


class NotUtf16Error(ValueError):
    """The bytes are no UTF-16 at all, or not from `line` on (0: from the beginning)."""

    def __init__(self, line: int) -> None:
        super().__init__("not utf-16")
        self.line = line


def utf16_of(head: bytes) -> str | None:
    """Which UTF-16 a file is that begins with these bytes; None for anything else.

    Without a mark, half of what a header is made of is zeros.
    """
    marked = _UTF16_BOMS.get(head[:2])
    if marked or len(head) < 2:
        return marked
    zeros = head[0] == 0, head[1] == 0
    return {(False, True): "utf-16-le", (True, False): "utf-16-be"}.get(zeros)


def utf8_of_utf16(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8, chunk by chunk. `NotUtf16Error`."""
    rest = iter(chunks)
    head = b""
    while len(head) < 2 and (chunk := next(rest, None)) is not None:
        head += chunk
    if not head:
        return
    name = utf16_of(head)
    if name is None:
        raise NotUtf16Error(0)
    decoder = codecs.getincrementaldecoder(name)()
    line = 1
    try:
        for chunk in chain([head], rest):
            if text := decoder.decode(chunk):
                line += text.count("\n")
                yield text.encode()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(name)
        raise NotUtf16Error(line + before.count("\n")) from error


def is_utf8(raw: bytes) -> bool:
    """Whether bytes that are not ASCII are UTF-8: those of another encoding hardly ever are."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not raw.isascii()
