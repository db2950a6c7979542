"""Rewards that are held: why, what a hold keeps free, who decides, and that one decision wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.review import Signal
from chalicelib.domain.effects import HELD, totals
from chalicelib.domain.facts import FactName
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Sponsor
from chalicelib.domain.review import DomainDay, NetworkAnswers, hold_ends_at
from chalicelib.domain.rewards import (
    Budget,
    Reward,
    RewardRefusal,
    is_held,
    is_released,
)
from chalicelib.domain.traces import NO_TRACES, Traces
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import Insert, Key
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.vouchers.review_rewards import (
    MOST_SHOWN,
    end_hold_due,
    held_rewards,
    refuse_reward,
    release_reward,
    value_of,
)
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_orders import record as recorded

OPS, MARKETING = "AROAOPS", "marketing-1"
# What one referee alone gives a score for: confirmed in seconds, and an order just large enough.
EVERYTHING = {"hold_over": 0}
RULES: list[dict[str, Any]] = [
    {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"},
    {"id": "thanks", "when": "order_kept", "if": {"order": 1, "minimum_amount": "40.00"},
     "issue": "thank-you", "to": "sponsor"},
]  # fmt: skip
NEWCOMER = "jeanne@example.fr"


def world_with(review: dict[str, Any] | None = EVERYTHING, **changes: Any) -> World:
    return new_world(**{"rules": RULES, "review": review} | changes)


def record(world: World, row: dict[str, str]) -> None:
    """An order, and all that follows from it."""
    recorded(world, row)
    world.run()


def held_in(world: World) -> list[Reward]:
    return [reward for reward in world.memory.all(Reward) if is_held(reward)]


def thanks_held(world: World, order_id: str = "A1", newcomer: str = NEWCOMER) -> RewardKey:
    """A referral whose order is just large enough, so that its sponsor's reward is held."""
    referral = world.referral(newcomer)
    record(world, world.order(order_id, "kept", of=newcomer, amount="40.00"))
    return RewardKey(referral.referral_id, "thanks", 1)


def reward(world: World, key: RewardKey) -> Reward:
    found = world.repository.get(Reward, **vars(key))
    assert found
    return found


def vouchers(world: World) -> list[str]:
    return sorted(one.template for one in world.memory.all(Voucher) if one.revoked_at is None)


def counted(world: World) -> dict[str, int]:
    summed = totals(world.repository.counts(CAMPAIGN))
    return {name: value for name, value in summed.items() if name.startswith(HELD) and value}


def later(world: World, by: timedelta) -> None:
    world.clock.now += by


# --- whether ------------------------------------------------------------------------------------


def test_a_campaign_without_a_review_holds_nothing_and_records_nothing() -> None:
    world = world_with(None)
    session = world.sponsor()
    world.invite(session, "a1@ring.fr", "a2@ring.fr", network="203.0.113.0/24")
    world.run()
    world.confirm("a1@ring.fr", "203.0.113.0/24")
    world.run()
    assert not held_in(world)
    assert vouchers(world) == ["welcome"]
    assert not world.memory.all(NetworkAnswers)
    assert not world.memory.all(DomainDay)
    assert {one.traces for one in world.memory.all(Invitation)} == {NO_TRACES}


def test_a_reward_under_the_limit_is_granted_at_once() -> None:
    world = world_with({"hold_over": 60})
    thanks_held(world)
    assert not held_in(world)
    assert vouchers(world) == ["thank-you", "welcome"]


def test_a_reward_over_the_limit_waits_with_its_score_and_reasons() -> None:
    world = world_with()
    key = thanks_held(world)
    hold = reward(world, key).hold
    assert hold
    assert {one.signal: one.seen for one in hold.signals} == {
        Signal.MINIMUM_ORDERS: 1,
        Signal.IN_SECONDS: 1,
    }
    assert hold.score == sum(one.points for one in hold.signals) == 40 // 4 + 30 // 3
    [fact] = world.facts(FactName.REWARD_HELD)[-1:]
    assert fact.details["signals"] == "in_seconds minimum_orders"
    assert fact.details["score"] == hold.score


def test_a_held_reward_has_no_voucher_and_no_mail_leaves() -> None:
    world = world_with()
    thanks_held(world)
    assert vouchers(world) == []
    sent = len(world.mailer.sent)
    assert world.export() is None
    world.run()
    assert len(world.mailer.sent) == sent == 2  # the sign-in and the invitation


# --- release and refusal ------------------------------------------------------------------------


def test_a_released_reward_is_issued_once_by_the_work_of_any_other() -> None:
    world = world_with()
    key = thanks_held(world)
    release_reward(world.ports, CAMPAIGN, key, by=MARKETING)
    world.run(Random(7))
    assert "thank-you" in vouchers(world)
    assert len(world.facts(FactName.VOUCHER_ISSUED)) == 1
    granted = reward(world, key)
    assert granted.code_key
    assert granted.hold
    assert granted.hold.released_by == MARKETING


def test_a_release_repeated_changes_nothing() -> None:
    world = world_with()
    key = thanks_held(world)
    for by in (OPS, MARKETING):
        release_reward(world.ports, CAMPAIGN, key, by=by)
        world.run()
    assert len(world.facts(FactName.REWARD_RELEASED)) == 1
    assert vouchers(world) == ["thank-you"]
    hold = reward(world, key).hold
    assert hold
    assert hold.released_by == OPS


def test_a_refusal_is_for_good_whatever_is_reported_later() -> None:
    world = world_with()
    key = thanks_held(world)
    refuse_reward(world.ports, CAMPAIGN, key, by=OPS)
    refuse_reward(world.ports, CAMPAIGN, key, by=OPS)
    record(world, world.order("A2", "kept", of=NEWCOMER, amount="90.00"))
    record(world, world.order("A1", "returned", of=NEWCOMER, amount="40.00"))
    assert "thank-you" not in vouchers(world)
    assert reward(world, key).refused_reason == RewardRefusal.REFUSED_IN_REVIEW
    [fact] = world.facts(FactName.REWARD_REFUSED)
    assert fact.details["by"] == OPS


@pytest.mark.parametrize("first", [release_reward, refuse_reward])
def test_of_a_release_and_a_refusal_the_first_one_wins(first: Any) -> None:
    world = world_with()
    key = thanks_held(world)
    second = refuse_reward if first is release_reward else release_reward
    first(world.ports, CAMPAIGN, key, by=OPS)
    with pytest.raises(RefusedError):
        second(world.ports, CAMPAIGN, key, by=MARKETING)
    world.run()
    assert ("thank-you" in vouchers(world)) is (first is release_reward)


@pytest.mark.parametrize("winner", [release_reward, refuse_reward])
def test_of_two_decisions_at_the_same_instant_one_wins_and_the_other_is_refused(
    winner: Any,
) -> None:
    """Both have read the held reward; one of them commits first."""
    world = world_with()
    key = thanks_held(world)
    loser = refuse_reward if winner is release_reward else release_reward

    class Overtaken:
        def __init__(self) -> None:
            self.overtakes = True

        def __getattr__(self, name: str) -> Any:
            return getattr(world.repository, name)

        def commit(self, *changes: Any, **others: Any) -> None:
            if self.overtakes:
                self.overtakes = False
                winner(world.ports, CAMPAIGN, key, by=OPS)
            world.repository.commit(*changes, **others)

    ports = wrapped(world, lambda _: Overtaken())
    with pytest.raises(RefusedError):
        loser(ports, CAMPAIGN, key, by=MARKETING)
    world.run()
    decided = reward(world, key)
    assert is_released(decided) is (winner is release_reward)
    assert ("thank-you" in vouchers(world)) is (winner is release_reward)
    assert len(world.facts(FactName.REWARD_RELEASED, FactName.REWARD_REFUSED)) == 1


def test_a_refusal_whose_fact_is_lost_leaves_its_room_to_another_within_a_day() -> None:
    world = world_with(caps={"sponsor_rewards": 1})
    key = thanks_held(world)
    thanks_held(world, "B1", "paul@example.fr")
    check_facts(world.ports)
    world.loses = lambda to, fact: (to, fact.name) == ("relay", FactName.REWARD_REFUSED)
    refuse_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    assert [each.rule for each in held_in(world)] == ["welcome", "welcome"]
    for _ in range(25):
        later(world, timedelta(hours=1))
        check_facts(world.ports)
        world.run()
    assert "thanks" in [each.rule for each in held_in(world)]


def test_what_was_never_held_cannot_be_decided_on() -> None:
    world = world_with({"hold_over": 60})
    key = thanks_held(world)
    other = RewardKey(key.referral_id, "nothing", 3)
    for unknown in (key, other):
        with pytest.raises(UnknownError):
            release_reward(world.ports, CAMPAIGN, unknown, by=OPS)
    held = world_with()
    with pytest.raises(UnknownError):
        refuse_reward(held.ports, "another", thanks_held(held), by=OPS)


# --- what a hold keeps free ---------------------------------------------------------------------


def test_a_held_reward_takes_its_place_under_the_cap_and_of_the_budget() -> None:
    world = world_with(caps={"sponsor_rewards": 1, "budget": "100.00"})
    key = thanks_held(world)
    settled = reward(world, key)
    assert settled.value_minor == 1500
    assert settled.in_budget
    assert world.memory.all(Budget)[0].spent_minor == 1000 + 1500
    assert world.memory.all(Sponsor)[0].rewards == 1
    thanks_held(world, "B1", "paul@example.fr")
    assert [each.rule for each in held_in(world) if each.to == "sponsor"] == ["thanks"]


def test_a_release_keeps_what_was_kept_free_and_takes_nothing_more() -> None:
    world = world_with(caps={"sponsor_rewards": 1, "budget": "25.00"})
    key = thanks_held(world)
    welcome = RewardKey(key.referral_id, "welcome", 0)
    for each in (key, welcome):
        release_reward(world.ports, CAMPAIGN, each, by=OPS)
    world.run()
    assert vouchers(world) == ["thank-you", "welcome"]
    assert world.memory.all(Budget)[0].spent_minor == 2500
    assert world.memory.all(Sponsor)[0].rewards == 1


def test_a_refusal_leaves_its_place_to_another() -> None:
    world = world_with(caps={"sponsor_rewards": 1, "budget": "100.00"})
    key = thanks_held(world)
    thanks_held(world, "B1", "paul@example.fr")
    refuse_reward(world.ports, CAMPAIGN, key, by=OPS)
    assert world.memory.all(Budget)[0].spent_minor == 2 * 1000
    world.run()
    [other] = [each for each in held_in(world) if each.rule == "thanks"]
    assert other.referral_id != key.referral_id
    assert world.memory.all(Sponsor)[0].rewards == 1


# --- what falls away ----------------------------------------------------------------------------


def test_a_held_reward_falls_away_with_its_order() -> None:
    world = world_with(caps={"sponsor_rewards": 5, "budget": "100.00"})
    key = thanks_held(world)
    record(world, world.order("A1", "returned", of=NEWCOMER, amount="40.00"))
    assert [each.rule for each in held_in(world)] == ["welcome"]
    assert world.memory.all(Sponsor)[0].rewards == 0
    assert world.memory.all(Budget)[0].spent_minor == 1000
    [fact] = world.facts(FactName.REWARD_HOLD_ENDED)
    assert fact.details["reason"] == FactName.ORDER_RETURNED
    with pytest.raises(UnknownError):
        release_reward(world.ports, CAMPAIGN, key, by=OPS)


def test_another_order_in_its_place_is_judged_for_itself() -> None:
    world = world_with({"hold_over": 5, "weights": {"in_seconds": 0}})
    key = thanks_held(world)
    assert [each.rule for each in held_in(world)] == ["thanks"]
    record(world, world.order("A2", "kept", of=NEWCOMER, amount="90.00"))
    record(world, world.order("A1", "cancelled", of=NEWCOMER, amount="40.00"))
    assert not held_in(world)
    assert reward(world, key).order_id == "A2"
    assert vouchers(world) == ["thank-you", "welcome"]


def test_a_release_that_meets_a_return_grants_nothing_and_counts_once() -> None:
    world = world_with()
    key = thanks_held(world)
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    record(world, world.order("A1", "returned", of=NEWCOMER, amount="40.00"))
    world.run()
    assert "thank-you" not in vouchers(world)
    assert counted(world) == {"held.rewards": 1, "held.value_minor": 1000}


# --- time ---------------------------------------------------------------------------------------


def past_the_end(world: World, key: RewardKey) -> None:
    hold = reward(world, key).hold
    assert hold
    world.clock.now = hold.ends_at + timedelta(seconds=1)


@pytest.mark.parametrize("undecided", ["release", "refuse"])
def test_a_reward_that_nobody_decides_on_does_not_wait_for_ever(undecided: str) -> None:
    world = world_with({"hold_over": 0, "undecided": undecided})
    key = thanks_held(world)
    past_the_end(world, key)
    reconcile(world.ports)
    world.run()
    assert not held_in(world)
    assert ("thank-you" in vouchers(world)) is (undecided == "release")
    decided = reward(world, key)
    assert decided.hold
    assert is_released(decided) is (undecided == "release")
    assert decided.hold.released_by is None


def test_what_is_handed_out_too_early_or_decided_meanwhile_is_left_alone() -> None:
    world = world_with()
    name = thanks_held(world)
    key = Key.of(Reward, **vars(name))
    assert not end_hold_due(world.ports, key)
    past_the_end(world, name)
    release_reward(world.ports, CAMPAIGN, name, by=OPS)
    assert not end_hold_due(world.ports, key)
    assert len(world.facts(FactName.REWARD_RELEASED)) == 1
    gone = Key.of(Reward, referral_id="nobody", rule="thanks", rung=1)
    assert not end_hold_due(world.ports, gone)


def test_before_time_decides_it_is_a_finding_and_nothing_is_done_yet() -> None:
    world = world_with()
    thanks_held(world)
    assert reconcile(world.ports)["held_rewards"] == 0
    later(world, timedelta(days=12))
    assert reconcile(world.ports)["held_rewards"] == 2
    world.run()
    assert len(held_in(world)) == 2


def test_a_hold_ends_with_its_days_and_before_the_addresses_of_its_campaign() -> None:
    short, long = (
        campaign(retention_days=days, review={"decide_within_days": 90}) for days in (10, 200)
    )
    now = short.last_second - timedelta(days=20)
    assert hold_ends_at(short, now) == short.contact_ends_at() - timedelta(days=1)
    assert long.days_between(now, hold_ends_at(long, now)) == 90


def test_a_campaign_that_takes_its_review_away_releases_what_time_decides() -> None:
    world = world_with({"hold_over": 0, "undecided": "refuse"})
    key = thanks_held(world)
    put_campaign(world.ports, campaign(rules=RULES))
    past_the_end(world, key)
    reconcile(world.ports)
    world.run()
    assert vouchers(world) == ["thank-you", "welcome"]


# --- who sees it --------------------------------------------------------------------------------


def test_what_is_held_is_listed_until_it_is_decided() -> None:
    world = world_with()
    key = thanks_held(world)
    held = held_rewards(world.ports, CAMPAIGN)
    assert {each.reward.rule for each in held} == {"thanks", "welcome"}
    assert value_of(held) == 2500
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    assert [each.reward.rule for each in held_rewards(world.ports, CAMPAIGN)] == ["welcome"]
    assert held_rewards(world.ports, "another") == []


def test_of_very_many_the_first_to_end_are_listed() -> None:
    world = world_with()
    thanks_held(world)
    like = held_in(world)[0]
    assert like.hold
    for number in range(MOST_SHOWN + 1):
        hold = replace(like.hold, ends_at=like.hold.ends_at + timedelta(seconds=number))
        world.store.commit(Insert(replace(like, revision=0, referral_id=f"r{number}", hold=hold)))
    shown = held_rewards(world.ports, CAMPAIGN)
    assert len(shown) == MOST_SHOWN
    assert f"r{MOST_SHOWN}" not in {each.reward.referral_id for each in shown}


def test_the_counts_say_what_is_held_now() -> None:
    world = world_with()
    key = thanks_held(world)
    assert counted(world) == {"held.rewards": 2, "held.value_minor": 2500}
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    refuse_reward(world.ports, CAMPAIGN, RewardKey(key.referral_id, "welcome", 0), by=OPS)
    world.run()
    assert counted(world) == {}


def test_the_sponsor_sees_nothing_of_a_review() -> None:
    world = world_with()
    thanks_held(world)
    space = view_sponsor_space(world.ports, world.sponsor())
    assert space.vouchers == ()
    assert [one.state.value for one in space.invitations] == ["confirmed"]


# --- who is forgotten ---------------------------------------------------------------------------


def traces_in(world: World) -> set[Traces]:
    of_sponsors = {one.traces for one in world.memory.all(Sponsor)}
    return of_sponsors | {one.traces for one in world.memory.all(Invitation)}


def forget(world: World, address: str) -> None:
    erase_person(world.ports, [world.campaign], Address.parse(address))


@pytest.mark.parametrize("is_released_first", [True, False])
def test_a_held_reward_is_not_granted_to_who_was_forgotten_whatever_came_first(
    *, is_released_first: bool
) -> None:
    world = world_with()
    key = thanks_held(world)
    if is_released_first:
        release_reward(world.ports, CAMPAIGN, key, by=OPS)
    forget(world, VIPS[0])
    if not is_released_first:
        release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    assert vouchers(world) == []
    assert reward(world, key).refused_reason == RewardRefusal.HOLDER_ERASED
    [sponsor] = world.memory.all(Sponsor)
    assert sponsor.rewards == 0


def test_a_held_reward_of_the_sponsor_is_granted_when_the_referee_was_forgotten() -> None:
    world = world_with()
    key = thanks_held(world)
    forget(world, NEWCOMER)
    release_reward(world.ports, CAMPAIGN, key, by=OPS)
    world.run()
    assert vouchers(world) == ["thank-you"]


def test_no_trace_of_an_address_stays_of_who_was_forgotten() -> None:
    world = world_with()
    thanks_held(world)
    assert NO_TRACES not in traces_in(world)
    for address in (VIPS[0], NEWCOMER):
        forget(world, address)
    assert traces_in(world) == {NO_TRACES}
