"""Contestants as child processes: wall time, processor time, peak memory, and what they answered.

They take turns (A B C, A B C, …), so that whatever slows the machine slows all of them. The kernel
counts a child's peak from the memory of the process that started it, so children are started by a
launcher of a few megabytes and not by this process; that launcher is the floor of every peak. Of
several processes the kernel reports the largest one's peak, not the sum.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.report import ROOT

OTHERS = ROOT / ".venv-bench" / "bin" / "python"  # the environment of DuckDB, polars and LMDB

_LAUNCHER = """
import json, os, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - began
print()
print(json.dumps([
    os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime,
    usage.ru_maxrss * 1024,
]))
"""
_FIXED_WORK = "import hashlib\nfor _ in range(40): hashlib.sha256(bytes(1 << 23)).digest()"


class ContestantFailedError(Exception):
    """A child process failed; the message has the end of its output."""


@dataclass(frozen=True)
class Settings:
    """What every contest needs: how many rows and rounds, where, and how to report progress."""

    rows: int
    rounds: int
    folder: Path
    progress: Callable[[str], None]

    def file(self, name: str) -> Path:
        """A file of this run; all files are on one disk, and removed at the end."""
        return self.folder / name


@dataclass(frozen=True)
class Run:
    """One run of one contestant. `answer` is the JSON object it printed last, {} for none."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    answer: Mapping[str, float]


@dataclass(frozen=True)
class Contestant:
    """A command, the files that it reads (cached before it runs) and writes (removed before).

    A slow one takes part in the first round alone.
    """

    name: str
    command: tuple[str | Path, ...]
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False


FIXED_WORK = Contestant("fixed work", (sys.executable, "-I", "-S", "-c", _FIXED_WORK))


def command(module: str, *words: str | Path, others: bool = False) -> tuple[str | Path, ...]:
    """To run a module of contestants/, in this environment or in that of the others."""
    interpreter = OTHERS if others else Path(sys.executable)
    return (interpreter, "-m", f"bench.lists.contestants.{module}", *words)


def run(words: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command (its first word a path) in the project's root; ContestantFailedError."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    *printed, measured = done.stdout.splitlines()
    status, seconds, cpu_seconds, peak_bytes = json.loads(measured)
    if status:
        raise ContestantFailedError(f"{words[:4]}: {(done.stderr or done.stdout)[-2000:]}")
    answers = [line for line in printed if line.startswith("{")]
    return Run(seconds, cpu_seconds, peak_bytes, json.loads(answers[-1]) if answers else {})


def run_rounds(contestants: Sequence[Contestant], settings: Settings) -> dict[str, list[Run]]:
    """Run every contestant once a round."""
    runs: dict[str, list[Run]] = {one.name: [] for one in contestants}
    for number in range(settings.rounds):
        for one in contestants:
            if number == 0 or not one.slow:
                settings.progress(f"round {number + 1} of {settings.rounds}: {one.name}")
                _prepare(one)
                runs[one.name].append(run(one.command, one.environment))
    return runs


def _prepare(one: Contestant) -> None:
    for path in one.writes:
        path.unlink(missing_ok=True)
    for path in one.reads:
        with path.open("rb", buffering=0) as content:
            while content.read(1 << 20):
                pass
    os.sync()  # so that no run pays for writing what the run before it left
