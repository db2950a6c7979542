"""`python -m bench`: start-up times, zip sizes, and the cost of every route and consumer.

Prints tables and writes the figures to build/bench.json. Needs the package that the local stack
runs (`python -m infra.package --target local`).
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.calls import Cost, costs
from bench.starts import ROUNDS, Start, starts

ROOT = Path(__file__).parents[1]
CODE = ROOT / "build" / "local" / "deployment.zip"
FIGURES = ROOT / "build" / "bench.json"
BAR = 1.2  # the api's start, times that of bare Chalice with one DynamoDB client


def main() -> int:
    """Measure, print, write."""
    console = Console()
    if not CODE.is_file():
        console.print("bench: no package: run `python -m infra.package --target local` first")
        return 1
    with console.status("starting functions"):
        started = starts(CODE)
    console.print(_starts_table(started))
    sizes = zip_sizes(CODE)
    console.print(_sizes_table(sizes))
    with console.status("playing stories"):
        spent = list(costs())
    console.print(_costs_table(spent))
    figures = {
        "starts": [asdict(one) for one in started],
        "zip": sizes,
        "calls": [asdict(one) for one in spent],
    }
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    console.print(f"figures: {FIGURES.relative_to(ROOT)}")
    return 0


def zip_sizes(code: Path) -> dict[str, int]:
    """Bytes of the zip, of what is in it, and of its largest parts."""
    with zipfile.ZipFile(code) as packed:
        entries = packed.infolist()
    parts: Counter[str] = Counter()
    for entry in entries:
        parts[entry.filename.split("/")[0]] += entry.compress_size
    return {
        "zip": code.stat().st_size,
        "unpacked": sum(entry.file_size for entry in entries),
        **dict(parts.most_common(8)),
    }


def _starts_table(started: list[Start]) -> Table:
    table = Table(title=f"Starts: medians of {ROUNDS} fresh processes, in turns; bar {BAR}")
    for column in ("function", "ms", "of bare"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for one in started:
        table.add_row(one.name, f"{one.median_ms:.0f}", f"{one.ratio:.2f}")
    return table


def _sizes_table(sizes: dict[str, int]) -> Table:
    table = Table(title="The zip, and the largest parts in it")
    table.add_column("part")
    table.add_column("KB", justify="right")
    for name, size in sizes.items():
        table.add_row(name, f"{size / 1000:,.0f}")
    return table


def _costs_table(spent: list[Cost]) -> Table:
    table = Table(title="Calls to AWS, with warm caches")
    table.add_column("route or work")
    table.add_column("calls")
    for column in ("RU", "WU", "sent", "received"):
        table.add_column(column, justify="right")
    for one in spent:
        table.add_row(
            one.name,
            one.in_short,
            f"{one.read_units:g}",
            f"{one.write_units:g}",
            f"{one.sent_bytes:,}",
            f"{one.received_bytes:,}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
