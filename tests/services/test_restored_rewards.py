"""Rewards of a table that was taken back: what each was granted for, and what it counts."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.restoring.adopt import adopt
from chalicelib.services.vouchers.redeem import roll_back
from tests.fakes.campaign import CANARY, campaign, templates
from tests.fakes.world import CUSTOMERS, VIPS, World
from tests.services.test_order_attacks import assert_counts_what_stands
from tests.services.test_restored_vouchers import again, ahead, by_call, ticking
from tests.services.test_restoring import (
    bring_forward,
    drop_again,
    of_order,
    restore,
    rewards,
    state,
    take,
    vouchers,
)

JEANNE, PAUL, MARIE = "jeanne@example.fr", "paul@example.fr", "marie@example.fr"
RULES: list[dict[str, Any]] = campaign().model_dump(by_alias=True)["rules"]
USED: dict[str, Any] = {
    "id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
    "issue": "thank-you", "to": "sponsor",
}  # fmt: skip
# Each kept order has a voucher, and the use of each of these has two.
MANY: list[dict[str, Any]] = [
    {"id": "kept", "when": "order_kept", "issue": "second-order", "to": "referee"},
    {"id": "shared", "when": "order_kept", "if": {"order": 1}, "issue": "second-order",
     "to": "sponsor"},
    {"id": "used", "when": "voucher_redeemed",
     "if": {"template": "second-order", "minimum_amount": "50.00"}, "issue": "thank-you",
     "to": "sponsor"},
    {"id": "also", "when": "voucher_redeemed",
     "if": {"template": "second-order", "minimum_amount": "50.00"}, "issue": "fourth-order",
     "to": "referee"},
]  # fmt: skip


def ordered(world: World, number: str, status: str = "kept", **changes: Any) -> None:
    """An order is reported, in a file of its own, and what follows is done."""
    file = f"{number}-{status}-{world.clock():%H%M%S%f}"
    world.drop_orders(world.order(number, status, **changes), file=file)
    world.run()
    world.clock.advance(minutes=1)


def code_of(world: World, rule: str) -> str:
    """The code of the last voucher that a rule issued."""
    return [one.code for one in world.memory.all(Voucher) if one.rule == rule][-1]


# --- what it was granted for ----------------------------------------------------------------------


def test_a_reward_is_for_the_order_that_earned_it_though_an_earlier_one_became_known() -> None:
    world = ticking()
    world.referral(JEANNE)
    early = world.clock().isoformat()
    world.clock.advance(minutes=5)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    ordered(world, "A0", of=JEANNE, ordered_at=early)
    orders = {rule: one[1] for (_, rule, _), one in rewards(world).items()}
    assert (orders["ladder-first"], orders["ladder-second"]) == (of_order(world, "A1"),) * 2
    again(world, taken)


def test_law_4_each_use_that_earned_something_is_known_by_its_voucher() -> None:
    world = ticking(rules=MANY)
    world.referral(JEANNE)
    world.referral(PAUL)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    shared = code_of(world, "shared")
    ordered(world, "A2", of=JEANNE, code=code_of(world, "kept"), amount="45.00")
    ordered(world, "A3", of=JEANNE, code=code_of(world, "kept"))
    ordered(world, "A4", of=JEANNE, code=code_of(world, "kept"))
    ordered(world, "B1", of=PAUL)
    by_call(world, shared, "T1")
    ordered(world, "B2", of=PAUL, code=code_of(world, "kept"))
    earned = {(one.rule, one.voucher_id) for one in world.memory.all(Reward) if one.voucher_id}
    assert len(earned) == 8
    world.export()
    world.run()
    again(world, taken)


def test_a_use_that_was_given_back_at_once_is_not_what_a_later_reward_is_for() -> None:
    world = ticking(rules=MANY)
    world.referral(JEANNE)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    given_back = code_of(world, "kept")
    world.drop_orders(world.order("A2", "kept", of=JEANNE, code=given_back), file="A2")
    roll_back(world.ports, given_back, "A2")
    world.run()
    ordered(world, "A3", of=JEANNE, code=code_of(world, "kept"))
    [used] = [one for one in world.memory.all(Reward) if one.rule == "used"]
    assert used.voucher_id
    world.export()
    world.run()
    again(world, taken)


def test_what_a_cap_refused_at_first_is_granted_for_the_same_use() -> None:
    world = ticking(rules=[*RULES, USED], caps={"sponsor_rewards": 1})
    world.referral(JEANNE)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    ordered(world, "A2", of=JEANNE, code=code_of(world, "welcome"))
    ordered(world, "A1", "returned", of=JEANNE)
    ordered(world, "A2", "returned", of=JEANNE)
    assert [one.rule for one in world.memory.all(Reward) if one.voucher_id] == ["used"]
    world.export()
    world.run()
    again(world, taken)


# --- what it counts -------------------------------------------------------------------------------


def test_a_voucher_of_a_referral_that_nobody_knows_any_more_is_good_and_counts() -> None:
    world = ticking(rules=[one for one in RULES if one["to"] == "sponsor"])
    world.sponsor()
    taken = take(world)
    world.referral(JEANNE)
    ordered(world, "A1", of=JEANNE)
    world.export()
    world.run()
    [was] = vouchers(world).values()
    restore(world, taken)
    done = bring_forward(world, taken)[0]
    assert world.memory.all(Referral) == []
    assert list(vouchers(world).values()) == [was]
    assert [one.rewards for one in world.memory.all(Sponsor)] == [1]
    assert done.unknown_vouchers == []
    by_call(world, code_of(world, "sponsor-reward"), "T1")


def test_a_reward_counts_for_a_referral_that_was_confirmed_by_a_clock_that_is_ahead() -> None:
    world = ticking()
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    with ahead(world, minutes=5):
        world.confirm(JEANNE)
    world.run()
    world.export()
    world.run()
    again(world, taken)


def test_who_is_no_newcomer_is_none_though_the_first_voucher_came_later() -> None:
    world = ticking()
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    with ahead(world, minutes=5):
        world.run()
    world.clock.advance(seconds=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, JEANNE], file="later")
    world.clock.advance(seconds=1)
    ordered(world, "A1", of=JEANNE)
    assert [one.newcomer for one in world.memory.all(Referral)] == [False]
    again(world, taken)


def test_who_was_refused_by_a_cap_stays_a_newcomer() -> None:
    world = ticking(caps={"sponsor_rewards": 1})
    world.referral(JEANNE)
    world.referral(PAUL)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    ordered(world, "B1", of=PAUL)
    assert "sponsor_cap" in {one.refused_reason for one in world.memory.all(Reward)}
    again(world, taken)


# --- clocks that differ ---------------------------------------------------------------------------


def test_law_4_a_reward_that_was_revoked_by_the_clock_before_it_was_granted_is_revoked() -> None:
    world = ticking()
    world.referral(JEANNE)
    taken = take(world)
    world.drop_orders(world.order("A1", "kept", of=JEANNE), file="kept")
    with ahead(world, minutes=5):
        world.run()
    world.export()
    world.run()
    world.clock.advance(minutes=1)
    ordered(world, "A1", "returned", of=JEANNE)
    was = state(world)
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert done.without_state == []
    now = state(world)
    for name in ("vouchers", "changes", "exports", "referrals", "funnel"):
        assert now[name] == was[name]
    assert_counts_what_stands(world)


def test_law_4_a_rung_that_was_earned_again_has_one_voucher_whichever_clock_was_ahead() -> None:
    world = ticking()
    world.referral(JEANNE)
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    world.drop_orders(world.order("A1", "returned", of=JEANNE), file="returned")
    with ahead(world, minutes=5):
        world.run()
    ordered(world, "A2", of=JEANNE)
    again(world, taken)


def test_a_reward_that_was_revoked_by_a_clock_that_is_ahead_and_is_refused_now_is_freed() -> None:
    world = ticking(caps={"budget": "30.00"})
    world.referral(JEANNE)
    world.invite(world.sponsor(), PAUL)
    world.run()
    taken = take(world)
    ordered(world, "A1", of=JEANNE)
    world.drop_orders(world.order("A1", "returned", of=JEANNE), file="returned")
    with ahead(world, minutes=5):
        world.run()
    world.confirm(PAUL)
    world.run()
    ordered(world, "A2", of=JEANNE)
    refused = {one.rule for one in world.memory.all(Reward) if one.refused_reason}
    assert refused == {"sponsor-reward"}
    again(world, taken)


def test_a_reward_for_a_use_that_was_given_back_by_the_clock_before_it_is_revoked() -> None:
    world = ticking(rules=[*RULES, USED])
    world.referral(JEANNE)
    taken = take(world)
    welcome = code_of(world, "welcome")
    world.drop_orders(world.order("A1", of=JEANNE, code=welcome), file="A1")
    with ahead(world, minutes=5):
        world.run()
    world.clock.advance(minutes=1)
    roll_back(world.ports, welcome, "A1")
    world.run()
    world.export()
    world.run()
    assert code_of(world, "used")
    again(world, taken)


# --- codes of the client's own --------------------------------------------------------------------


def test_law_4_a_code_that_the_client_has_is_nobody_elses_though_codes_are_short() -> None:
    world = ticking(templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/first.csv", b"code\nRETAIL-000001\n")
    world.invite(world.sponsor(), PAUL, MARIE)
    world.run()
    taken = take(world)
    with ahead(world, minutes=5):
        paul = world.confirm(PAUL)
        world.run()
        world.export()
    world.run()
    world.drop("codes/welcome/second.csv", b"code\nRETAIL-000002\n")
    marie = world.confirm(MARIE)
    world.run()
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    assert [fact.name for fact in done.without_state] == [FactName.VOUCHER_ISSUED]
    drop_again(world, taken)
    world.clock.advance(hours=2)
    check_facts(world.ports)
    world.run()
    codes = sorted((one.holder_id, one.code) for one in world.memory.all(Voucher))
    assert codes == sorted(
        [(paul.referral_id, "RETAIL-000001"), (marie.referral_id, "RETAIL-000002")]
    )


def test_a_code_of_the_clients_own_that_no_file_has_is_spare_and_another_may_be_issued() -> None:
    world = ticking(templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/first.csv", b"code\nRETAIL-000001\nRETAIL-000002\n")
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.run()
    assert again(world, taken).without_state == []
    assert len(world.memory.all(SpareCode)) == 1
