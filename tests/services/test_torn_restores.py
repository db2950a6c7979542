"""Restored tables that have what a transaction wrote and lack its fact.

A backup is of one second, and what is committed in that second may be in it in part: nothing of it
is done a second time, and nothing that builds on it is lost.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.ports import Change
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import templates
from tests.fakes.ports import TickingClock
from tests.fakes.repository import MemoryRepository
from tests.fakes.world import World, new_world
from tests.services.test_restored_vouchers import (
    again,
    first_code,
    purchase_now,
    returned,
    rewarded,
)
from tests.services.test_restoring import Taken, after, before


class TornTable(MemoryRepository):
    """Keeps what a restored table has when its moment is just that of a commit: what was written
    with facts of some names, without these facts. Of all facts, where no names are given.
    """

    def __init__(self, *names: FactName) -> None:
        super().__init__()
        self._names = names or tuple(FactName)
        self.torn: list[Taken] = []

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        if any(fact.name in self._names for fact in facts):
            lost = {
                place: fact
                for place, fact in self._facts.items()
                if fact.name in self._names and not fact.counted
            }
            kept = {place: fact for place, fact in self._facts.items() if place not in lost}
            at = self.clock()
            self.torn.append(Taken(at, *copy.deepcopy((self._items, kept, self._counts))))


def torn(*names: FactName, **changes: Any) -> tuple[World, TornTable]:
    """A world, and its table, which keeps what is torn."""
    table = TornTable(*names)
    return new_world(table, TickingClock(), **changes), table


def test_law_6_a_use_and_its_rollback_that_are_there_without_their_facts_are_no_others() -> None:
    world, table = torn(FactName.VOUCHER_REDEEMED, FactName.VOUCHER_ROLLED_BACK)
    code = first_code(world)
    redeem(world.ports, code, purchase_now(world, "T1"))
    roll_back(world.ports, code, "T1")
    world.run()
    again(world, table.torn[-1])


def test_a_refusal_that_is_there_without_its_fact_is_one_change_and_keeps_its_reason() -> None:
    world, table = torn(FactName.VOUCHER_REFUSED, templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/codes.csv", b"code\nRETAIL-000001\n")
    code = first_code(world)
    world.acknowledge(1, f"{code},no room in the till".encode())
    world.run()
    again(world, table.torn[-1])
    [voucher] = world.memory.all(Voucher)
    assert voucher.refused_reason == "no room in the till"


def test_law_4_a_voucher_that_is_there_without_its_fact_is_issued_once() -> None:
    world, table = torn(FactName.VOUCHER_ISSUED)
    rewarded(world)
    returned(world)
    for taken in list(table.torn):
        again(world, taken)


def test_what_was_revoked_without_its_fact_is_freed_once() -> None:
    world, table = torn(FactName.REWARD_REVOKED, caps={"budget": "60.00"})
    rewarded(world)
    returned(world)
    again(world, table.torn[-1])


@pytest.mark.slow
def test_whatever_transaction_the_moment_fell_into_all_is_as_it_was() -> None:
    world, table = torn()
    check_facts(world.ports)
    before(world)
    table.torn.clear()
    after(world)
    assert len(table.torn) > 30
    for taken in list(table.torn):
        again(world, taken)
