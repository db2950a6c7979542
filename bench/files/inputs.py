"""What the contests of files read: orders as a shop reports them, and rows of exports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.exports import VOUCHER_COLUMNS, ExportPart
from chalicelib.domain.files.orders import COLUMNS

BAD = 1_000  # each row of so many is wrong
STATUSES = ("placed", "kept", "returned")
PART_ROWS = 90  # as exports are stored


def write_orders(file: Path, rows: int) -> None:
    """Orders of a day: one in twenty with a code, one in a thousand with an amount that is none."""
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(",".join(COLUMNS) + "\n")
        out.writelines(_orders(rows))


def _orders(rows: int) -> Iterator[str]:
    for number in range(rows):
        digest = hashlib.sha256(number.to_bytes(8)).hexdigest()
        at = f"2026-05-{number % 31 + 1:02d}T{number % 24:02d}:{number % 60:02d}:07+02:00"
        code = f"WE-{number % 100_000:05d}-22222-2222" if number % 20 == 0 else ""
        amount = (
            "x" if number % BAD == BAD - 1 else f"{number % 9_000 // 100 + 10}.{number % 100:02}"
        )
        status = STATUSES[number % len(STATUSES)]
        yield f"FR-2026-{number:09},{at},{digest},{code},{amount},EUR,{status}\n"


def voucher_row(number: int) -> tuple[str, ...]:
    """The cells of a voucher, as an export prints them."""
    digest = hashlib.sha256(number.to_bytes(8)).hexdigest()
    issued = f"2026-03-02T{number % 24:02}:{number % 60:02}:00.{number % 1_000_000:06}+00:00"
    return (
        code_of(number), "welcome", "referee", digest, "10.00", "EUR", "40.00",
        "2026-03-01T23:00:00+00:00", "2026-05-01T21:59:59+00:00", issued, digest[:32], digest[32:],
        "money_off", "", "k1",
    )  # fmt: skip


def code_of(number: int) -> str:
    """A code of an export."""
    return f"WE{number:012}"


def export_parts(first: int, rows: int) -> Iterator[ExportPart]:
    """The parts of an export whose rows begin with the `first` voucher."""
    return (export_part(first, rows, part) for part in range(1, parts_of(rows) + 1))


def parts_of(rows: int) -> int:
    """How many parts an export of so many rows has."""
    return -(-rows // PART_ROWS)


def export_part(first: int, rows: int, part: int) -> ExportPart:
    """One of the `export_parts`."""
    start = first + (part - 1) * PART_ROWS
    numbers = range(start, min(start + PART_ROWS, first + rows))
    return ExportPart(
        campaign="bench",
        number=1,
        part=part,
        codes=tuple(map(code_of, numbers)),
        columns=VOUCHER_COLUMNS,
        rows=tuple(map(voucher_row, numbers)),
    )
