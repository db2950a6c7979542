"""Vouchers and rewards, where a rollback, a decision of ops or an old fact comes in between."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.fact_bodies import RewardRevoked, body_as
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.lookups import CampaignVersions
from chalicelib.services.moves import ROLLED_BACK
from chalicelib.services.ports import Replace
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.redemption_rewards import give_back_if_cancelled
from chalicelib.services.vouchers.replace_refused import replace_refused
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CAMPAIGN, CANARY, templates
from tests.fakes.due import expire
from tests.fakes.repository import LaggingRepository, MemoryRepository, TornRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world, wrapped
from tests.services.test_conditions import purchase
from tests.services.test_order_attacks import assert_counts_what_stands
from tests.services.test_orders import NEWCOMER, granted, keep
from tests.services.test_redemption_rewards import (
    KEPT,
    PAUL,
    WELCOME,
    report,
    use,
    used_and_revoked,
    voucher_of,
)
from tests.services.test_replacement import exported, refused_to_the_limit

BY = "AIDAOPS"


def test_ops_may_replace_a_voucher_whose_codes_were_refused_repeatedly() -> None:
    world = exported(new_world())
    refused_to_the_limit(world)
    last = world.memory.all(Voucher)[-1]
    campaign, key = world.campaign, last.code_key
    assert replace_refused(world.ports, campaign, key) is ReplacementOutcome.REFUSED_REPEATEDLY
    assert replace_refused(world.ports, campaign, key, by=BY) is ReplacementOutcome.REPLACED
    assert world.memory.all(Voucher)[-1].replaces == last.voucher_id
    assert world.facts(FactName.VOUCHER_ISSUED)[-1].details["by"] == BY


def test_a_use_that_a_call_gives_back_meanwhile_is_not_given_back_twice(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "cancelled", of=NEWCOMER))
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world))
    torn = wrapped(
        world,
        lambda inner: TornRepository(
            inner, lambda: roll_back(world.ports, voucher.code, "A1"), Order
        ),
    )
    campaigns = CampaignVersions(torn, CAMPAIGN)
    assert give_back_if_cancelled(torn, campaigns, voucher.code_key) == []
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == 1


def test_of_several_vouchers_the_one_that_is_used_too_late_is_given_back(world: World) -> None:
    world.referral(NEWCOMER)
    keep(world, "A1")
    [second] = [one for one in world.memory.all(Voucher) if one.rule == "ladder-first"]
    report(world, world.order("A2", "cancelled", of=NEWCOMER))
    use(world, second.code, world.order("A2", of=NEWCOMER))
    assert voucher_of(world, "ladder-first").state is VoucherState.ISSUED
    assert len(world.facts(FactName.VOUCHER_ROLLED_BACK)) == 1


def revoked_by_a_rollback(world: World) -> Fact:
    """The fact of the last reward that a rollback has revoked."""
    facts = world.facts(FactName.REWARD_REVOKED)
    return [one for one in facts if body_as(one, RewardRevoked).reason == ROLLED_BACK][-1]


def test_an_old_fact_of_a_rollback_frees_no_room_that_a_later_voucher_takes() -> None:
    world = new_world(rules=[WELCOME, KEPT], caps={"sponsor_rewards": 2, "budget": "100.00"})
    order_id = used_and_revoked(world)
    roll_back(world.ports, voucher_of(world, "kept").code, order_id)
    world.run()
    old = revoked_by_a_rollback(world)
    keep(world, "A2")
    use(world, voucher_of(world, "kept").code, world.order("S2", of=VIPS[0]))
    report(world, world.order("A2", "returned", of=NEWCOMER))
    assert voucher_of(world, "kept").state is VoucherState.REDEEMED
    assert reward(world.ports, old) == []
    assert_counts_what_stands(world)


def test_what_an_earlier_version_granted_a_referee_leaves_the_sponsors_count_as_it_is() -> None:
    """Even where the index, from which a sponsor's count of that version is made, lags."""
    own = {"id": "own", "when": "order_kept", "issue": "second-order", "to": "referee"}
    world = new_world(rules=[WELCOME, KEPT, own])
    world.referral(PAUL)
    report(world, world.order("P1", "kept", of=PAUL))
    world.referral(NEWCOMER)
    keep(world, "A1")
    voucher = voucher_of(world, "own")
    use(world, voucher.code, world.order("S1", code=voucher.code))
    report(world, world.order("A1", "returned", of=NEWCOMER))
    [granted] = [one for one in world.memory.all(Reward) if one.code_key == voucher.code_key]
    world.repository.commit(Replace(replace(granted, to=None)))
    [before] = world.memory.all(Sponsor)
    roll_back(world.ports, voucher.code, "S1")
    lagging = wrapped(world, lambda inner: LaggingRepository(inner, MemoryRepository()))
    assert reward(lagging, revoked_by_a_rollback(world)) == ["voucher_was_revoked"]
    [after] = world.memory.all(Sponsor)
    assert (after.rewards, before.rewards) == (1, 1)


def test_a_voucher_that_ended_before_its_order_was_returned_counts_for_nothing_more() -> None:
    """Nor is it issued again when another order earns it: it counts again."""
    world = new_world(rules=[WELCOME, KEPT], templates=templates(thank_you={"valid_days": 2}))
    world.referral(NEWCOMER)
    keep(world, "A1")
    world.export()
    world.clock.advance(days=10)
    expire(world.ports)
    ended = voucher_of(world, "kept")
    assert ended.state is VoucherState.EXPIRED
    report(world, world.order("A1", "returned", of=NEWCOMER))
    [referral] = world.memory.all(Referral)
    assert referral.rewards == 1
    keep(world, "A2")
    [referral] = world.memory.all(Referral)
    assert referral.rewards == 2
    assert voucher_of(world, "kept") == ended


# --- newcomers of 0.2.0 ---------------------------------------------------------------------------


def as_0_2_0_stored(world: World, *, newcomer: bool) -> None:
    """It stored whether the referee was a newcomer, not by which order, and listed kept ones."""
    [referral] = world.memory.all(Referral)
    world.repository.commit(
        Replace(
            replace(
                referral,
                newcomer=newcomer,
                newcomer_list_version=1,
                newcomer_as_of=None,
                known_orders=(),
            )
        )
    )


def customer_by_tuesday(world: World) -> None:
    world.clock.advance(days=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], "tuesday")
    world.clock.advance(days=1)


def test_law_3_who_was_a_newcomer_stays_one_though_the_first_order_is_not_listed() -> None:
    world = new_world(rules=[KEPT])
    world.referral(NEWCOMER)
    report(world, world.order("A1", of=NEWCOMER))
    as_0_2_0_stored(world, newcomer=True)
    customer_by_tuesday(world)
    keep(world, "A2")
    assert [rule for rule, _ in granted(world)] == ["kept"]


def test_law_3_where_all_orders_are_listed_an_earlier_one_shows_who_was_a_newcomer() -> None:
    world = new_world(rules=[KEPT])
    world.referral(NEWCOMER)
    monday = world.order("A1", of=NEWCOMER)
    customer_by_tuesday(world)
    keep(world, "A2")
    assert granted(world) == []
    as_0_2_0_stored(world, newcomer=False)
    report(world, monday)
    assert [rule for rule, _ in granted(world)] == ["kept"]
