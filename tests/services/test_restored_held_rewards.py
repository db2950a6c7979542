"""Held rewards of a table that was taken back: what was held, released, refused and fell away since
the moment is so again, and what each keeps free is counted once.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Budget, Reward, RewardRefusal, is_held, is_released
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.vouchers.review_rewards import refuse_reward, release_reward
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import World
from tests.services.test_held_rewards import RULES
from tests.services.test_restored_rewards import ordered
from tests.services.test_restored_vouchers import ahead, ticking
from tests.services.test_restoring import Taken, bring_forward, restore, take

JEANNE, PAUL, MARIE = "jeanne@example.fr", "paul@example.fr", "marie@example.fr"
OPS = "AROAOPS"
CAPS = {"sponsor_rewards": 5, "budget": "500.00"}


def reviewed(**changes: object) -> World:
    return ticking(review={"hold_over": 0, **changes}, rules=RULES, caps=CAPS)


def thanks(world: World, address: str, order: str) -> RewardKey:
    referral = world.referral(address)
    ordered(world, order, of=address, amount="40.00")
    return RewardKey(referral.referral_id, "thanks", 1)


def account(world: World) -> dict[str, object]:
    """What is held and what was decided, what is counted for it, and the vouchers."""
    return {
        "rewards": {
            str(RewardKey.of(one)): (
                one.hold and (one.hold.score, [each.signal for each in one.hold.signals]),
                is_held(one),
                is_released(one) and one.hold and one.hold.released_by,
                one.refused_reason,
                one.code_key is not None,
                one.revoked_at is None,
                one.value_minor,
                one.order_id,
            )
            for one in world.memory.all(Reward)
        },
        "referrals": sorted(one.rewards for one in world.memory.all(Referral)),
        "sponsors": sorted(one.rewards for one in world.memory.all(Sponsor)),
        "budget": [one.spent_minor for one in world.memory.all(Budget)],
        "vouchers": sorted(one.template for one in world.memory.all(Voucher)),
        "counts": world.repository.counts(CAMPAIGN),
    }


def again(world: World, taken: Taken) -> None:
    was = account(world)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert account(world) == was
    assert done.without_state == []


@pytest.mark.parametrize("since", ["the confirmations", "the holds"])
def test_what_became_of_held_rewards_is_so_again(since: str) -> None:
    world = reviewed()
    world.sponsor()
    taken = take(world)
    keys = [thanks(world, who, name) for who, name in ((JEANNE, "A1"), (PAUL, "B1"), (MARIE, "C1"))]
    if since == "the holds":
        world.export()
        world.run()
        taken = take(world)
    world.clock.advance(minutes=1)
    release_reward(world.ports, CAMPAIGN, keys[0], by=OPS)
    world.run()
    refuse_reward(world.ports, CAMPAIGN, keys[1], by=OPS)
    world.run()
    ordered(world, "C1", "returned", of=MARIE, amount="40.00")
    if since == "the confirmations":
        # Who came since is known again by a digest that a file has.
        for key in keys:
            release_reward(world.ports, CAMPAIGN, RewardKey(key.referral_id, "welcome", 0), by=OPS)
    world.run()
    world.export()
    world.run()
    again(world, taken)


def test_a_release_whose_voucher_is_not_issued_yet_is_granted_after_the_restore() -> None:
    world = reviewed()
    world.sponsor()
    key = thanks(world, JEANNE, "A1")
    taken = take(world)
    world.clock.advance(minutes=1)
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    was = account(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert account(world) == was
    assert [one.template for one in world.memory.all(Voucher)] == ["thank-you"]


def test_what_time_decided_is_so_again() -> None:
    world = reviewed(undecided="refuse")
    world.sponsor()
    key = thanks(world, JEANNE, "A1")
    taken = take(world)
    world.clock.advance(days=16)
    reconcile(world.ports)
    world.run()
    decided = world.repository.get(Reward, **vars(key))
    assert decided
    assert decided.refused_reason == RewardRefusal.NOT_DECIDED
    again(world, taken)


def test_a_hold_has_the_end_that_it_had() -> None:
    world = reviewed()
    world.sponsor()
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.run()
    [was] = [one.hold.ends_at for one in world.memory.all(Reward) if one.hold]
    restore(world, taken)
    bring_forward(world, taken)
    [now] = [one.hold.ends_at for one in world.memory.all(Reward) if one.hold]
    assert abs(now - was) < timedelta(seconds=1)


def test_without_a_budget_a_hold_keeps_none_free_again() -> None:
    world = ticking(review={"hold_over": 0}, rules=RULES)
    world.sponsor()
    taken = take(world)
    keys = [thanks(world, JEANNE, "A1"), thanks(world, PAUL, "B1")]
    refuse_reward(world.ports, CAMPAIGN, keys[1], by=OPS)
    world.run()
    for key in keys:
        # Who came since is known again by a digest that a file has.
        release_reward(world.ports, CAMPAIGN, RewardKey(key.referral_id, "welcome", 0), by=OPS)
    world.run()
    world.export()
    world.run()
    assert world.memory.all(Budget) == []
    again(world, taken)


def test_a_rung_that_fell_away_and_is_held_for_another_order_is_held_again() -> None:
    world = reviewed()
    world.sponsor()
    thanks(world, JEANNE, "A1")
    ordered(world, "A1", "returned", of=JEANNE, amount="40.00")
    [fallen] = [one for one in world.memory.all(Reward) if one.rule == "thanks"]
    assert not is_held(fallen)
    taken = take(world)
    world.clock.advance(minutes=1)
    ordered(world, "A2", of=JEANNE, amount="40.00")
    again(world, taken)


def test_law_4_a_rung_is_held_again_once_its_voucher_is_revoked_whatever_clocks_said() -> None:
    world = reviewed()
    world.sponsor()
    key = thanks(world, JEANNE, "A1")
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    taken = take(world)
    world.clock.advance(minutes=1)
    with ahead(world, minutes=5):
        ordered(world, "A1", "returned", of=JEANNE, amount="40.00")
    ordered(world, "A2", of=JEANNE, amount="40.00")
    held = world.repository.get(Reward, **vars(key))
    assert held
    assert is_held(held)
    again(world, taken)


def test_a_release_by_a_clock_that_is_ahead_of_the_grant_is_known_again() -> None:
    world = reviewed()
    world.sponsor()
    key = thanks(world, JEANNE, "A1")
    taken = take(world)
    world.clock.advance(minutes=1)
    with ahead(world, minutes=5):
        release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    again(world, taken)


def test_what_is_granted_without_a_review_after_one_that_was_released_counts_again() -> None:
    """The rung was held, released, granted and revoked; the next order gives no reason."""
    world = reviewed(hold_over=15, weights={"bought_and_returned": 0})
    world.sponsor()
    key = thanks(world, JEANNE, "A1")
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    ordered(world, "A1", "returned", of=JEANNE, amount="40.00")
    taken = take(world)
    ordered(world, "A2", of=JEANNE, amount="400.00")
    granted = world.repository.get(Reward, **vars(key))
    assert granted
    assert granted.code_key
    again(world, taken)
