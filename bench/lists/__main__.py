"""`python -m bench.lists [SIZE]`: the digest-list engine compared with what else could do its work.

    python -m bench.lists         10 million rows, the size the bars are set for
    python -m bench.lists 1M      a quick look: below 10 million rows building has no bars of speed
    python -m bench.lists 100M    one round, without what needs too much memory at that size

Prints one Markdown table and writes build/bench/lists-ROWS.json. Exits with 1 when an output or an
answer is wrong, a contestant fails, or a bar is missed.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from bench import report
from bench.lists import build, hashing, lookup
from bench.lists.processes import OTHERS, ContestantFailedError, Settings
from bench.lists.results import COLUMNS, Results
from local.environment import EnvironmentFailedError, make

SIZE = 10_000_000
ROUNDS = 3
ONE_ROUND_ABOVE = 20_000_000  # rows


def main() -> int:
    """Measure, print, write."""
    console = Console(stderr=True)
    words = _parser().parse_args()
    rounds = words.rounds or (ROUNDS if words.size <= ONE_ROUND_ABOVE else 1)
    try:
        make(".venv-bench", "requirements-bench.txt")
        with console.status("") as status:
            results, measured_on = measure(words.size, rounds, status.update)
    except (EnvironmentFailedError, ContestantFailedError) as error:
        console.print(f"bench: {error}", markup=False, soft_wrap=True)
        return 1
    markdown = report.table(COLUMNS, results.rows())
    file = report.publish(f"lists-{words.size}", measured_on, markdown, asdict(results))
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    failures = list(results.failures())
    for failure in failures:
        console.print(f"bench: {failure}", markup=False, soft_wrap=True)
    return 1 if failures else 0


def measure(
    rows: int, rounds: int, progress: Callable[[str], None]
) -> tuple[Results, dict[str, str]]:
    """Run the contests, each on what the one before it left. Raises ContestantFailedError."""
    began = time.monotonic()
    results = Results()
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lists-", dir=report.FOLDER) as folder:
        settings = Settings(rows, rounds, Path(folder), progress)
        noise = build.contest(settings, results)
        lookup.contest(settings, results)
        hashing.contest(settings, results)
    measured_on = report.conditions(
        numpy=version("numpy"),
        SQLite=sqlite3.sqlite_version,
        **_other_versions(),
        rows=f"{rows:,}",
        rounds=str(rounds),
        noise=f"{noise:.2f} × (fixed work, slowest run over fastest)",
        took=f"{time.monotonic() - began:.0f} s",
    )
    return results, measured_on


def rows_of(size: str) -> int:
    """`10M` → 10,000,000. Raises ValueError."""
    return int(size[:-1]) * 1_000_000 if size.endswith("M") else int(size)


def _other_versions() -> dict[str, str]:
    names = ("duckdb", "polars", "lmdb")
    ask = f"from importlib.metadata import version\nfor name in {names}: print(version(name))"
    sort = _output(shutil.which("sort") or "sort", "--version").splitlines()[0]
    versions = _output(str(OTHERS), "-c", ask).split()
    return {**dict(zip(names, versions, strict=True)), "coreutils": sort.rpartition(" ")[2]}


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.lists")
    parser.add_argument(
        "size", metavar="SIZE", nargs="?", type=rows_of, default=SIZE, help="rows, as 1M or 1000000"
    )
    parser.add_argument("--rounds", type=int, help="turns of each contestant")
    return parser


if __name__ == "__main__":
    sys.exit(main())
