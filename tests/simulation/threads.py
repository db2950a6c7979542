"""Threads of a worker, without threads: their calls are the worker's own.

A real thread would make its calls outside of the scheduler, so they would meet no fault and keep no
order. Here work that is handed to a pool is done at once, and a `map` in an order that a seed
draws: each call of it may meet a fault, and other workers' calls come between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from random import Random
from types import ModuleType
from typing import Any
from unittest.mock import patch

from chalicelib.adapters import s3
from chalicelib.adapters.lists.building import ahead, spill
from chalicelib.services.operations import check_facts

_WITH_THREADS: tuple[ModuleType, ...] = (s3, ahead, spill, check_facts)


class Pool(Executor):
    """See the module."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        asked = list(zip(*iterables, strict=False))
        order = list(range(len(asked)))
        self._chance.shuffle(order)
        done = {place: self.submit(fn, *asked[place]) for place in order}
        return (done[place].result() for place in range(len(asked)))


@contextmanager
def without_threads(chance: Random) -> Iterator[None]:
    """Every pool of the functions is a `Pool`."""
    with ExitStack() as stack:
        for module in _WITH_THREADS:
            stack.enter_context(
                patch.object(module, "ThreadPoolExecutor", lambda *_, **__: Pool(chance))
            )
        yield
