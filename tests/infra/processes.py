"""The local stack as a process of its own: started, looked into, waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from infra.package import ROOT


def run(port: int, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """`python -m local` with its front on this port."""
    return subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, "TANDEM_PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid: int) -> set[int]:
    """Processes below `pid`, whatever group or session they are in."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    children: dict[int, list[int]] = {}
    for line in table.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def alive(pid: int) -> bool:
    """Whether the process runs, and is not merely waiting to be reaped."""
    state = _shown(pid, "stat")
    return bool(state) and not state.startswith("Z")


def command_of(pid: int) -> str:
    """What the process was started as; nothing when it is gone."""
    return _shown(pid, "args")


def _shown(pid: int, column: str) -> str:
    return subprocess.run(
        ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition came to hold within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
