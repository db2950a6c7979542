"""Reading in one call what a decision is going to look up one by one.

A use case that knows the keys beforehand reads them together; the look-ups it shares with others
stay as they are. What was read is for one decision: after a conflict it is read again, so nothing
is decided on what an earlier attempt has seen.

The keys are not read at one instant, and in no order. Where something has to be as new as what led
to it (the voucher that a stored order names), read it with the ports themselves, afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from chalicelib.domain.entity import Entity
from chalicelib.services.isolation import TRANSIENT
from chalicelib.services.ports import Found, Key, Ports, Repository

E = TypeVar("E", bound=Entity)


def read_together(ports: Ports, keys: Iterable[Key[Any]]) -> Ports:
    """The ports with a repository that has read these keys, `BATCH_LIMIT` at most, in one call: to
    look one of them up costs no further one. Where one of them cannot be read, the ports as they
    are: it concerns only who looks it up. `ContentionError`.
    """
    try:
        repository = _ReadTogether(ports.repository, dict.fromkeys(keys))
    except TRANSIENT:
        raise
    except Exception:
        return ports
    return replace(ports, repository=cast("Repository", repository))


def with_what_follows(
    keys: Iterable[Key[Any]], leads: Mapping[Key[Any], Key[Any]]
) -> list[Key[Any]]:
    """The keys, and those that they lead to, each once."""
    found = list(keys)
    for key in found:
        if key in leads and leads[key] not in found:
            found.append(leads[key])
    return found


class _ReadTogether:
    """A repository that answers from what it has read, and passes on whatever else is asked."""

    def __init__(self, repository: Repository, keys: Collection[Key[Any]]) -> None:
        self._repository = repository
        self._keys = frozenset(keys)
        self._found = repository.read(*keys)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._repository, name)
        return method

    def get(self, kind: type[E], /, **parts: str | int) -> E | None:
        key = Key.of(kind, **parts)
        if key in self._keys:
            return self._found.get(key)
        return self._repository.get(kind, **parts)

    def read(self, *keys: Key[Any]) -> Found:
        if self._keys.issuperset(keys):
            entities = self._found.entities
            return Found({key: entities[key] for key in keys if key in entities})
        return self._repository.read(*keys)
