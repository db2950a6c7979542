"""The pytest plugin: notes which tests meet which guards, or takes guards away one by one.

    trace   pytest runs the tests; of each, the guards it met and its seconds are kept
    tasks   pytest only collects; for each guard a child process takes it away and runs some tests
            until one fails

The code is imported and the tests are collected once, whatever the number of guards: each child is
a fork of that.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from _pytest.runner import runtestprotocol

from tests.mutations import hook, switches

# A test that runs for so long without its guard, or fills so much memory, has noticed it.
NEVER_ENDS_AFTER_S = 60.0
MEMORY_BYTES = 4 << 30


@dataclass
class Task:
    """A guard to be taken away, and the tests to run without it."""

    guard: str
    tests: Sequence[str]
    noticed_by: str | None = None
    broken: str | None = None
    seconds: float = 0.0
    ran: int = 0

    @property
    def outcome(self) -> str:
        """The test that failed or did not end, or what happened instead."""
        if self.noticed_by:
            return self.noticed_by
        return self.broken or f"{self.ran} tests notice nothing"


@dataclass
class Plugin:
    """With `tasks`, takes guards away; with `trace`, a folder, notes what the tests meet."""

    tasks: Sequence[Task] = ()
    trace: Path | None = None
    at_once: int = 2
    report: Callable[[Task], None] = lambda _: None

    def pytest_sessionstart(self) -> None:
        if self.tasks:
            from hypothesis import settings  # pytest has to be the first to import it

            settings.register_profile("mutations", database=None, derandomize=True)
            settings.load_profile("mutations")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        switches.met.clear()
        started = time.perf_counter()
        result = yield
        if self.trace:
            seconds = round(time.perf_counter() - started, 3)
            met = {"test": item.nodeid, "seconds": seconds, "met": sorted(switches.met)}
            self.trace.mkdir(parents=True, exist_ok=True)
            with (self.trace / f"{os.getpid()}.jsonl").open("a") as lines:
                lines.write(json.dumps(met) + "\n")
        return result

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if not self.tasks:
            return None
        if session.testsfailed:
            raise session.Interrupted("errors during the collection")
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()  # what is shared with the children is not copied
        _Runner(items, self.report).run(self.tasks, self.at_once)
        return True


@dataclass
class _Child:
    """A process for one task. It writes a line before each test, and `!` before the failing one."""

    task: Task
    pid: int
    pipe: int
    started: float
    written: bytes = b""
    last: float = field(default_factory=time.monotonic)

    @property
    def lines(self) -> list[str]:
        return self.written.decode().splitlines()

    @property
    def never_ends(self) -> bool:
        return bool(self.lines) and time.monotonic() - self.last > NEVER_ENDS_AFTER_S


class _Runner:
    """Runs tasks in child processes, some at the same time."""

    def __init__(self, items: Mapping[str, pytest.Item], report: Callable[[Task], None]) -> None:
        self._items = items
        self._report = report
        self._children: dict[int, _Child] = {}

    def run(self, tasks: Sequence[Task], at_once: int) -> None:
        """Run all tasks."""
        left = list(reversed(tasks))
        while left or self._children:
            while left and len(self._children) < at_once:
                task = left.pop()
                if task.tests and not any(name in self._items for name in task.tests):
                    task.broken = f"no test of the name {task.tests[0]}"
                    self._report(task)
                    continue
                child = self._start(task)
                self._children[child.pipe] = child
            if self._children:
                self._read()

    def _start(self, task: Task) -> _Child:
        reading, writing = os.pipe()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._be_child(task, writing)
        os.close(writing)
        return _Child(task, pid, reading, started)

    def _be_child(self, task: Task, pipe: int) -> NoReturn:
        code = 1
        try:
            os.setpgid(0, 0)
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(nothing, standard)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            switches.away = task.guard
            items = [self._items[name] for name in task.tests if name in self._items]
            for item, following in zip(items, [*items[1:], None], strict=True):
                os.write(pipe, f"{item.nodeid}\n".encode())
                reports = runtestprotocol(item, log=False, nextitem=following)
                if any(report.failed for report in reports):
                    os.write(pipe, f"!{item.nodeid}\n".encode())
                    break
            code = 0
        finally:
            os._exit(code)

    def _read(self) -> None:
        ready, _, _ = select.select(list(self._children), [], [], 1.0)
        for pipe in ready:
            child = self._children[pipe]
            read = os.read(pipe, 1 << 16)
            child.written += read
            child.last = time.monotonic()
            if not read:
                self._end(child)
        for child in [one for one in self._children.values() if one.never_ends]:
            child.written += f"!{child.lines[-1]}\n".encode()
            os.killpg(child.pid, signal.SIGKILL)
            self._end(child)

    def _end(self, child: _Child) -> None:
        del self._children[child.pipe]
        os.close(child.pipe)
        _, status = os.waitpid(child.pid, 0)
        task, lines = child.task, child.lines
        task.seconds = round(time.monotonic() - child.started, 2)
        task.ran = sum(not line.startswith("!") for line in lines)
        if lines and lines[-1].startswith("!"):
            task.noticed_by = lines[-1].removeprefix("!")
        elif status:
            task.broken = f"ended in {lines[-1]}" if lines else "ended before its first test"
        self._report(task)


def pytest_configure(config: pytest.Config) -> None:
    """What `-p tests.mutations.plugin` does, in each worker: trace."""
    if _TRACING and not config.pluginmanager.is_registered(_TRACING):
        config.pluginmanager.register(_TRACING)


_TRACING: Plugin | None = None
if _folder := os.environ.get("MUTATIONS_TRACE"):
    hook.install()  # before anything imports the code
    _TRACING = Plugin(trace=Path(_folder))
