"""One child process: its wall time, processor time and peak memory, and what it answered.

The kernel counts a child's peak from the memory of the process that started it, so children are
started by a launcher of a few megabytes and not by this one; that launcher is the floor of every
peak. Of several processes the kernel tells the largest one's peak, never the sum.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

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


class ContestantFailedError(Exception):
    """A child process ended badly; the message holds its last words."""


@dataclass(frozen=True)
class Run:
    """One run of one contestant. `answer` is the JSON object it printed last, {} for none."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    answer: Mapping[str, float]


def run(command: Sequence[str | Path], environment: Mapping[str, str]) -> Run:
    """Run a command (its first word a path) in the project's root; ContestantFailedError."""
    started = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, command)]
    done = subprocess.run(
        started,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    *printed, measured = done.stdout.splitlines()
    status, seconds, cpu_seconds, peak_bytes = json.loads(measured)
    if status:
        raise ContestantFailedError(f"{command[:4]}: {(done.stderr or done.stdout)[-2000:]}")
    said = [line for line in printed if line.startswith("{")]
    answer = json.loads(said[-1]) if said else {}
    return Run(seconds, cpu_seconds, peak_bytes, answer)
