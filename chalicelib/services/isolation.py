"""One thing that cannot be handled never stops its neighbours: it is counted and named.

Its name is its kind and a random id, never its key: the key of a voucher is a code. `Isolation` is
for things that are handled one by one; `failing` finds the bad ones among many that are handled
together, in halves, so that one of them costs few attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from chalicelib.services.errors import RetryLaterError
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.ports import ContentionError, Failure, OnFailure

T = TypeVar("T")
K = TypeVar("K")

# Not a fault of the thing itself: it is found again by the next run.
TRANSIENT = (RetryLaterError, ListUnavailableError, ContentionError)


class Isolation:
    """Counts what failed, each thing once, and apart from it what `has_to_wait`."""

    def __init__(
        self, on_failure: OnFailure, has_to_wait: tuple[type[Exception], ...] = TRANSIENT
    ) -> None:
        self._on_failure = on_failure
        self._has_to_wait = has_to_wait
        self._noted: set[tuple[str, str]] = set()
        self.failed = 0
        self.left = 0

    @contextmanager
    def of(self, kind: str, name: str) -> Iterator[None]:
        """Handle one thing inside the block."""
        try:
            yield
        except self._has_to_wait:
            self.left += 1
        except Exception as error:
            self.note(Failure(kind, name, error))

    def note(self, failure: Failure) -> None:
        """Count something that could not be handled."""
        if (failure.kind, failure.name) not in self._noted:
            self._noted.add((failure.kind, failure.name))
            self.failed += 1
            self._on_failure(failure)


def raised(failure: Failure) -> None:
    """What to do with a failure where nobody notes it."""
    raise failure.error


def failing(
    items: Sequence[T], work: Callable[[list[T]], object], *, at_most: int | None = None
) -> list[tuple[int, Exception]]:
    """Do the work on all items, in halves where they fail together; the places of those that fail
    alone, and their errors. `work` must bear repeats.

    After `at_most` of them the rest is left: then it is probably not the items.
    """
    found: list[tuple[int, Exception]] = []
    parts = [range(len(items))]
    while parts and (at_most is None or len(found) < at_most):
        part = parts.pop()
        try:
            work([items[place] for place in part])
        except Exception as error:
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
            else:
                found.append((part.start, error))
    return found


def read_apart(
    keys: Sequence[K], read: Callable[[list[K]], Iterable[T]]
) -> tuple[list[T], list[K]]:
    """What is read by the keys together, in halves where that fails; and the keys of what cannot be
    read.
    """
    found: list[T] = []
    try:
        return list(read(list(keys))), []
    except TRANSIENT:
        raise
    except Exception:
        failed = failing(keys, lambda some: found.extend(read(some)))
    return found, [keys[place] for place, _ in failed]
