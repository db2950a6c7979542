"""The work on a row of a file, by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RowWork:
    """What is to be done for the row in a line. Rows of one `owner` are done in their order."""

    line: int
    owner: str
    do: Callable[[], None]
