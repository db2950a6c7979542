"""Contestants in turns (A B C, A B C, …), so that whatever slows the machine slows them all.

A ratio is taken within a round and then its median over the rounds; its spread is shown. A
metronome, a child process of fixed work, takes its turn too: the spread of its times is what the
machine itself adds.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.lists.figures import Standing
from bench.lists.processes import Run, run

METRONOME = "metronome"
_FIXED_WORK = "import hashlib\nfor _ in range(40): hashlib.sha256(bytes(1 << 23)).digest()"


@dataclass(frozen=True)
class Contestant:
    """A command, what it reads (put in the page cache first) and writes (taken away first)."""

    name: str
    command: tuple[str | Path, ...]
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def metronome() -> Contestant:
    """The same work for the processor, whatever the size."""
    return Contestant(METRONOME, (sys.executable, "-I", "-S", "-c", _FIXED_WORK))


def in_turns(
    contestants: Sequence[Contestant], rounds: int, told: Callable[[str], None]
) -> dict[str, list[Run]]:
    """Run every contestant once a round; `told` hears who runs."""
    runs: dict[str, list[Run]] = {one.name: [] for one in contestants}
    for turn in range(rounds):
        for one in contestants:
            told(f"round {turn + 1} of {rounds}: {one.name}")
            _make_ready(one)
            runs[one.name].append(run(one.command, one.environment))
    return runs


def standings(runs: Mapping[str, Sequence[Run]], ours: str) -> list[Standing]:
    """The contestants in order, with how many times our time each took."""
    return [_standing(name, taken, runs[ours]) for name, taken in runs.items()]


def _standing(name: str, taken: Sequence[Run], ours: Sequence[Run]) -> Standing:
    ratios = [one.seconds / own.seconds for one, own in zip(taken, ours, strict=True)]
    seconds = [one.seconds for one in taken]
    return Standing(
        name=name,
        seconds=statistics.median(seconds),
        fastest=min(seconds),
        slowest=max(seconds),
        cpu_seconds=statistics.median(one.cpu_seconds for one in taken),
        peak_bytes=max(one.peak_bytes for one in taken),
        ratio=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
    )


def _make_ready(one: Contestant) -> None:
    for path in one.writes:
        path.unlink(missing_ok=True)
    for path in one.reads:
        with path.open("rb", buffering=0) as content:
            while content.read(1 << 20):
                pass
    os.sync()  # nobody's run pays for what the one before left to be written
