"""Files of changes: numbered like exports, and immutable like them (law 5).

open ── part, part, … ── sealed ── file and manifest written ── written

A part holds the rows of changes that waited (`changes.py`), which leave the table with it. Changes
of one voucher are in their order, in one file or in several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.exports import (
    FileSequence,
    NumberedFile,
    RowsPart,
    export_name,
    with_rows,
)


@dataclass(frozen=True, kw_only=True)
class ChangesSequence(FileSequence):
    """The number of the file that changes are added to now."""


@dataclass(frozen=True, kw_only=True)
class ChangesFile(NumberedFile):
    """A numbered file of changes, from its first change to the file in `out/`."""


@dataclass(frozen=True, kw_only=True)
class ChangesPart(RowsPart):
    """Rows of a file of changes as text cells; the file is made from these alone."""


# A new column is a line at the end, as in an export.
CHANGE_CELLS: Mapping[str, Callable[[VoucherChange], str]] = {
    "code": lambda change: change.code,
    "voucher": lambda change: change.voucher_id,
    "change": lambda change: change.change.value,
    "at": lambda change: change.at.isoformat(),
    "order_id": lambda change: change.order_id or "",
    "reason": lambda change: change.reason,
}
CHANGE_COLUMNS = tuple(CHANGE_CELLS)


def change_cells(change: VoucherChange) -> tuple[str, ...]:
    """The row of a change, a cell for each of `CHANGE_COLUMNS`."""
    return tuple(cell(change) for cell in CHANGE_CELLS.values())


def next_changes_part(
    file: ChangesFile, changes: Sequence[VoucherChange]
) -> tuple[ChangesFile, ChangesPart]:
    """The file with one more part, and that part with the rows of `changes`."""
    grown = with_rows(file, len(changes))
    return grown, ChangesPart(
        campaign=file.campaign,
        number=file.number,
        part=grown.parts,
        columns=CHANGE_COLUMNS,
        rows=tuple(map(change_cells, changes)),
    )


def changes_path(campaign: str, number: int) -> str:
    """The path of a file of changes, without its suffix."""
    return f"out/{campaign}/changes/{export_name(number)}"


def changes_subject(file: ChangesFile) -> str:
    """The subject of the facts of a file of changes, also their correlation id."""
    return f"changes-{file.campaign}-{export_name(file.number)}"
