"""Exports: numbered voucher files on their way to the client (law 5).

open ── part, part, … ── sealed ── file and manifest written ── written
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.entity import Entity


class ExportState(StrEnum):
    """`open` takes vouchers in; `sealed` takes none; `written` stands in `out/` for good."""

    OPEN = "open"
    SEALED = "sealed"
    WRITTEN = "written"


@dataclass(frozen=True, kw_only=True)
class ExportSequence(Entity):
    """The number of the export that takes vouchers in now."""

    campaign: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Export(Entity):
    """A numbered voucher file, from its first voucher to the client's acknowledgement."""

    campaign: str
    number: int
    state: ExportState
    opened_at: datetime
    parts: int = 0
    rows: int = 0
    sealed_at: datetime | None = None
    sha256: str | None = None
    written_at: datetime | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ExportPart(Entity):
    """Rows of an export as the cells that they print, fixed when their vouchers were taken in; the
    file is made from these alone.
    """

    campaign: str
    number: int
    part: int
    codes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
