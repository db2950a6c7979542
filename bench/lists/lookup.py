"""The contest of looking up: the same 20,000 hits and 20,000 misses for every contestant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.lists.inputs import SAMPLE, write_sample
from bench.lists.processes import Contestant, Run, Settings, command, run, run_rounds
from bench.lists.results import Bar, Check, Results, standings

LOOKUP = "look-up"
TANDEM = "Tandem's reader, bucket in memory"
SQLITE = "SQLite"

GET = 32 << 10  # bytes, at most, of a warm look-up
COLD_GETS = 3


def contest(settings: Settings, results: Results) -> None:
    """Look up in the segment, and in the records of it, that the contest of building left."""
    segment, sample = settings.file("tandem.segment"), settings.file("sample.records")
    write_sample(sample, settings.file("list.csv"), settings.rows)
    contestants = list(_contestants(settings, segment, sample))
    runs = run_rounds(contestants, settings)
    results.standings += standings(LOOKUP, runs, TANDEM, unit="µs", time=_microseconds)
    for name, found in runs.items():
        asked = sum(run.answer["asked"] for run in found)
        wrong = sum(run.answer["wrong"] for run in found)
        exact = wrong == 0 and asked == 2 * SAMPLE * len(found)
        results.checks.append(Check(LOOKUP, name, f"{asked:,} exact answers", exact))
    settings.progress("counting GETs")
    results.requests = run(command("tandem_reader", "requests", segment, sample)).answer
    add_bars(results)


def add_bars(results: Results) -> None:
    """Add the bars of looking up, whatever the size of the list."""
    cold = int(results.requests["cold_gets_most"])
    warm = int(results.requests["warm_gets_most"])
    size = int(results.requests["warm_bytes_most"])
    wanted, reached = f"cold ≤ {COLD_GETS} GETs", f"{cold}"
    results.bars.append(Bar(LOOKUP, TANDEM, wanted, reached, cold <= COLD_GETS))
    wanted, reached = "warm 1 GET ≤ 32 KB", f"{warm} GET, {size / 1024:.1f} KB"
    results.bars.append(Bar(LOOKUP, TANDEM, wanted, reached, warm == 1 and size <= GET))
    results.require_ratio(LOOKUP, SQLITE, 2)


def _contestants(settings: Settings, segment: Path, sample: Path) -> Iterator[Contestant]:
    """Each with its own form of the list."""
    records = settings.file("tandem.records")
    for name in ("sqlite", "lmdb"):
        settings.progress(f"filling {name}")
        run(command("lookups", f"make-{name}", records, settings.file(name), others=True))
    found = [
        (TANDEM, "tandem_reader", "memory", segment),
        ("Tandem's reader, ranges of a file", "tandem_reader", "file", segment),
        (SQLITE, "lookups", "sqlite", settings.file("sqlite")),
        ("SQLite, mapped, immutable", "lookups", "sqlite-mapped", settings.file("sqlite")),
        ("LMDB", "lookups", "lmdb", settings.file("lmdb")),
        ("bisect in memory", "lookups", "bisect", records),
    ]
    for name, module, word, file in found:
        words = command(module, word, file, sample, others=module == "lookups")
        yield Contestant(name, words, (file,))


def _microseconds(one: Run) -> float:
    """The mean of a hit and of a miss."""
    return (one.answer["hit_us"] + one.answer["miss_us"]) / 2
