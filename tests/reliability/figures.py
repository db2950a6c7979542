"""A figure: what was done how often, and what was found of that which must not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

COLUMNS = ("what", "done", "found", "")


@dataclass(frozen=True)
class Figure:
    """`done` says how much was tried, `found` how often each thing happened that must not; it holds
    when none did and something was tried.
    """

    what: str
    done: Mapping[str, int]
    found: Mapping[str, int]
    details: Sequence[str] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether nothing was found, of something that was tried."""
        return not any(self.found.values()) and any(self.done.values())

    @property
    def cells(self) -> tuple[str, ...]:
        """As text."""
        verdict = "holds" if self.holds else "BROKEN"
        return self.what, _text(self.done), _text(self.found), verdict


def _text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
