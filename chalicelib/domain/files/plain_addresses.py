"""Looking for plain addresses in a file that was refused for something else.

A file that cannot be read as what it should be may still be a file of addresses: under another
header, in another encoding, packed though it is not named so. Whoever refuses a file asks here
before it is left where it lies. Says where one stands, never what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from chalicelib.domain.files.reading import FileRefusedError, decompress

LOOKED_INTO = 256 << 20  # bytes, unpacked

_GZIP = b"\x1f\x8b"
_AT = re.compile(rb"[A-Za-z0-9._%+'\x80-\xff-]@(?=[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_LONGEST = 512  # bytes: an address cut by the end of a piece is whole in the next one


def first_address(chunks: Iterable[bytes]) -> int | None:
    """The line (from 1) of the first plain address in a file, packed or not; None without one."""
    line = 1
    held = b""
    for piece in _pieces(chunks):
        text = held + piece.replace(b"\0", b"")  # UTF-16, as far as it is ASCII
        if found := _AT.search(text):
            return line + _line_ends(text[: found.start()])
        cut = max(0, len(text) - _LONGEST)
        line += _line_ends(text[:cut])
        held = text[cut:]
    return None


def _line_ends(text: bytes) -> int:
    return text.count(b"\n") or text.count(b"\r")


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The file unpacked, as far as it can be and we look."""
    rest = iter(chunks)
    first = next(rest, b"")
    whole = chain([first], rest)
    left = LOOKED_INTO
    try:
        for piece in decompress(whole) if first.startswith(_GZIP) else whole:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return
    except FileRefusedError:
        return  # damaged from here on: what came before has been looked into
