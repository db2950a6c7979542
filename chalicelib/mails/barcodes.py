"""The bar code of a voucher, as a PNG for mails and as an SVG for pages.

Code 128 and EAN-13 are by python-barcode, QR by segno.

Both are pure Python. python-barcode only says which modules are dark; its own pictures need a
system library. A PNG of one bit a pixel is a few hundred bytes, which a mail carries with it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.domain.campaign.templates import Symbology

_BAR_HEIGHT = 72  # pixels as shown
_SCALE = 2  # as stored: screens of phones are finer than a pixel of a mail
_MODULE = {Symbology.CODE128: 1, Symbology.EAN13: 2, Symbology.QR: 5}  # pixels as shown
_QUIET = {Symbology.CODE128: 10, Symbology.EAN13: 11, Symbology.QR: 4}  # modules left white
_EAN13 = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, repr=False)
class BarCode:
    """A picture, and its size as shown, in pixels."""

    png: bytes
    width: int
    height: int


def bar_code(code: str, symbology: Symbology) -> BarCode | None:
    """The bar code that a till reads `code` from; None when the code cannot be written in it."""
    rows = _rows(code, symbology)
    if rows is None:
        return None
    module = _MODULE[symbology]
    width = len(rows[0]) * module
    height = len(rows) * module if symbology is Symbology.QR else _BAR_HEIGHT
    stored = [
        _packed(row, module * _SCALE) for row in rows for _ in range(height * _SCALE // len(rows))
    ]
    return BarCode(_png(stored, width * _SCALE), width, height)


def bar_code_svg(code: str, symbology: Symbology) -> str | None:
    """The same as an SVG, one unit a module; None when the code cannot be written in it."""
    rows = _rows(code, symbology)
    if rows is None:
        return None
    width = len(rows[0])
    height = len(rows) if symbology is Symbology.QR else width // 3
    runs = "".join(
        f"M{start} {at}h{length}v{height // len(rows)}h-{length}z"
        for at, row in enumerate(rows)
        for start, length in _dark(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{runs}"/></svg>'
    )


def _dark(row: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin, and how many follow one another."""
    start = 0
    for is_dark, run in groupby(row):
        length = len(list(run))
        if is_dark:
            yield start, length
        start += length


def _rows(code: str, symbology: Symbology) -> Sequence[Sequence[int]] | None:
    """The modules, 1 for dark, with the quiet zone that readers need around them."""
    quiet = _QUIET[symbology]
    if symbology is Symbology.QR:
        import segno

        made = segno.make_qr(code, error="m")
        return [list(row) for row in made.matrix_iter(border=quiet)]
    if symbology is Symbology.EAN13:
        if not is_ean13(code):
            return None
        from barcode.ean import EuropeanArticleNumber13 as Writer
    else:
        if not code.isascii() or not code.isprintable():
            return None
        from barcode.codex import Code128 as Writer
    [modules] = Writer(code).build()
    return [[0] * quiet + [int(module) for module in modules] + [0] * quiet]


def is_ean13(code: str) -> bool:
    """Whether a code is 13 figures, of which the last one checks the others."""
    if not _EAN13.fullmatch(code):
        return False
    figures = [int(figure) for figure in code]
    return (sum(figures[::2]) + 3 * sum(figures[1::2])) % 10 == 0


def _packed(row: Sequence[int], scale: int) -> bytes:
    """One line of pixels, eight to a byte: white is 1."""
    bits = "".join(("0" if module else "1") * scale for module in row)
    padded = bits + "1" * (-len(bits) % 8)
    return int(padded, 2).to_bytes(len(padded) // 8, "big")


def _png(lines: Sequence[bytes], width: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, len(lines), 1, 0, 0, 0, 0)  # one bit, grey
    content = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    chunks = ((b"IHDR", head), (b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
