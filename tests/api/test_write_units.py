"""What an invitation costs in write units, by DynamoDB's published rules, from the real items.

A write is one unit for each KB of the item, twice that in a transaction. An index is written where
what it has of the item changes: one entry removed, one added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from bench.capacity.recording import index_writes, write_units
from tests.api.world import World

Item = Mapping[str, Any]

pytestmark = pytest.mark.slow

# With one index of whole items and no index `due`: 54 until the mail has left, 8 for the
# confirmation, 23 for its reward.
UNITS_BEFORE = 85


class Meter:
    """The write units of everything that is written while it is on."""

    def __init__(self) -> None:
        self.units = 0
        self._items: dict[tuple[str, str], Item] = {}

    @contextmanager
    def on(self, world: World) -> Iterator[Meter]:
        """Count what the world's clients write inside the block."""
        events = world.ports.repository._clients.dynamodb.meta.events  # type: ignore[attr-defined]
        events.register("before-parameter-build.dynamodb", self._counted)
        try:
            yield self
        finally:
            events.unregister("before-parameter-build.dynamodb", self._counted)

    def _counted(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        match model.name:
            case "PutItem":
                self._write(None, params["Item"], 1)
            case "DeleteItem":
                self._write(params["Key"], None, 1)
            case "UpdateItem":
                self.units += 1
            case "TransactWriteItems":
                for action in params["TransactItems"]:
                    ((name, body),) = action.items()
                    if name == "Update":
                        self.units += 2
                    else:
                        self._write(body.get("Key"), body.get("Item"), 2)

    def _write(self, key: Item | None, after: Item | None, factor: int) -> None:
        named = after or key
        assert named
        place = named["pk"]["S"], named["sk"]["S"]
        before = self._items.pop(place, None)
        self.units += factor * write_units(before, after)
        self.units += sum(units for _, units in index_writes(before, after))
        if after:
            self._items[place] = after


def test_an_invitation_costs_no_more_write_units_than_before_the_index_due(world: World) -> None:
    session = world.sign_in()
    world.run()
    meter = Meter()
    costs: dict[str, int] = {}

    def spent(name: str) -> None:
        costs[name] = meter.units - sum(costs.values())

    with meter.on(world):
        token = world.invite(session)
        spent("decided, mailed, counted")
        world.confirm(token)
        spent("confirmed")
        world.run()
        spent("rewarded, counted")
    assert sum(costs.values()) <= UNITS_BEFORE * 1.05, costs
