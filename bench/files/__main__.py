"""`python -m bench.files [ROWS [MOST]]`: how fast files are read and written, in which memory.

Orders are read and checked beside a loop over `csv.DictReader` with a pydantic model of the same
rules; exports are written beside `csv` and `gzip`; MOST orders, and as many codes as ROWS that a
client acknowledges, are handled in a bounded memory; and a file in parts is killed at each step.
Prints a Markdown table and writes build/bench/files.json. Exits with 1 when an answer is wrong or a
bar is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pydantic
from rich.console import Console

from bench import report
from bench.files.inputs import BAD, write_orders
from bench.lists.processes import (
    Contestant,
    ContestantFailedError,
    Run,
    Settings,
    run_rounds,
)
from bench.lists.results import COLUMNS, MB, Bar, Check, Results, standings

ROWS = 1_000_000
MOST = 10_000_000  # rows of the largest file of orders
ROUNDS = 3
OURS = "Tandem"
PYDANTIC = "csv.DictReader and pydantic"
CSV = "csv and gzip"
FASTER = 3.0  # than the loop
NOT_SLOWER = 0.5  # of the speed of csv and gzip: the rows are read from stored parts, and summed
MOST_MB = {"export": 150, "orders": 300, "acknowledgement": 150}
KILLS = "tests/services/test_file_parts.py"


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.files")
    parser.add_argument("rows", metavar="ROWS", nargs="?", type=int, default=ROWS)
    parser.add_argument("most", metavar="MOST", nargs="?", type=int, default=MOST)
    sizes = parser.parse_args(arguments)
    console = Console(stderr=True)
    results = Results()
    report.FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="files-", dir=report.FOLDER) as folder,
            console.status("") as status,
        ):
            settings = Settings(sizes.rows, ROUNDS, Path(folder), status.update)
            contest(settings, sizes.most, results)
    except ContestantFailedError as error:
        console.print(f"bench: {error}", markup=False, soft_wrap=True)
        return 1
    measured_on = report.conditions(pydantic=pydantic.VERSION, rounds=str(ROUNDS))
    table = report.table(COLUMNS, results.rows())
    file = report.publish("files", measured_on, table, asdict(results))
    console.print(f"figures: {file.relative_to(report.ROOT)}")
    failures = [*results.failures()]
    for failure in failures:
        console.print(f"bench: {failure}", markup=False, soft_wrap=True)
    return 1 if failures else 0


def contest(settings: Settings, most: int, results: Results) -> None:
    """All contests, one after the other."""
    _read(settings, results)
    _write(settings, results)
    _read_most(settings, most, results)
    _acknowledge(settings, results)
    _kill(settings, results)


def _child(what: str, *words: object) -> tuple[str | Path, ...]:
    return (Path(sys.executable), "-m", "bench.files.contestants", what, *map(str, words))


def _read(settings: Settings, results: Results) -> None:
    """Both find the same good rows and the same bad ones."""
    name = f"read {settings.rows:,} orders"
    file = settings.file("orders.csv")
    settings.progress("writing orders")
    write_orders(file, settings.rows)
    contestants = [
        Contestant(OURS, _child("orders", file), (file,)),
        Contestant(PYDANTIC, _child("pydantic", file), (file,)),
    ]
    runs = run_rounds(contestants, settings)
    results.standings += standings(name, runs, OURS, time=lambda run: run.answer["seconds"])
    results.require_ratio(name, PYDANTIC, FASTER)
    bad = settings.rows // BAD
    for contestant, each in runs.items():
        right = all(
            (run.answer["accepted"], run.answer["rejected"]) == (settings.rows - bad, bad)
            for run in each
        )
        results.checks.append(Check(name, contestant, f"{bad:,} bad rows", right))
    sums = {run.answer["amounts"] for each in runs.values() for run in each}
    results.checks.append(Check(name, PYDANTIC, "the same amounts", len(sums) == 1))


def _write(settings: Settings, results: Results) -> None:
    """Both write the same rows; ours in exports of the size that they have, with manifests."""
    name = f"write {settings.rows:,} vouchers"
    contestants = [
        Contestant(OURS, _child("export", settings.rows)),
        Contestant(CSV, _child("csv", settings.rows)),
    ]
    runs = run_rounds(contestants, settings)
    results.standings += standings(name, runs, OURS, time=lambda run: run.answer["seconds"])
    results.require_ratio(name, CSV, NOT_SLOWER)
    _require_memory(results, name, MOST_MB["export"])
    for contestant, each in runs.items():
        right = all(run.answer["rows"] == settings.rows for run in each)
        results.checks.append(Check(name, contestant, "all rows", right))


def _read_most(settings: Settings, most: int, results: Results) -> None:
    """A file of many orders is read and cut into parts, as `ingest` does."""
    file = settings.file("most.csv")
    settings.progress(f"writing {most:,} orders")
    write_orders(file, most)
    parts = Contestant(OURS, _child("parts", file), (file,))
    answered = _alone(settings, f"cut {most:,} orders into parts", parts, "orders", results)
    file.unlink()
    answered("accepted", most - most // BAD)


def _acknowledge(settings: Settings, results: Results) -> None:
    """Each tenth code is refused, with a reason."""
    contestant = Contestant(OURS, _child("acknowledge", settings.rows))
    name = f"acknowledge {settings.rows:,} codes"
    answered = _alone(settings, name, contestant, "acknowledgement", results)
    answered("answers", settings.rows)
    answered("refused", settings.rows // 10)


def _alone(
    settings: Settings, name: str, contestant: Contestant, bar: str, results: Results
) -> Callable[[str, int], None]:
    """Run what has a bar of memory alone, once; what it is asked for its answer afterwards."""
    once = Settings(settings.rows, 1, settings.folder, settings.progress)
    return _answered(results, name, run_rounds([contestant], once)[OURS], bar)


def _answered(
    results: Results, name: str, runs: Sequence[Run], bar: str
) -> Callable[[str, int], None]:
    results.standings += standings(name, {OURS: runs}, OURS)
    _require_memory(results, name, MOST_MB[bar])
    [run] = runs

    def answered(what: str, wanted: int) -> None:
        results.checks.append(Check(name, OURS, f"{wanted:,} {what}", run.answer[what] == wanted))

    return answered


def _require_memory(results: Results, name: str, most: int) -> None:
    peak = results.standing(name, OURS).peak_bytes / MB
    results.bars.append(Bar(name, OURS, f"≤ {most} MB", f"{peak:,.0f} MB", peak <= most))


def _kill(settings: Settings, results: Results) -> None:
    """The suite's own scene: killed before and after each call, then delivered again."""
    settings.progress("killing a file in parts at each step")
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", KILLS, "-k", "killed_at_every_step")
    done = subprocess.run([sys.executable, *words], cwd=report.ROOT, capture_output=True, text=True)
    name = f"cut {MOST:,} orders into parts"
    [place] = {one.contest for one in results.standings if one.contest.startswith("cut ")} or {name}
    holds = done.returncode == 0 and "1 passed" in done.stdout
    results.checks.append(
        Check(place, OURS, "killed at each step: nothing twice, nothing missing", holds)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
