"""The contest of looking up: the same 20,000 hits and 20,000 misses for everybody, all exact."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.lists.figures import Check, Reads, Speed
from bench.lists.making import SAMPLE, sample
from bench.lists.places import Setting, python
from bench.lists.processes import Run, run
from bench.lists.rounds import Contestant, in_turns

AT_HAND = "our reader, bucket at hand"
FILE = "our reader, ranges of a file"
SQLITE = "SQLite"
MAPPED = "SQLite, mapped, immutable"
LMDB = "LMDB"
BISECT = "bisect in memory"


def look_up(setting: Setting) -> tuple[list[Speed], list[Reads], list[Check]]:
    """Of the segment that the builder left."""
    segment, asked = setting.file("ours.seg"), setting.file("sample.bin")
    sample(asked, setting.file("list.csv"), setting.rows)
    stored = _stored(setting, segment)
    runs = in_turns(_contestants(stored, segment, asked), setting.rounds, setting.told)
    setting.told("counting GETs")
    counted = run(python("of_reader", "counted", segment, asked), {}).answer
    return _speeds(runs, stored), _reads(counted), [_exact(name, runs[name]) for name in runs]


def _stored(setting: Setting, segment: Path) -> dict[str, Path]:
    """Each contestant's own form of the list."""
    stored = {AT_HAND: segment, FILE: segment, BISECT: segment}
    for name, module in ((SQLITE, "of_sqlite"), (LMDB, "of_lmdb")):
        setting.told(f"filling {name}")
        stored[name] = setting.file(f"{module}.db")
        run(python(module, "make", segment, stored[name], others=True), {})
    stored[MAPPED] = stored[SQLITE]
    return stored


def _contestants(stored: Mapping[str, Path], segment: Path, asked: Path) -> list[Contestant]:
    commands = {
        AT_HAND: python("of_reader", "at_hand", segment, asked),
        FILE: python("of_reader", "file", segment, asked),
        SQLITE: python("of_sqlite", "find", stored[SQLITE], asked, others=True),
        MAPPED: python("of_sqlite", "mapped", stored[MAPPED], asked, others=True),
        LMDB: python("of_lmdb", "find", stored[LMDB], asked, others=True),
        BISECT: python("of_bisect", segment, asked),
    }
    return [Contestant(name, command, (stored[name],)) for name, command in commands.items()]


def _speeds(runs: Mapping[str, Sequence[Run]], stored: Mapping[str, Path]) -> list[Speed]:
    return [_speed(name, taken, runs[AT_HAND], stored[name]) for name, taken in runs.items()]


def _speed(name: str, taken: Sequence[Run], ours: Sequence[Run], stored: Path) -> Speed:
    ratios = [_both(one) / _both(own) for one, own in zip(taken, ours, strict=True)]
    return Speed(
        name=name,
        hit_us=statistics.median(one.answer["hit_us"] for one in taken),
        miss_us=statistics.median(one.answer["miss_us"] for one in taken),
        ratio=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        peak_bytes=max(one.peak_bytes for one in taken),
        stored_bytes=stored.stat().st_size,
    )


def _both(one: Run) -> float:
    return one.answer["hit_us"] + one.answer["miss_us"]


def _reads(counted: Mapping[str, float]) -> list[Reads]:
    return [
        Reads(
            state=state,
            lookups=int(counted[f"{state}_lookups"]),
            gets_most=int(counted[f"{state}_gets_most"]),
            gets_mean=counted[f"{state}_gets_mean"],
            bytes_most=int(counted[f"{state}_bytes_most"]),
            bytes_mean=counted[f"{state}_bytes_mean"],
        )
        for state in ("cold", "warm")
    ]


def _exact(name: str, taken: Sequence[Run]) -> Check:
    asked = sum(int(one.answer["asked"]) for one in taken)
    wrong = sum(int(one.answer["wrong"]) for one in taken)
    whole = asked == 2 * SAMPLE * len(taken)
    return Check(
        f"every look-up exact: {name}", wrong == 0 and whole, f"{wrong} wrong of {asked:,}"
    )
