"""What a part of the figures on abuse gives back: rows to print, and numbers for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, what it came to, and what is promised of it."""

    what: str
    figure: str
    bound: str
    holds: bool

    @property
    def cells(self) -> Sequence[str]:
        """As printed."""
        return self.what, self.figure, self.bound, "yes" if self.holds else "**no**"


@dataclass(frozen=True)
class Part:
    """One part. `figures` are what the rows say, for JSON."""

    rows: Sequence[Row]
    figures: object
