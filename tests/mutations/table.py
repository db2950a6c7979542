"""The table of guards and what notices that one is missing: `catchers.json`.

A guard is caught, by a test or by mypy (`MYPY`); or it is left, with the reason why its absence
breaks no law; or it is open: nothing is known that notices its absence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CATCHERS = Path(__file__).parent / "catchers.json"
MYPY = "mypy"


@dataclass
class Table:
    """`caught`: by guard, the test. `left`: by guard, the reason. `open`: the others."""

    caught: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path = CATCHERS) -> Table:
        """The table as it is kept."""
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def settle(self, order: Iterable[str]) -> None:
        """Bring the table to these guards, in their order: what it says nothing of is open."""
        names = list(order)
        self.left = {name: self.left[name] for name in names if name in self.left}
        self.caught = {
            name: self.caught[name]
            for name in names
            if name in self.caught and name not in self.left
        }
        settled = self.caught.keys() | self.left.keys()
        self.open = [name for name in names if name not in settled]

    def write(self, path: Path = CATCHERS) -> None:
        """Keep the table."""
        kept = {"caught": self.caught, "left": self.left, "open": self.open}
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

    @property
    def by_mypy(self) -> int:
        """How many are caught by mypy."""
        return sum(test == MYPY for test in self.caught.values())
