"""Items that nobody can read, beside those that a command shows: named after the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.services.ports import Failure, OnFailure
from cli.errors import CommandError


@contextmanager
def naming_unreadable() -> Iterator[OnFailure]:
    """What a listing is given for those that cannot be read. Afterwards each is named by its kind
    and a random id; the command then fails with `CommandError`.
    """
    unreadable: list[Failure] = []
    yield unreadable.append
    names = list(dict.fromkeys(f"{one.kind} {one.name}" for one in unreadable))
    if names:
        raise CommandError(f"{len(names)} more cannot be read: {', '.join(names)}")
