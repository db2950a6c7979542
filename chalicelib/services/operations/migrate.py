"""Writing again what an earlier version stored, so that it stands in the index `due`.

An item that is written leaves the former index, so nothing is kept of how far this is: it goes on
from wherever it was stopped, beside all other work.
"""

from __future__ import annotations

from typing import Any

from chalicelib.services.ports import CommandPorts, Key, Replace
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def write_again(ports: CommandPorts, key: Key[Any]) -> bool:
    """Store an entity as this version does; False when it is there no more."""
    entity = ports.repository.read(key).get(key)
    if entity is None:
        return False
    ports.repository.commit(Replace(entity))
    return True
