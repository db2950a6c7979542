"""What all stored entities have in common.

Every kind of entity is a frozen dataclass, defined beside the state changes it allows
(`invitations.py`, `vouchers.py`, `lists/model.py`, …). A change is made by `dataclasses.replace`
and committed on condition that the stored revision is still the one read (`ports.Replace`), so a
change is never applied to another state than it was decided on. Where entities are stored is in
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
    """Anything stored. `revision` is 0 until it is stored."""

    revision: int = 0


def stored_as(name: str) -> Any:
    """For a field whose stored name differs: `Annotated[str, stored_as("x")]`.

    Items of every earlier version must stay readable, so a renamed field keeps its stored name.
    """
    return Field(alias=name)


def require_move(before: S, after: S, moves: Mapping[S, Collection[S]]) -> S:
    """`after`, if `moves` lead there from `before`; `IllegalMoveError` otherwise."""
    if after not in moves.get(before, ()):
        raise IllegalMoveError(f"{type(before).__name__}: {before.value} to {after.value}")
    return after


def require(holds: bool, move: str) -> None:
    """`IllegalMoveError` unless what a move depends on beside the state holds."""
    if not holds:
        raise IllegalMoveError(move)
