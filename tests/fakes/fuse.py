"""Simulated kills: a process dies at its n-th call to a port, before or after the effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from chalicelib.services.ports import Ports


class KilledError(BaseException):
    """The process is gone. No use case can catch it."""


class Fuse:
    """Counts the calls to ports; kills the process at the n-th (from 1)."""

    def __init__(self, goes_off_at: int, *, after_the_effect: bool) -> None:
        self.left = goes_off_at
        self._after = after_the_effect

    def on(self, ports: Ports) -> Ports:
        """The ports, watched."""
        watched = {
            name: cast(Any, _Watched(getattr(ports, name), self))
            for name in ("repository", "files", "mailer", "queues", "lists")
        }
        builder = cast(Any, _Watched(ports.list_builder(), self))
        return replace(ports, **watched, list_builder=lambda: builder)

    def burn(self, call: Callable[[], Any]) -> Any:
        """Make the call, or die before or after it."""
        self.left -= 1
        if self.left == 0 and not self._after:
            raise KilledError
        answer = call()
        if self.left == 0:
            raise KilledError
        return answer


class _Watched:
    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return lambda *args, **kwargs: self._fuse.burn(lambda: method(*args, **kwargs))


def killed_everywhere(
    begin: Callable[[], Any], run: Callable[[Any, Ports], object], ports_of: Callable[[Any], Ports]
) -> list[Any]:
    """Run a use case killed at its first call, its second, … until it survives; each world after.

    `begin` makes a new world each time.
    """
    worlds = []
    for after in (False, True):
        at = 0
        survived = False
        while not survived:
            at += 1
            world = begin()
            fuse = Fuse(at, after_the_effect=after)
            try:
                run(world, fuse.on(ports_of(world)))
                survived = fuse.left > 0
            except KilledError:
                pass
            worlds.append(world)
    return worlds
