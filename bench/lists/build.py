"""The contests of building: a whole segment from a list, and from a stored segment and a 1 % delta.

What each contestant wrote is read after the last round and must hold the same records.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.lists.inputs import DELTA_FRACTION, concatenate, write_list
from bench.lists.processes import FIXED_WORK, Contestant, Settings, command, run, run_rounds
from bench.lists.results import MB, Bar, Check, Results, standings

BUILD = "build"
DELTA = "1 % delta"
TANDEM = "Tandem's builder"
START = "start of its process alone"
SORT = "sort -u"
LOOP = "Python loop"
FULL_BUILD = "full build of the merged list"
DELTA_BUILD = "Tandem's builder, on the stored segment"

LARGE = 10_000_000  # rows: from there on speed has bars; beyond, the bar of memory is higher
MEMORY = 128 * MB  # of the builder's process, up to LARGE
MEMORY_BEYOND = 192 * MB
LOOP_UP_TO = 20_000_000  # rows: beyond that its set does not fit the memory of a small machine
REFERENCE_UP_TO = 10_000_000


def contest(settings: Settings, results: Results) -> float:
    """Run both. Returns the noise: the slowest run of the fixed work over its fastest."""
    settings.progress("writing a list")
    write_list(settings.file("list.csv"), settings.rows)
    runs = run_rounds([*_builders(settings), FIXED_WORK], settings)
    noise = [run.seconds for run in runs.pop(FIXED_WORK.name)]
    results.standings += standings(BUILD, runs, TANDEM)
    _contest_delta(settings, results)
    settings.progress("comparing the outputs")
    check_outputs(settings, results)
    add_bars(settings.rows, results)
    return max(noise) / min(noise)


def add_bars(rows: int, results: Results) -> None:
    """Add the bars of building. Those of speed are set for large lists alone."""
    most = MEMORY if rows <= LARGE else MEMORY_BEYOND
    peak = results.standing(BUILD, TANDEM).peak_bytes
    reached = f"{peak / MB:.0f} MB"
    results.bars.append(Bar(BUILD, TANDEM, f"≤ {most // MB} MB", reached, peak <= most))
    if rows < LARGE:
        return
    results.require_ratio(BUILD, SORT, 3)
    if rows <= LOOP_UP_TO:
        results.require_ratio(BUILD, LOOP, 10)
    results.require_ratio(DELTA, FULL_BUILD, 2)


def _builders(settings: Settings) -> Iterator[Contestant]:
    digests, scratch = settings.file("list.csv"), settings.file("scratch")
    scratch.mkdir()
    segment, text = settings.file("tandem.segment"), settings.file("sort.txt")
    by_duckdb, by_polars = settings.file("duckdb.parquet"), settings.file("polars.parquet")
    records = settings.file("loop.records")
    sort = (shutil.which("sort") or "sort", "-u", "--parallel=2", "-S", "200M", "-T", scratch)
    start = (sys.executable, "-c", "import bench.lists.contestants.tandem_builder")
    full = command("tandem_builder", "full", digests, segment)
    duckdb = command("columnar", "duckdb", digests, by_duckdb, scratch, others=True)
    polars = command("columnar", "polars", digests, by_polars, others=True)
    threads = {"POLARS_MAX_THREADS": "2"}
    yield Contestant(TANDEM, full, (digests,), (segment,))
    yield Contestant(START, start)
    yield Contestant(SORT, (*sort, "-o", text, digests), (digests,), (text,), {"LC_ALL": "C"})
    yield Contestant("DuckDB", duckdb, (digests,), (by_duckdb,))
    yield Contestant("polars", polars, (digests,), (by_polars,), threads)
    if settings.rows <= LOOP_UP_TO:
        loop = command("python_loops", "build", digests, records)
        yield Contestant(LOOP, loop, (digests,), (records,), slow=True)


def _contest_delta(settings: Settings, results: Results) -> None:
    added, merged = settings.file("added.csv"), settings.file("merged.csv")
    settings.progress("writing a delta")
    write_list(added, settings.rows // DELTA_FRACTION, seed=9)
    concatenate(merged, settings.file("list.csv"), added)
    base = settings.file("tandem.segment")
    patched, whole = settings.file("delta.segment"), settings.file("merged.segment")
    delta = command("tandem_builder", "delta", base, added, patched)
    full = command("tandem_builder", "full", merged, whole)
    contestants = [
        Contestant(DELTA_BUILD, delta, (base, added), (patched,)),
        Contestant(FULL_BUILD, full, (merged,), (whole,)),
    ]
    results.standings += standings(DELTA, run_rounds(contestants, settings), DELTA_BUILD)
    same = filecmp.cmp(patched, whole, shallow=False)
    results.checks.append(Check(DELTA, DELTA_BUILD, "the bytes of the full build", same))
    merged.unlink()


def check_outputs(settings: Settings, results: Results) -> None:
    """Every output must have our records, and our segment the bytes of the reference builder."""
    segment, records = settings.file("tandem.segment"), settings.file("tandem.records")
    run(command("tandem_reader", "records", segment, records))
    ours = _records("plain", records)
    outputs = [
        (SORT, "text", "sort.txt"),
        ("DuckDB", "duckdb", "duckdb.parquet"),
        ("polars", "polars", "polars.parquet"),
        (LOOP, "plain", "loop.records"),
    ]
    for contestant, kind, name in outputs:
        if settings.file(name).exists():
            theirs = _records(kind, settings.file(name))
            found = f"our {ours['count']:,} records"
            results.checks.append(Check(BUILD, contestant, found, theirs == ours))
    if settings.rows <= REFERENCE_UP_TO:
        settings.progress("building with the plain reference")
        answer = run(command("checks", "reference", settings.file("list.csv"), segment)).answer
        same = answer["same"] == 1
        results.checks.append(Check(BUILD, TANDEM, "the bytes of the reference builder", same))


def _records(kind: str, file: Path) -> Mapping[str, float]:
    return run(command("checks", "records", kind, file, others=True)).answer
