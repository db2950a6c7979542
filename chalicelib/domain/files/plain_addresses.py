"""Searching for plain addresses in a file that was refused for another reason.

A file that cannot be parsed may still be a file of addresses: under another header, in another
encoding, or compressed without the suffix. A refused file is searched here before it is left in the
bucket. Returns the line of an address, never its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from chalicelib.domain.files.reading import FileRefusedError, decompress

MAX_SEARCHED = 256 << 20  # bytes, decompressed

_GZIP = b"\x1f\x8b"
_AT = re.compile(rb"[A-Za-z0-9._%+'\x80-\xff-]@(?=[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_LONGEST = 512  # bytes carried over to the next piece, so that no address is cut in two


def first_address(chunks: Iterable[bytes]) -> int | None:
    """The line (from 1) of the first plain address in a file, compressed or not; else None."""
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
    """The file decompressed, as far as possible and up to `MAX_SEARCHED`."""
    rest = iter(chunks)
    first = next(rest, b"")
    whole = chain([first], rest)
    left = MAX_SEARCHED
    try:
        for piece in decompress(whole) if first.startswith(_GZIP) else whole:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return
    except FileRefusedError:
        return  # damaged from here on; everything before has been searched
