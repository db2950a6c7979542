"""What everything stored has in common.

Every kind of entity is a frozen dataclass beside the moves it may make (`invitations.py`,
`vouchers.py`, `lists/model.py`, …). A change is made by `dataclasses.replace` and committed on
condition that the stored revision is still the one read (`ports.Replace`), so a change always
leaves the state it was decided on. Where entities are stored is in
`adapters.dynamodb.schema`. Money is in minor units; times are aware and in UTC.

A stored name is permanent: a field that is renamed keeps its old name as its alias, and one that is
added has a default or an upgrade in `adapters.dynamodb.upgrades`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import Field

S = TypeVar("S", bound=StrEnum)


class IllegalMoveError(ValueError):
    """A change that the state of an entity does not allow."""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Anything stored. `revision` is 0 until it is."""

    revision: int = 0


def stored_as(name: str) -> Any:
    """For a field that is stored under another name than it has here: `Annotated[str,
    stored_as("x")]`.

    What was stored once is read for good, so a field that is renamed keeps its stored name.
    """
    return Field(alias=name)


def require_move(before: S, after: S, moves: Mapping[S, Collection[S]]) -> S:
    """`after`, if `moves` lead there from `before`; `IllegalMoveError` otherwise."""
    if after not in moves.get(before, ()):
        raise IllegalMoveError(f"{type(before).__name__}: {before.value} to {after.value}")
    return after
