"""`python -m bench.lists [SIZE…]`: the digest-list engine beside what else could do its work.

    python -m bench.lists              1M and 10M
    python -m bench.lists 100M         once, with the contestants that such a size allows
    python -m bench.lists --publish    writes the tables and pictures of docs/performance.md from
                                       the figures of runs made before

Prints tables, writes build/bench/lists-SIZE.json and pictures beside it. Exits with 1 when an
output or a look-up is not exactly right; a bar that is missed is told, and fails nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench.lists import page
from bench.lists.contest import contest
from bench.lists.figures import Figures
from bench.lists.pictures import pictures
from bench.lists.places import FIGURES, Setting
from bench.lists.processes import ContestantFailedError
from bench.lists.table import sheets, shown
from local.environment import EnvironmentFailedError, make

SIZES = ("1M", "10M")
LINE = 150  # characters, in a file
ROUNDS = {1_000_000: 7, 10_000_000: 5, 50_000_000: 2}  # rounds up to that many rows; 1 beyond


def main() -> int:
    """Measure, print, write."""
    console = Console(width=None if sys.stdout.isatty() else LINE)
    words = _parser().parse_args()
    if words.publish:
        page.publish()
        return 0
    try:
        make(".venv-bench", "requirements-bench.txt")
        measured = [_measured(size, words.rounds, console) for size in words.sizes or SIZES]
    except (EnvironmentFailedError, ContestantFailedError) as error:
        console.print(f"bench: {error}", markup=False)
        return 1
    return 0 if all(check.holds for one in measured for check in one.checks) else 1


def _measured(size: str, rounds: int | None, console: Console) -> Figures:
    rows = page.rows_of(size)
    FIGURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=f"lists-{size}-", dir=FIGURES) as folder,
        console.status("") as status,
    ):
        told = lambda words: status.update(f"{size}: {words}")  # noqa: E731
        setting = Setting(rows, rounds or _rounds(rows), Path(folder), told)
        figures = contest(setting)
    for sheet in sheets(figures):
        shown(console, sheet)
    console.print(f"figures: {page.write(figures)}; noise of the machine {figures.noise:.2f} ×")
    for name, svg in pictures(figures).items():
        (FIGURES / f"{name}-{size}.svg").write_text(svg, encoding="utf-8")
    return figures


def _rounds(rows: int) -> int:
    return next((rounds for most, rounds in ROUNDS.items() if rows <= most), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.lists")
    parser.add_argument("sizes", metavar="SIZE", nargs="*", help="rows, as 1M or 1000000")
    parser.add_argument("--rounds", type=int, help="turns of each contestant")
    parser.add_argument("--publish", action="store_true", help="write the page instead of running")
    return parser


if __name__ == "__main__":
    sys.exit(main())
