"""Blocks to worker processes and their answers back, in the order of the blocks.

Owns the processes: each is an interpreter of its own that runs worker.py, on every system alike,
and ends when the command ends, however that comes about: it is killed, or finds its input closed.
Memory stays flat: no more than two blocks per worker are on their way. One worker is none: the
work is done here.
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
from cli.hashing.worker import Order, digested_of, receive, send, send_order

# A Ctrl-C reaches every process of a terminal, and it is this one that answers it. -P, and the path
# given: what lies in the folder of the addresses is not imported.
_START = (
    "import sys, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = sys.argv[1:]; from cli.hashing.worker import work; work()"
)


def cores() -> int:
    """The processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def digested(blocks: Iterator[bytes], order: Order, jobs: int) -> Generator[Digested, None, None]:
    """The blocks digested by `jobs` processes, in their order; to be read to its end or closed.

    Raises BlockError, and CommandError when a worker is killed.
    """
    first = list(islice(blocks, 2))
    blocks = chain(first, blocks)
    if jobs == 1 or len(first) < 2:  # a process takes longer to start than to digest one block
        yield from map(order.digester().digest, blocks)
        return
    with ExitStack() as ending:
        # Entered first, so ended last: its threads wait for workers until those are killed.
        threads = ending.enter_context(ThreadPoolExecutor(jobs))
        workers = [ending.enter_context(_Worker(order)) for _ in range(jobs)]
        yield from _in_order(blocks, threads, workers)


class _Worker:
    """A process that answers one block at a time."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a trace might hold what the block held
        )
        self._ordered = False

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes():
            try:
                pipe.close()
            except OSError:  # what was not yet written has nobody to read it
                continue

    def answer(self, block: bytes) -> Digested:
        """Raises BlockError, and CommandError when the process has ended."""
        to_it, from_it = self._pipes()
        try:
            if not self._ordered:
                send_order(to_it, self._order)
                self._ordered = True
            send(to_it, {}, block)
            answer = receive(from_it)
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is None:
            raise CommandError(
                f"a worker process has ended early, exit code {self._process.wait()}: "
                "--jobs 1 does the work without one"
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

    on_their_way: deque[Future[Digested]] = deque()
    try:
        for block in blocks:
            on_their_way.append(threads.submit(answer, block))
            if len(on_their_way) == 2 * len(workers):
                yield on_their_way.popleft().result()
        while on_their_way:
            yield on_their_way.popleft().result()
    finally:
        for waiting in on_their_way:
            waiting.cancel()
