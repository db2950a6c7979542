"""What a part of the figures on abuse gives back: rows to print, numbers for JSON, and whether they
are within their bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One table. `figures` are what the rows say, for JSON."""

    title: str
    rows: Sequence[tuple[str, str]]
    figures: Mapping[str, object]
    holds: bool
