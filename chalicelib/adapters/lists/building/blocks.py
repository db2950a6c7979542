"""Cutting a stream of chunks into blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.domain.files.reading import MAX_LINE, FileRefusedError, bites

BLOCK = 1 << 20  # bytes: the arrays made of them fit a processor's cache


def whole_lines(chunks: Iterable[bytes], size: int = BLOCK) -> Iterator[bytes]:
    """Whole lines, each with its LF, about `size` bytes at a time.

    A missing LF is added to the last line. A line far too long ends the list, as it does in
    `lines.raw_lines`. When the chunks end in a refusal, the whole lines before it are yielded
    first: an address in them is more serious than the damage.
    """
    held: list[bytes] = []
    room = size
    try:
        for chunk in bites(chunks, size):
            held.append(chunk)
            room -= len(chunk)
            if room > 0:
                continue
            whole, rest = _cut(held)
            yield from whole
            if len(rest) > MAX_LINE:
                yield rest + b"\n"
                return
            held, room = [rest], size
    except FileRefusedError:
        whole, rest = _cut(held)
        yield from whole
        if len(rest) > MAX_LINE:
            yield rest + b"\n"
        raise
    last = b"".join(held)
    if last:
        yield last if last.endswith(b"\n") else last + b"\n"


def _cut(held: list[bytes]) -> tuple[list[bytes], bytes]:
    """The whole lines, if there are any, and what comes after them."""
    joined = b"".join(held)
    end = joined.rfind(b"\n") + 1
    return [joined[:end]] if end else [], joined[end:]
