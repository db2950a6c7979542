"""Exports: numbered voucher files on their way to the client (law 5).

open ── part, part, … ── sealed ── file and manifest written ── written

An export whose file cannot be encrypted goes back to `open` where a person in it is forgotten.

Files of changes (`changes_files.py`) are numbered and go through the same states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeVar

from chalicelib.domain.benefits import Benefit, PercentOff, kind_of
from chalicelib.domain.entity import Entity, require, require_move
from chalicelib.domain.money import decimal_text
from chalicelib.domain.vouchers import Voucher


class ExportState(StrEnum):
    """`open`: vouchers are added; `sealed`: complete; `written`: in `out/`, permanently."""

    OPEN = "open"
    SEALED = "sealed"
    WRITTEN = "written"


@dataclass(frozen=True, kw_only=True)
class FileSequence(Entity):
    """The number of the file that rows are added to now."""

    campaign: str
    number: int

    def following(self) -> Self:
        """The sequence at the next number."""
        return replace(self, number=self.number + 1)


@dataclass(frozen=True, kw_only=True)
class ExportSequence(FileSequence):
    """The number of the export that vouchers are added to now."""


@dataclass(frozen=True, kw_only=True)
class NumberedFile(Entity):
    """A file of parts whose numbers have no gaps, from its first part to the file in `out/`, which
    is encrypted where the campaign had a key when it was sealed.
    """

    campaign: str
    number: int
    state: ExportState
    opened_at: datetime
    parts: int = 0
    rows: int = 0
    sealed_at: datetime | None = None
    sha256: str | None = None
    written_at: datetime | None = None
    is_encrypted: bool = False


F = TypeVar("F", bound=NumberedFile)


@dataclass(frozen=True, kw_only=True)
class Export(NumberedFile):
    """A numbered voucher file, from its first voucher to the client's acknowledgement."""

    acknowledged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ExportPart(Entity):
    """Rows of an export as printed cells, fixed when the vouchers were added; the file is made
    from these alone.
    """

    campaign: str
    number: int
    part: int
    codes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class WaitingRow(Entity):
    """What waits for a numbered file, in a shard of its campaign; `position` is its place there."""

    campaign: str
    shard: str
    position: str


@dataclass(frozen=True, kw_only=True)
class RowsPart(Entity):
    """Rows of a numbered file as text cells; the file is made from its parts alone."""

    campaign: str
    number: int
    part: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _ends_at(voucher: Voucher) -> datetime:
    # A voucher revoked before its export is exported too, already ended: no till accepts it.
    return min(voucher.valid_until, voucher.ended_at or voucher.valid_until)


def _percent(benefit: Benefit) -> str:
    return str(benefit.percent) if isinstance(benefit, PercentOff) else ""


# A new column is a line at the end: none is ever moved, renamed or removed, since parts of an open
# export keep the columns they were stored with.
VOUCHER_CELLS: Mapping[str, Callable[[Voucher], str]] = {
    "code": lambda voucher: voucher.code,
    "template": lambda voucher: voucher.template,
    "holder": lambda voucher: voucher.holder.value,
    "holder_digest": lambda voucher: voucher.holder_digest,
    "value": lambda voucher: decimal_text(voucher.value_minor),
    "currency": lambda voucher: voucher.currency,
    "minimum_basket": lambda voucher: decimal_text(voucher.minimum_basket_minor),
    "valid_from": lambda voucher: voucher.valid_from.isoformat(),
    "valid_until": lambda voucher: _ends_at(voucher).isoformat(),
    "issued_at": lambda voucher: voucher.issued_at.isoformat(),
    "referral": lambda voucher: voucher.referral_id,
    "voucher": lambda voucher: voucher.voucher_id,
    "kind": lambda voucher: kind_of(voucher.benefit),
    "value_percent": lambda voucher: _percent(voucher.benefit),
    "key_id": lambda voucher: voucher.holder_key_id or "",
}
VOUCHER_COLUMNS = tuple(VOUCHER_CELLS)


def voucher_cells(voucher: Voucher) -> tuple[str, ...]:
    """What an export prints of a voucher, a cell for each of `VOUCHER_COLUMNS`."""
    return tuple(cell(voucher) for cell in VOUCHER_CELLS.values())


_MOVES = {
    ExportState.OPEN: {ExportState.SEALED},
    ExportState.SEALED: {ExportState.WRITTEN},
}


def with_rows(file: F, rows: int) -> F:
    """The export or other numbered file with one more part, of so many rows."""
    is_open = file.state is ExportState.OPEN
    require(is_open, f"a part for a {type(file).__name__} that is {file.state.value}")
    return replace(file, parts=file.parts + 1, rows=file.rows + rows)


def next_part(export: Export, vouchers: Sequence[Voucher]) -> tuple[Export, ExportPart]:
    """The export with one more part, and that part with the rows of `vouchers`."""
    grown = with_rows(export, len(vouchers))
    return grown, ExportPart(
        campaign=export.campaign,
        number=export.number,
        part=grown.parts,
        codes=tuple(voucher.code_key for voucher in vouchers),
        columns=tuple(VOUCHER_CELLS),
        rows=tuple(map(voucher_cells, vouchers)),
    )


def sealed(file: F, now: datetime, *, is_encrypted: bool = False) -> F:
    """The export or other numbered file, complete: nothing is added any more."""
    state = require_move(file.state, ExportState.SEALED, _MOVES)
    return replace(file, state=state, sealed_at=now, is_encrypted=is_encrypted)


def reopened(file: F) -> F:
    """The sealed file as it was before: it may change again, as long as nothing of it is in
    `out/`. `IllegalMoveError`.
    """
    require(file.state is ExportState.SEALED, f"reopening a file that is {file.state.value}")
    return replace(file, state=ExportState.OPEN, sealed_at=None, is_encrypted=False)


def written(file: F, sha256: str, now: datetime) -> F:
    """The export or other numbered file, which is in `out/` with that SHA-256 (hex)."""
    state = require_move(file.state, ExportState.WRITTEN, _MOVES)
    return replace(file, state=state, sha256=sha256, written_at=now)


def acknowledged(export: Export, now: datetime) -> Export:
    """The export, which the client has loaded, once. `IllegalMoveError`.

    It may be `sealed`: the client reads the file as soon as it is there, which may be before that
    is noted.
    """
    is_complete = export.state in {ExportState.SEALED, ExportState.WRITTEN}
    is_new = is_complete and export.acknowledged_at is None
    require(is_new, f"acknowledging an export that is {export.state.value}")
    return replace(export, acknowledged_at=now)


def export_name(number: int) -> str:
    """`{export}` or `{number}`: padded so that names sort as numbers do."""
    return f"{number:08d}"


def export_path(campaign: str, number: int) -> str:
    """The path of an export's file, without its suffix."""
    return f"out/{campaign}/vouchers/{export_name(number)}"


def export_subject(export: Export) -> str:
    """The subject of an export's facts, also their correlation id."""
    return f"export-{export.campaign}-{export_name(export.number)}"
