"""Held and refused rungs beside others, refusals that leave room, and work that fails in part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.lists.model import ListDelta
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Budget, Reward, is_active, is_held
from chalicelib.services.operations.end_lists import end_lists
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.ports import TRANSACTION_LIMIT, Failure, Insert, OnFailure
from chalicelib.services.vouchers.review_rewards import refuse_reward, release_reward
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import World, new_world
from tests.services.test_held_rewards import NEWCOMER, OPS, record
from tests.services.test_key_rotation import NO_CANARY, answered_in_every_way, put, settle

EACH_KEPT = {"id": "kept", "when": "order_kept", "issue": "second-order", "to": "referee"}


def two_held() -> tuple[World, RewardKey, RewardKey]:
    """Two orders, each with a held reward of the referee."""
    world = new_world(rules=[EACH_KEPT], review={"hold_over": 0})
    referral = world.referral(NEWCOMER)
    for order_id in ("A1", "A2"):
        world.clock.advance(minutes=1)
        record(world, world.order(order_id, "kept", of=NEWCOMER))
    first, second = (RewardKey(referral.referral_id, "kept", rung) for rung in (1, 2))
    assert [is_held(one) for one in world.memory.all(Reward)] == [True, True]
    return world, first, second


def state_of(world: World, key: RewardKey) -> str:
    found = world.repository.get(Reward, **vars(key))
    assert found
    if is_active(found):
        return "granted"
    return "held" if is_held(found) else found.refused_reason or "none"


def test_a_voucher_stands_for_the_order_that_is_left_when_a_held_one_falls_away() -> None:
    world, first, second = two_held()
    release_reward(world.ports, CAMPAIGN, second, by=OPS)
    world.run()
    record(world, world.order("A1", "returned", of=NEWCOMER))
    assert (state_of(world, first), state_of(world, second)) == ("none", "granted")


def test_a_refusal_takes_no_other_rung_away() -> None:
    world, first, second = two_held()
    refuse_reward(world.ports, CAMPAIGN, second, by=OPS)
    world.run()
    record(world, world.order("A1", "returned", of=NEWCOMER))
    assert (state_of(world, first), state_of(world, second)) == ("held", "refused_in_review")


def test_a_referees_refused_reward_leaves_the_sponsors_cap_and_makes_no_budget() -> None:
    to_sponsor = EACH_KEPT | {"id": "shared", "issue": "thank-you", "to": "sponsor"}
    world = new_world(rules=[EACH_KEPT, to_sponsor], review={"hold_over": 0})
    referral = world.referral(NEWCOMER)
    record(world, world.order("A1", "kept", of=NEWCOMER))
    refuse_reward(world.ports, CAMPAIGN, RewardKey(referral.referral_id, "kept", 1), by=OPS)
    world.run()
    assert [one.rewards for one in world.memory.all(Sponsor)] == [1]
    assert world.memory.all(Budget) == []


def test_people_are_named_by_the_key_that_is_the_first_again() -> None:
    world = new_world(lists=NO_CANARY)
    answered_in_every_way(world)
    for keys in (("k2", "k1"), ("k1", "k2")):
        put(world, *keys)
        settle(world)
        assert {one.referee.key_ids[0] for one in world.memory.all(Referral)} == {keys[0]}


def test_any_number_of_deltas_ends_with_the_list_under_them(world: World) -> None:
    stored = next(one for one in ENTITIES if isinstance(one, ListDelta))
    before = world.clock()
    for number in range(TRANSACTION_LIMIT + 1):
        delta = replace(
            stored, campaign=CAMPAIGN, name="customers", revision=0,
            position=f"2020-01-01T00:00:00.{number:06}Z#a",
        )  # fmt: skip
        world.repository.commit(Insert(delta))
    end_lists(world.ports, CAMPAIGN)
    kept = {one.ends_at for one in world.memory.all(ListDelta)}
    assert kept == {before + timedelta(days=30)}


def test_a_part_of_the_journal_that_cannot_be_read_holds_up_no_other_finding(world: World) -> None:
    recorded = RecordingRepository(world.repository)

    def within(kind: Any, on_failure: OnFailure | None = None, /, **key: Any) -> Iterator[Any]:
        if kind is JournalPart and key == {"shard": 0}:
            raise TimeoutError
        return world.repository.within(kind, on_failure, **key)

    recorded.within = within
    failures: list[Failure] = []
    found = reconcile(replace(world.ports, repository=recorded), failures.append)
    assert [(one.kind, one.name) for one in failures] == [("journal", "00")]
    assert found["not_handled"] == 1
