"""The contest of building: a whole segment from a list, and a 1 % delta laid over a stored one.

What each contestant leaves is read back after the last round and must hold the same records.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.lists.figures import Calls, Check
from bench.lists.making import ADDED, appended, digest_list
from bench.lists.places import Setting, python
from bench.lists.processes import Run, run
from bench.lists.rounds import Contestant, in_turns, metronome

OURS = "our builder"
START = "of it, the start of its process"
SORT = "sort -u"
LOOP = "per-line loop"
FULL = "full build of the merged list"
DELTA = "1 % delta on the stored segment"
LOOP_UP_TO = 20_000_000  # rows: beyond that its set does not fit the memory of a small machine
REFERENCE_UP_TO = 10_000_000


def build(setting: Setting) -> dict[str, list[Run]]:
    """Every builder on the same list."""
    listed = setting.file("list.csv")
    setting.told("making a list")
    digest_list(listed, setting.rows)
    return in_turns([*_builders(setting, listed), metronome()], setting.rounds, setting.told)


def delta(setting: Setting) -> dict[str, list[Run]]:
    """Additions to the segment that `build` left, beside a build of all of it."""
    added, merged = setting.file("added.csv"), setting.file("merged.csv")
    setting.told("making a delta")
    digest_list(added, setting.rows // ADDED, seed=9)
    appended(merged, setting.file("list.csv"), added)
    base = setting.file("ours.seg")
    laid, whole = setting.file("delta.seg"), setting.file("merged.seg")
    contestants = [
        Contestant(DELTA, python("of_ours", "add", base, added, laid), (base, added), (laid,)),
        Contestant(FULL, python("of_ours", "full", merged, whole), (merged,), (whole,)),
    ]
    runs = in_turns(contestants, setting.rounds, setting.told)
    merged.unlink()
    return runs


def calls(runs: Sequence[Run]) -> Calls:
    """What our builder asked of S3; the same in every round."""
    answer = runs[0].answer
    names = ("gets", "got_bytes", "puts", "put_bytes")
    return Calls(*(int(answer[name]) for name in names))


def checks(setting: Setting, runs: Mapping[str, Sequence[Run]]) -> list[Check]:
    """All outputs hold the same records; ours are the bytes that the plain builder makes."""
    segment = setting.file("ours.seg")
    setting.told("comparing the outputs")
    ours = _records("segment", segment)
    found = [_same(name, ours, _records(kind, out)) for name, kind, out in _outputs(setting, runs)]
    if setting.rows <= REFERENCE_UP_TO:
        setting.told("building by the plain reference")
        same = run(python("checks", "reference", setting.file("list.csv"), segment), {}).answer
        found.append(
            Check("our segment is the plain reference's, byte for byte", same["same"] == 1, "")
        )
    laid, whole = setting.file("delta.seg"), setting.file("merged.seg")
    identical = filecmp.cmp(laid, whole, shallow=False)
    found.append(Check("a delta gives the bytes of a full build", identical, ""))
    return found


def _builders(setting: Setting, listed: Path) -> list[Contestant]:
    scratch = setting.file("scratch")
    scratch.mkdir()
    out = {name: setting.file(name) for name in ("ours.seg", "sort.txt", "duckdb.pq", "polars.pq")}
    sort = (shutil.which("sort") or "sort", "-u", "--parallel=2", "-S", "200M", "-T", scratch)
    found = [
        Contestant(
            OURS, python("of_ours", "full", listed, out["ours.seg"]), (listed,), (out["ours.seg"],)
        ),
        Contestant(START, (sys.executable, "-c", "import bench.lists.contestants.of_ours")),
        Contestant(
            SORT,
            (*sort, "-o", out["sort.txt"], listed),
            (listed,),
            (out["sort.txt"],),
            {"LC_ALL": "C"},
        ),
        Contestant(
            "DuckDB",
            python("of_duckdb", listed, out["duckdb.pq"], scratch, others=True),
            (listed,),
            (out["duckdb.pq"],),
        ),
        Contestant(
            "polars",
            python("of_polars", listed, out["polars.pq"], others=True),
            (listed,),
            (out["polars.pq"],),
            {"POLARS_MAX_THREADS": "2"},
        ),
    ]
    if setting.rows <= LOOP_UP_TO:
        plain = setting.file("loop.bin")
        found.append(Contestant(LOOP, python("of_loop", listed, plain), (listed,), (plain,)))
    return found


def _outputs(setting: Setting, runs: Mapping[str, Sequence[Run]]) -> list[tuple[str, str, Path]]:
    """Contestant, kind of its output, its file."""
    every = [
        (SORT, "text", setting.file("sort.txt")),
        ("DuckDB", "duckdb", setting.file("duckdb.pq")),
        ("polars", "polars", setting.file("polars.pq")),
        (LOOP, "plain", setting.file("loop.bin")),
    ]
    return [one for one in every if one[0] in runs]


def _records(kind: str, file: Path) -> Mapping[str, float]:
    return run(python("checks", "records", kind, file, others=True), {}).answer


def _same(name: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Check:
    found = f"{ours['count']:,} and {theirs['count']:,} records"
    return Check(f"the same records in the same order as {name}", dict(ours) == dict(theirs), found)
