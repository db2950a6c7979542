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

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Anything stored. `revision` is 0 until it is."""

    revision: int = 0
