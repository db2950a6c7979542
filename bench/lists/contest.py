"""All contests of one size, in order: each uses what the one before left in the folder."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from bench.lists import building, hashing, looking_up
from bench.lists.bars import bars
from bench.lists.cost import Ingested, bill
from bench.lists.figures import Calls, Figures, Machine, Standing
from bench.lists.places import OTHERS, Setting
from bench.lists.rounds import METRONOME, standings
from bench.lists.segments import header_of


def contest(setting: Setting) -> Figures:
    """Run them all. Raises ContestantFailedError."""
    built = building.build(setting)
    beat = [run.seconds for run in built.pop(METRONOME)]
    laid = building.delta(setting)
    checks = building.checks(setting, built)
    setting.told("looking up")
    speeds, reads, exact = looking_up.look_up(setting)
    hashed, digests = hashing.hash_addresses(setting)
    build, delta = standings(built, building.OURS), standings(laid, building.DELTA)
    full_calls, delta_calls = (
        building.calls(built[building.OURS]),
        building.calls(laid[building.DELTA]),
    )
    segment = setting.file("ours.seg")
    return Figures(
        rows=setting.rows,
        distinct=header_of(segment).count,
        rounds=setting.rounds,
        machine=_machine(),
        noise=max(beat) / min(beat),
        build=build,
        build_calls=full_calls,
        delta=delta,
        delta_calls=delta_calls,
        speeds=speeds,
        reads=reads,
        hashed_rows=hashing.ROWS,
        hashing=standings(hashed, hashing.ALL_CORES),
        costs=bill(
            setting.rows,
            segment.stat().st_size,
            _ingested(setting, build, building.OURS, "list.csv", full_calls),
            _ingested(setting, delta, building.DELTA, "added.csv", delta_calls),
            reads,
        ),
        checks=[*checks, *exact, *digests],
        bars=bars(setting.rows, build, delta, speeds, reads),
    )


def _ingested(
    setting: Setting, ranked: list[Standing], ours: str, listed: str, calls: Calls
) -> Ingested:
    own = next(one for one in ranked if one.name == ours)
    return Ingested(own.cpu_seconds, setting.file(listed).stat().st_size, calls)


def _machine() -> Machine:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        day=datetime.now(UTC).date().isoformat(),
        cores=os.cpu_count() or 1,
        memory_bytes=pages * size,
        system=f"{platform.system()}, {platform.machine()}",
        versions={
            "Python": platform.python_version(),
            "numpy": version("numpy"),
            "SQLite": sqlite3.sqlite_version,
            **_others(),
        },
    )


def _others() -> Mapping[str, str]:
    """What the other contestants are: `sort` says it itself, the rest their environment."""
    asked = (
        "from importlib.metadata import version as v; print(v('duckdb'), v('polars'), v('lmdb'))"
    )
    duckdb, polars, lmdb = _said(str(OTHERS), "-c", asked).split()
    sort = _said(shutil.which("sort") or "sort", "--version").splitlines()[0].rpartition(" ")[2]
    return {"DuckDB": duckdb, "polars": polars, "py-lmdb": lmdb, "coreutils": sort}


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
