"""Files of consents: numbered like exports, and immutable like them (law 5).

A part holds the rows of words that waited (`consents.py`), which leave the table with it. A word's
own time says which of several counts, so the files are in no particular order of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.consents import ConsentChange
from chalicelib.domain.exports import (
    FileSequence,
    NumberedFile,
    RowsPart,
    export_name,
    with_rows,
)

# A part is read until its file is written; it has digests that the client can read.
PART_KEPT = timedelta(days=35)


@dataclass(frozen=True, kw_only=True)
class ConsentsSequence(FileSequence):
    """The number of the file that words are added to now."""


@dataclass(frozen=True, kw_only=True)
class ConsentsFile(NumberedFile):
    """A numbered file of consents, from its first word to the file in `out/`."""


@dataclass(frozen=True, kw_only=True)
class ConsentsPart(RowsPart):
    """Rows of a file of consents as text cells; the file is made from these alone."""

    ends_at: datetime


# A new column is a line at the end, as in an export.
CONSENT_CELLS: Mapping[str, Callable[[ConsentChange], str]] = {
    "digest": lambda change: change.digest,
    "state": lambda change: change.state.value,
    "at": lambda change: change.at.isoformat(),
    "wording": lambda change: change.wording,
    "source": lambda change: change.source.value,
}
CONSENT_COLUMNS = tuple(CONSENT_CELLS)


def consent_cells(change: ConsentChange) -> tuple[str, ...]:
    """The row of a word, a cell for each of `CONSENT_COLUMNS`."""
    return tuple(cell(change) for cell in CONSENT_CELLS.values())


def next_consents_part(
    file: ConsentsFile, changes: Sequence[ConsentChange], now: datetime
) -> tuple[ConsentsFile, ConsentsPart]:
    """The file with one more part, and that part with the rows of `changes`."""
    grown = with_rows(file, len(changes))
    return grown, ConsentsPart(
        campaign=file.campaign,
        number=file.number,
        part=grown.parts,
        columns=CONSENT_COLUMNS,
        rows=tuple(map(consent_cells, changes)),
        ends_at=now + PART_KEPT,
    )


def consents_path(campaign: str, number: int) -> str:
    """The path of a file of consents, without its suffix."""
    return f"out/{campaign}/consents/{export_name(number)}"


def consents_subject(file: ConsentsFile) -> str:
    """The subject of the facts of a file of consents, also their correlation id."""
    return f"consents-{file.campaign}-{export_name(file.number)}"
