"""A table brought forward from facts whose times do not have the order in which they happened.

Each machine has a clock of its own, so that what follows from a fact may have an earlier time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.services.facts import CLOCKS_DIFFER
from chalicelib.services.invitations.respond import decline
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.ports import Change
from tests.fakes.repository import MemoryRepository, StreamedRepository
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_restoring import (
    JEANNE,
    after,
    assert_agrees_but_for_files,
    before,
    bring_forward,
    restore,
    state,
    take,
    taken_undecided,
)


class OtherClocks(StreamedRepository):
    """Gives the facts of each commit the time of another machine. Without `chance`, the one of the
    next commit is always behind: nothing has its place in time any more.
    """

    def __init__(self, inner: MemoryRepository, chance: Random | None) -> None:
        super().__init__(inner)
        self._chance = chance
        self._ahead = CLOCKS_DIFFER

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        if self._chance:
            self._ahead = self._chance.uniform(-1, 1) * CLOCKS_DIFFER
        else:
            self._ahead -= timedelta(seconds=1)
        super().commit(*changes, facts=[replace(one, at=one.at + self._ahead) for one in facts])


def on_other_clocks(chance: Random | None = None) -> World:
    world = new_world()
    clocks = OtherClocks(world.memory, chance)
    clocks.stream += world.repository.stream
    world.repository, world.ports = clocks, replace(world.ports, repository=clocks)
    return world


def known(world: World) -> dict[str, Any]:
    """The state, but for the order that earned a reward which is revoked: with clocks that differ,
    the facts do not say any more which of several it was. Nothing asks for it.
    """
    found = state(world)
    rewards = {
        key: (is_granted, order_id if is_granted else None, *others)
        for key, (is_granted, order_id, *others) in found["rewards"].items()
    }
    return found | {"rewards": rewards}


@pytest.mark.parametrize("seed", [None, 1, 2], ids=str)
def test_what_follows_may_have_an_earlier_time_than_what_it_follows_from(seed: int | None) -> None:
    world = on_other_clocks(Random(seed) if seed else None)
    check_facts(world.ports)
    before(world)
    taken = take(world)
    after(world)
    was = known(world)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert known(world) == was
    # Whose address is lost, and who is in no file.
    assert {fact.name for fact in done.without_state} == {FactName.SIGN_IN_GRANTED}
    assert_agrees_but_for_files(world)


def test_law_2_who_declined_at_once_is_not_invited_by_another_whatever_the_clocks_said() -> None:
    world = on_other_clocks()
    session, other = world.sponsor(), world.sponsor(VIPS[1])
    taken = taken_undecided(world, session)
    decline(world.ports, world.token_of(JEANNE))
    world.run()
    restore(world, taken)
    [done] = bring_forward(world, taken)
    world.invite(other, JEANNE)
    world.run()
    assert done.without_state == []
    assert sorted(one.state for one in world.memory.all(Invitation)) == ["declined", "refused"]
    assert len(world.mailer.to(JEANNE)) == 1
