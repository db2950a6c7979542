"""The switches that `finder` puts into the code: what a guard asks whether it is there.

One guard at most is `away`. `met` are those that a test would notice: not all that it runs over,
but those that had something to stop.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import wraps
from types import TracebackType
from typing import Any

from tests.mutations.finder import fragments

away: str | None = None
met: set[str] = set()


def on(name: str) -> bool:
    """Whether the guard is there."""
    met.add(name)
    return name != away


def off(name: str) -> bool:
    """Whether the guard is taken away."""
    return not on(name)


def types(name: str, caught: object) -> object:
    """The errors that a handler catches: none without it."""
    return caught if on(name) else ()


def required(name: str, call: Callable[[], object]) -> object:
    """A call that raises when something is wrong."""
    try:
        return call()
    except Exception:
        if on(name):
            raise
        return None


def decorated(
    name: str, decorator: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that tries again, or does not."""

    def switched(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def noted(*args: Any, **kwargs: Any) -> Any:
            met.add(f"called {name}")
            try:
                return function(*args, **kwargs)
            except Exception as error:
                if type(error).__name__ == "ConflictError":
                    met.add(name)
                raise

        with_it = decorator(noted)

        @wraps(function)
        def either(*args: Any, **kwargs: Any) -> Any:
            return (function if name == away else with_it)(*args, **kwargs)

        return either

    return switched


class _Isolated:
    """A context that swallows errors, or lets them pass."""

    def __init__(self, name: str, inner: Any) -> None:
        self._name, self._inner = name, inner

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:  # fmt: skip
        if kind and off(self._name):
            return False
        return self._inner.__exit__(kind, error, traceback)


class _Entered(_Isolated):
    """A context that is entered, or not."""

    def __enter__(self) -> Any:
        return self._inner.__enter__() if on(self._name) else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:  # fmt: skip
        return False if self._name == away else self._inner.__exit__(kind, error, traceback)


isolated = _Isolated
entered = _Entered


def keyword(name: str, argument: str, value: object) -> dict[str, object]:
    """A named argument, or none."""
    return {argument: value} if on(name) else {}


def attempts(name: str, number: int) -> int:
    """How often something is tried: once instead of often, thrice instead of once."""
    if on(name):
        return number
    return 3 if number == 1 else 1


def failures(name: str, failed: Sequence[object]) -> Sequence[object]:
    """What a batch's answer says has failed: nothing."""
    return [] if failed and off(name) else failed


def limit(name: str, value: Any) -> Any:
    """A limit: none, one attempt, or no time at all."""
    if on(name):
        return value
    if isinstance(value, timedelta):
        return timedelta(0)
    if "ATTEMPTS" in name or "RECONNECTS" in name:
        return 1
    return type(value)(1_000_000_000)


class _Members(frozenset[Any]):
    """A set without one of its members."""

    names: Mapping[Any, str]

    def __contains__(self, one: object) -> bool:
        return super().__contains__(one) and (one not in self.names or on(self.names[one]))

    def isdisjoint(self, others: Iterable[Any]) -> bool:
        return not any(one in self for one in others)

    def intersection(self, *others: Iterable[Any]) -> frozenset[Any]:
        return frozenset(one for one in super().intersection(*others) if one in self)

    def __or__(self, others: Any) -> _Members:
        return members(super().__or__(others), {**getattr(others, "names", {}), **self.names})


def members(value: Iterable[Any], names: Mapping[Any, str]) -> _Members:
    """A set whose members are guards, by their names."""
    made = _Members(value)
    made.names = names
    return made


def condition(names: Sequence[str], expression: str) -> str:
    """A condition of a write, one part of which decides nothing."""
    parts, joint = fragments(expression), " OR " if " OR " in expression else " AND "
    for place, name in enumerate(names):
        if off(name):
            parts[place] = _deciding_nothing(parts[place], joint)
    return joint.join(parts)


def _deciding_nothing(part: str, joint: str) -> str:
    if joint == " OR ":
        return f"({part} AND attribute_exists(never_there))"
    return f"({part} OR attribute_not_exists(never_there))"


class _Once:
    """Files of which `write_once` writes each time."""

    def __init__(self, name: str, files: Any) -> None:
        self._name, self._files = name, files

    def write_once(self, path: str, content: bytes, **arguments: Any) -> bool:
        written: bool = self._files.write_once(path, content, **arguments)
        if not written and off(self._name):
            self._files.write(path, content, **arguments)
            return True
        return written


once = _Once


def key(name: str, made: str) -> str:
    """A key that is the same each time, or another each time."""
    return made if on(name) else f"{made}-{uuid.uuid4().hex}"
