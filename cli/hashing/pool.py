"""Blocks to worker processes and their answers back, in the order of the blocks.

Owns the processes: each is a separate interpreter that runs worker.py, in the same way on every
system, and ends with the command in any case: it is killed, or finds its input closed. Memory stays
bounded: at most two blocks per worker are pending. With one job there is no worker: the work is
done here.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from typing import IO

from cli.errors import CommandError
from cli.hashing.digesting import Digested
from cli.hashing.worker import DigestSettings, digested_of, receive, send, send_settings

# A Ctrl-C reaches every process of a terminal; only this one handles it. -P, and the path as
# arguments: nothing is imported from the folder of the addresses.
_START = (
    "import sys, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = sys.argv[1:]; from cli.hashing.worker import work; work()"
)


def cores() -> int:
    """The processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def digested(
    blocks: Iterator[bytes], settings: DigestSettings, jobs: int
) -> Generator[Digested, None, None]:
    """The blocks digested by `jobs` processes, in order; must be read to its end or closed.

    Raises BlockError, and CommandError when a worker is killed.
    """
    first = list(islice(blocks, 2))
    blocks = chain(first, blocks)
    if jobs == 1 or len(first) < 2:  # a process takes longer to start than to digest one block
        yield from map(settings.digester().digest, blocks)
        return
    with ExitStack() as stack:
        # Entered first, so exited last: its threads wait for workers until those are killed.
        threads = stack.enter_context(ThreadPoolExecutor(jobs))
        workers = [stack.enter_context(_Worker(settings)) for _ in range(jobs)]
        yield from _in_order(blocks, threads, workers)


class _Worker:
    """A worker process, which digests one block at a time."""

    def __init__(self, settings: DigestSettings) -> None:
        self._settings = settings
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback might contain addresses
        )
        self._has_settings = False

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes():
            try:
                pipe.close()
            except OSError:  # unwritten bytes, which nobody reads any more
                continue

    def answer(self, block: bytes) -> Digested:
        """Raises BlockError, and CommandError when the process has ended."""
        to_worker, from_worker = self._pipes()
        try:
            if not self._has_settings:
                send_settings(to_worker, self._settings)
                self._has_settings = True
            send(to_worker, {}, block)
            answer = receive(from_worker)
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is None:
            raise CommandError(
                f"a worker process has ended early, exit code {self._process.wait()}: "
                "--jobs 1 works without one"
            )
        return digested_of(*answer)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise ValueError("started without pipes")
        return process.stdin, process.stdout


def _in_order(
    blocks: Iterable[bytes], threads: ThreadPoolExecutor, workers: list[_Worker]
) -> Iterator[Digested]:
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def answer(block: bytes) -> Digested:
        worker = idle.get()
        try:
            return worker.answer(block)
        finally:
            idle.put(worker)

    pending: deque[Future[Digested]] = deque()
    try:
        for block in blocks:
            pending.append(threads.submit(answer, block))
            if len(pending) == 2 * len(workers):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
