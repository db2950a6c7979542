"""Where a run keeps its files, and which interpreter a contestant runs under.

All files lie under one folder in build/, on one disk, and are taken away at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.lists.processes import ROOT

FIGURES = ROOT / "build" / "bench"
OTHERS = ROOT / ".venv-bench" / "bin" / "python"  # DuckDB, polars, LMDB


@dataclass(frozen=True)
class Setting:
    """What every contest is told: how large, how often, where, and whom to tell its progress."""

    rows: int
    rounds: int
    folder: Path
    told: Callable[[str], None]

    def file(self, name: str) -> Path:
        """A file of this run."""
        return self.folder / name


def python(module: str, *words: str | Path, others: bool = False) -> tuple[str | Path, ...]:
    """The command of a contestant, in our environment or in the others' one."""
    interpreter = OTHERS if others else Path(sys.executable)
    return (interpreter, "-m", f"bench.lists.contestants.{module}", *words)
