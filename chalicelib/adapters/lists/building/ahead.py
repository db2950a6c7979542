"""Work begun in a second thread before it is asked for: reading, unpacking, hashing and sorting
leave the interpreter to others while they run.
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
    """One thread that has ended when this has, and begins nothing more once nobody wants it.

    A third one would hold one more part of a list in memory, and wait for a processor.
    """
    thread = ThreadPoolExecutor(1)
    try:
        yield thread
    finally:
        thread.shutdown(cancel_futures=True)


def ahead(thread: Executor, work: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What each piece of work gives or raises, in order; the next one is begun beforehand."""
    begun: deque[Future[T]] = deque()
    for one in work:
        begun.append(thread.submit(one))
        if len(begun) > 1:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def read_ahead(thread: Executor, items: Iterator[T]) -> Iterator[T]:
    """The items, made beforehand in that one thread, which alone touches their iterator."""
    following: Callable[[], T | None] = partial(next, items, None)
    for item in ahead(thread, repeat(following)):
        if item is None:
            return
        yield item
