"""The icon of a pass: a ticket in the brand's colour, drawn here, because every pass must have one
and no campaign names a picture of that shape.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

POINTS: Final = 29  # as Apple has it; drawn for screens with one, two and three pixels a point


def ticket_icon(colour: str, ink: str, scale: int) -> bytes:
    """A PNG of two colours (#rrggbb): a ticket with a notch on each side, in `ink` on `colour`."""
    side = POINTS * scale
    bits = [[_is_ticket(x / scale, y / scale) for x in range(side)] for y in range(side)]
    rows = (bytes([0, *_packed(row)]) for row in bits)
    head = struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0)  # one bit, by a palette
    chunks = (
        (b"IHDR", head),
        (b"PLTE", bytes.fromhex(colour[1:]) + bytes.fromhex(ink[1:])),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _is_ticket(x: float, y: float) -> bool:
    is_inside = 5 <= x < 24 and 9 <= y < 20
    in_notch = any((x - side) ** 2 + (y - 14.5) ** 2 < 6 for side in (5, 24))
    return is_inside and not in_notch


def _packed(row: list[bool]) -> bytes:
    padded = row + [False] * (-len(row) % 8)
    bits = "".join("1" if bit else "0" for bit in padded)
    return int(bits, 2).to_bytes(len(padded) // 8, "big")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
