"""Keeping an item that fails from stopping the others.

`failing` finds the bad ones among many, in halves, so that one of them costs few attempts;
`isolated` is for items that are worked on one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
OnFailure = Callable[[str, Exception], None]


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


@contextmanager
def isolated(item: str, on_failure: OnFailure) -> Iterator[None]:
    """Work on one of many items; `item` names it by a random id, for a log line."""
    try:
        yield
    except Exception as error:
        on_failure(item, error)


def raised(_: str, error: Exception) -> None:
    """What to do with a failure where nobody notes it."""
    raise error
