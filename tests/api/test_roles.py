"""What an account of the pool may do follows from its groups, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.api.operations import OPERATIONS
from tests.api.requests import GOOD
from tests.api.world import World

pytestmark = pytest.mark.slow

OF_THE_POOL = {one.name: one for one in OPERATIONS if one.security == "ops"}
NOBODY = [None, "", "[]", "sales", "opsx", "xops", "ops-marketing", "OPS", "[sales press]"]


def test_every_operation_of_the_pool_says_who_may_call_it_and_no_other_does() -> None:
    assert {one.name for one in OPERATIONS if one.roles} == set(OF_THE_POOL)
    assert all("ops" in one.roles for one in OF_THE_POOL.values())
    for_marketing = {name for name, one in OF_THE_POOL.items() if "marketing" in one.roles}
    assert for_marketing == {"get_dashboard", "list_campaigns"}


@pytest.mark.parametrize("groups", ["ops", "sales,ops", "[sales ops]", "[ops]", "ops, sales"])
@pytest.mark.parametrize("name", OF_THE_POOL)
def test_ops_may_call_all_of_them(world: World, name: str, groups: str) -> None:
    answer = world.ask(replace(GOOD[name](world), groups=groups))
    assert answer.status == next(iter(OF_THE_POOL[name].answers))


@pytest.mark.parametrize("name", OF_THE_POOL)
def test_marketing_sees_the_dashboard_and_decides_nothing(world: World, name: str) -> None:
    request = replace(GOOD[name](world), groups="marketing")
    before = world.table()
    answer = world.ask(request)
    if "marketing" in OF_THE_POOL[name].roles:
        assert answer.status == 200
    else:
        assert (answer.status, answer.problem) == (403, "no-role")
    assert world.table() == before


@pytest.mark.parametrize("groups", NOBODY)
def test_an_account_without_a_role_is_refused_before_anything_is_read(
    world: World, groups: str | None
) -> None:
    request = replace(GOOD["get_dashboard"](world), groups=groups)
    with world.recorder.recording() as calls:
        answer = world.ask(request)
    assert (answer.status, answer.problem) == (403, "no-role")
    assert "marketing, ops" in answer.json()["detail"]
    assert calls == []
