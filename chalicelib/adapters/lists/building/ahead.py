"""Work started in a second thread before its result is needed: reading, decompressing, hashing and
sorting release the interpreter lock while they run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def second_thread() -> Iterator[Executor]:
    """A thread that ends with the context; work not started by then is cancelled.

    One more thread would hold one more part of a list in memory and wait for a processor.
    """
    thread = ThreadPoolExecutor(1)
    try:
        yield thread
    finally:
        thread.shutdown(cancel_futures=True)


def ahead(thread: Executor, work: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The result or error of each piece of work, in order; the next one is started in advance."""
    started: deque[Future[T]] = deque()
    for task in work:
        started.append(thread.submit(task))
        if len(started) > 1:
            yield started.popleft().result()
    while started:
        yield started.popleft().result()


def read_ahead(thread: Executor, items: Iterator[T]) -> Iterator[T]:
    """The items, read in advance in that thread, the only one to use their iterator."""
    following: Callable[[], T | None] = partial(next, items, None)
    for item in ahead(thread, repeat(following)):
        if item is None:
            return
        yield item
