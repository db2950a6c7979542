"""Sharing the time of a run: none of many things that need much of it keeps the others waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from chalicelib.services.ports import Clock

T = TypeVar("T")


def in_turn(clock: Clock, things: Iterable[T], until: datetime) -> Iterator[tuple[T, datetime]]:
    """Each thing, with the time at which its turn ends; then those again whose turn was not long
    enough, while it is not `until`.

    The time that is left is shared evenly among those whose turn is still to come, so what one
    leaves over goes to the next ones. Turns that take longer than their share are at the cost of
    the last ones, so another thing is the first one every minute.
    """
    waiting = rotated(list(things), by=int(clock().timestamp()) // 60)
    while waiting:
        not_done: list[T] = []
        for place, thing in enumerate(waiting):
            begins = clock()
            if begins >= until:
                return
            ends = begins + (until - begins) / (len(waiting) - place)
            yield thing, ends
            if clock() >= ends:
                not_done.append(thing)
        waiting = not_done


def rotated(things: list[T], by: int) -> list[T]:
    """The things, of which the first `by` come last."""
    first = by % len(things) if things else 0
    return things[first:] + things[:first]
