"""Whether concurrent calls can be put into one order that a sequential specification allows.

A history has, for each call, when it was invoked, when it was answered, and the answer. It is
linearizable when every call can be given one instant between the two, so that each answer is the
one that the specification gives at that instant. A call whose answer was lost has an unknown
outcome: it may have had its effect at any time after it was invoked, or never.

The search is Wing and Gong's, with Lowe's memory of what was tried: a set of calls that are placed,
and the state they lead to. Nothing of this knows AWS or Tandem.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C")  # what is called
S = TypeVar("S", bound=Hashable)  # the state of a specification


class Unknown:
    """The answer that nobody saw."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Event(Generic[C]):
    """A call: when it was invoked and answered, and how. An unknown answer has no time."""

    call: C
    invoked: int
    answered: int | None
    answer: object

    @classmethod
    def lost(cls, call: C, invoked: int) -> Event[C]:
        """A call that nobody knows the outcome of."""
        return cls(call, invoked, None, UNKNOWN)


@dataclass(frozen=True)
class Specification(Generic[S, C]):
    """What calls do one after the other: the state before the first, and what a call answers in a
    state and leads to. `refusals` are answers with which a call never changes anything.
    """

    first: S
    step: Callable[[S, C], tuple[object, S]]
    refusals: frozenset[object] = frozenset()


def is_linearizable(history: Sequence[Event[C]], specification: Specification[S, C]) -> bool:
    """Whether the history has an order that the specification allows."""
    answered = frozenset(
        number for number, event in enumerate(history) if event.answered is not None
    )
    tried: set[tuple[frozenset[int], S]] = set()
    open_: list[tuple[frozenset[int], S]] = [(frozenset(), specification.first)]
    while open_:
        placed, state = open_.pop()
        if answered <= placed:
            return True  # what has no answer may never have happened
        if (placed, state) in tried:
            continue
        tried.add((placed, state))
        allowed = []
        for number in _next(history, placed):
            answer, after = specification.step(state, history[number].call)
            if history[number].answer in {answer, UNKNOWN}:
                allowed.append((placed | {number}, after))
                # A refusal that fits now needs no other place: without it nothing is different.
                if history[number].answer in specification.refusals:
                    allowed = allowed[-1:]
                    break
        open_ += allowed
    return False


def _next(history: Sequence[Event[C]], placed: frozenset[int]) -> list[int]:
    """The calls that may come next: those invoked before any other that is left was answered."""
    left = [number for number in range(len(history)) if number not in placed]
    ends = [end for number in left if (end := history[number].answered) is not None]
    until = min(ends)
    return [number for number in left if history[number].invoked <= until]
