"""`python -m bench`: start-up times, zip sizes, and the cost of every route and consumer.

Prints one Markdown table and writes build/bench/functions.json. Needs the package that the local
stack runs (`python -m infra.package --target local`). Exits with 1 when a function takes more than
1.2 times as much to start as bare Chalice with one DynamoDB client.
"""

from __future__ import annotations

import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from bench import report
from bench.calls import Cost, costs
from bench.starts import BARE, ROUNDS, Start, starts

CODE = report.ROOT / "build" / "local" / "deployment.zip"
SLOWEST_START = 1.2  # times the start of bare Chalice with one DynamoDB client
COLUMNS = ("what", "name", "figure", "detail")


def main() -> int:
    """Measure, print, write."""
    console = Console(stderr=True)
    if not CODE.is_file():
        console.print("bench: no package: run `python -m infra.package --target local` first")
        return 1
    with console.status("starting functions"):
        started = starts(CODE)
    sizes = zip_sizes(CODE)
    with console.status("calling every route and consumer"):
        spent = list(costs())
    figures = {
        "starts": [asdict(one) for one in started],
        "zip": sizes,
        "calls": [asdict(one) for one in spent],
    }
    measured_on = report.conditions(
        Chalice=version("chalice"),
        starts=f"median processor times of {ROUNDS} fresh processes, in turns",
    )
    markdown = report.table(COLUMNS, rows(started, sizes, spent))
    file = report.publish("functions", measured_on, markdown, figures)
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    if fast_enough(started):
        return 0
    console.print(f"bench: a function takes more than {SLOWEST_START} times bare Chalice's start")
    return 1


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


def fast_enough(started: Sequence[Start]) -> bool:
    """Whether all starts meet their bar."""
    return all(one.ratio <= SLOWEST_START for one in started)


def rows(
    started: Sequence[Start], sizes: Mapping[str, int], spent: Sequence[Cost]
) -> Iterator[tuple[str, str, str, str]]:
    """Starts, then sizes, then calls."""
    for one in started:
        detail = f"{one.ratio:.2f} × bare"
        if not one.name.startswith(BARE):
            verdict = "met" if fast_enough([one]) else "MISSED"
            detail += f"; bar ≤ {SLOWEST_START} ×, {verdict}"
        yield "start", one.name, f"{one.median_ms:.0f} ms", detail
    for name, size in sizes.items():
        yield "zip", name, f"{size / 1000:,.0f} KB", ""
    for cost in spent:
        units = f"{cost.read_units:g} RU, {cost.write_units:g} WU"
        moved = f"{cost.sent_bytes:,} bytes sent, {cost.received_bytes:,} received"
        yield "calls", cost.name, cost.summary, f"{units}; {moved}"


if __name__ == "__main__":
    sys.exit(main())
