"""What a call reported since the moment of a restore has our own id of its order alone, until the
client names the order again: then it is what it was, and nothing happens twice (laws 4 and 6).
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.exports import Export
from chalicelib.domain.order_refs import OrderReference, lost_order_id, lost_reference, order_ref
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.redemptions import OrderUses, Purchase, Redemption
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import RefusedError
from chalicelib.services.lost_orders import rename_order
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.order_refs import reference_of
from chalicelib.services.orders.record import OrderOutcome
from chalicelib.services.ports import Insert, Remove, Replace
from chalicelib.services.restoring.adopt import adopt
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.ports import TickingClock
from tests.fakes.world import World, new_world
from tests.services.test_orders import record
from tests.services.test_restoring import facts_of, restore, take

JEANNE = "jeanne@example.fr"


def reported(world: World, order_id: str, status: str = "kept", **row: str) -> OrderOutcome:
    """A call that reports an order, and the work that follows."""
    outcome = record(world, world.order(order_id, status, **row))
    world.run()
    return outcome


def purchase(world: World, order_id: str = "T1") -> Purchase:
    return Purchase(order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR")


def exported() -> World:
    """A referee, whose voucher the client has."""
    world = new_world(clock=TickingClock())
    world.referral(JEANNE)
    world.export()
    world.run()
    return world


def code_of(world: World) -> str:
    return next(one.code for one in world.memory.all(Voucher) if one.template == "welcome")


def lost(world: World, order_id: str) -> str:
    return lost_order_id(reference_of(world.ports, order_id))


@pytest.fixture
def ordered() -> World:
    """An order that a call reported after the moment, in a table that was taken back."""
    world = exported()
    taken = take(world)
    reported(world, "A1", of=JEANNE)
    world.clock.advance(minutes=10)
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    world.run()
    assert done.called == {lost(world, "A1")}
    return world


def test_law_4_an_order_that_nobody_has_named_again_counts_as_before(ordered: World) -> None:
    [order] = ordered.memory.all(Order)
    assert (order.order_id, order.status) == (lost(ordered, "A1"), OrderStatus.KEPT)
    for _ in range(3):
        check_facts(ordered.ports)
        ordered.run()
        ordered.clock.advance(hours=1)
    assert all(one.revoked_at is None for one in ordered.memory.all(Reward))
    assert ordered.memory.all(Reward)


def test_law_4_an_order_that_is_reported_again_is_the_one_that_it_was(ordered: World) -> None:
    facts, rewards = len(facts_of(ordered)), len(ordered.memory.all(Reward))
    assert reported(ordered, "A1", of=JEANNE).effect == "known_already"
    [order] = ordered.memory.all(Order)
    [referral] = ordered.memory.all(Referral)
    [reference] = ordered.memory.all(OrderReference)
    assert (order.order_id, reference.order_id) == ("A1", "A1")
    assert (referral.known_orders, referral.kept_orders, referral.orders) == (("A1",), ("A1",), 1)
    named = {one.order_id for one in ordered.memory.all(Reward) if one.order_id}
    assert named == {"A1"}
    assert (len(facts_of(ordered)), len(ordered.memory.all(Reward))) == (facts, rewards)


def test_law_4_a_lost_order_that_is_returned_takes_its_rewards_back(ordered: World) -> None:
    assert reported(ordered, "A1", "returned", of=JEANNE).effect == "recorded"
    assert [one.order_id for one in ordered.memory.all(Order)] == ["A1"]
    of_order = [one for one in ordered.memory.all(Reward) if one.order_id]
    assert of_order
    assert all(one.revoked_at for one in of_order)
    reasons = {one.reason for one in ordered.memory.all(VoucherChange) if one.reason}
    assert reasons == {"order_returned"}


def test_a_lost_order_is_nobody_elses(ordered: World) -> None:
    assert reported(ordered, "A2", of=JEANNE).effect == "recorded"
    ids = {one.order_id for one in ordered.memory.all(Order)}
    assert ids == {"A2", lost(ordered, "A1")}


def test_an_order_beside_the_referral_is_known_again_too() -> None:
    world = exported()
    for number in range(20):
        reported(world, f"A{number}", "placed", of=JEANNE)
    taken = take(world)
    reported(world, "B1", "placed", of=JEANNE)
    [noted] = world.memory.all(FurtherOrder)
    assert noted.order_id == "B1"
    world.clock.advance(minutes=10)
    restore(world, taken)
    adopt(world.ports, taken.at)
    world.run()
    [noted] = world.memory.all(FurtherOrder)
    assert noted.order_id == lost(world, "B1")
    assert reported(world, "B1", "placed", of=JEANNE).effect == "known_already"
    [noted] = world.memory.all(FurtherOrder)
    assert noted.order_id == "B1"


def test_an_order_that_a_file_names_is_not_lost() -> None:
    world = exported()
    taken = take(world)
    world.drop_orders(world.order("A1", "kept", of=JEANNE))
    world.run()
    restore(world, taken)
    [done] = adopt(world.ports, taken.at)
    assert [one.order_id for one in world.memory.all(Order)] == ["A1"]
    assert done.called == set()


def test_an_order_that_the_table_had_is_not_lost_though_no_file_names_it() -> None:
    world = exported()
    reported(world, "A1", "placed", of=JEANNE)
    taken = take(world)
    reported(world, "A1", of=JEANNE)
    restore(world, taken)
    adopt(world.ports, taken.at)
    [order] = world.memory.all(Order)
    assert (order.order_id, order.status) == ("A1", OrderStatus.KEPT)


def test_an_order_of_an_earlier_version_is_found_by_its_referral() -> None:
    world = exported()
    reported(world, "A1", "placed", of=JEANNE)
    [order], [reference] = world.memory.all(Order), world.memory.all(OrderReference)
    # As a version before references stored it.
    world.repository.commit(Remove(reference), Replace(replace(order, order_ref=None)))
    taken = take(world)
    reported(world, "A1", of=JEANNE)  # names it from now on
    assert world.memory.all(OrderReference) == [reference]
    restore(world, taken)
    adopt(world.ports, taken.at)
    [order] = world.memory.all(Order)
    assert (order.order_id, order.status) == ("A1", OrderStatus.KEPT)


# --- vouchers -------------------------------------------------------------------------------------


@pytest.fixture
def used() -> World:
    """A voucher that a call used after the moment."""
    world = exported()
    taken = take(world)
    redeem(world.ports, code_of(world), purchase(world))
    world.run()
    world.clock.advance(minutes=10)
    restore(world, taken)
    adopt(world.ports, taken.at)
    world.run()
    [redemption] = world.memory.all(Redemption)
    assert (redemption.order_id, redemption.is_rebuilt) == (lost(world, "T1"), True)
    return world


def test_law_6_a_call_that_is_repeated_finds_its_redemption(used: World) -> None:
    facts = len(facts_of(used))
    _, redemption, is_new = redeem(used.ports, code_of(used), purchase(used))
    assert (redemption.order_id, redemption.is_rebuilt, is_new) == ("T1", False, False)
    assert [one.order_id for one in used.memory.all(Redemption)] == ["T1"]
    [voucher] = [one for one in used.memory.all(Voucher) if one.redeemed_by]
    assert voucher.redeemed_by == "T1"
    [uses] = used.memory.all(OrderUses)
    assert (uses.order_id, [one.code_key for one in uses.uses]) == ("T1", [voucher.code_key])
    assert len(facts_of(used)) == facts


def test_law_6_another_order_does_not_get_the_voucher(used: World) -> None:
    with pytest.raises(RefusedError, match="exhausted"):
        redeem(used.ports, code_of(used), purchase(used, "T2"))


def test_a_lost_redemption_is_given_back_by_the_clients_id(used: World) -> None:
    roll_back(used.ports, code_of(used), "T1")
    [voucher] = [one for one in used.memory.all(Voucher) if one.template == "welcome"]
    assert (voucher.redeemed_by, voucher.state is VoucherState.REDEEMED) == (None, False)
    with pytest.raises(RefusedError, match="rolled_back"):
        redeem(used.ports, code_of(used), purchase(used))


def test_law_6_a_use_that_was_given_back_is_not_repeated() -> None:
    world = exported()
    taken = take(world)
    redeem(world.ports, code_of(world), purchase(world))
    roll_back(world.ports, code_of(world), "T1")
    redeem(world.ports, code_of(world), purchase(world, "T2"))
    roll_back(world.ports, code_of(world), "T2")
    world.run()
    world.clock.advance(minutes=10)
    restore(world, taken)
    adopt(world.ports, taken.at)
    world.run()
    for order_id in ("T1", "T2"):
        with pytest.raises(RefusedError, match="rolled_back"):
            redeem(world.ports, code_of(world), purchase(world, order_id))


def test_what_is_used_on_the_order_meanwhile_stays_used(used: World) -> None:
    other = OrderUses(order_id="T1", uses=(), of_sponsors=("another",))
    used.repository.commit(Insert(other))
    redeem(used.ports, code_of(used), purchase(used))
    [uses] = used.memory.all(OrderUses)
    assert (uses.of_sponsors, len(uses.uses)) == (("another",), 1)


def test_the_client_reads_no_name_of_ours_in_the_place_of_its_own(used: World) -> None:
    [change] = [one for one in used.memory.all(VoucherChange) if one.change is ChangeKind.REDEEMED]
    assert change.order_id is None
    write_changes(used.ports, used.campaign)
    used.run()
    assert used.reconciliation() == 0
    redeem(used.ports, code_of(used), purchase(used))
    assert used.reconciliation() == 0
    assert used.memory.all(Export)


def test_an_order_and_the_voucher_used_on_it_are_known_again_by_one_report() -> None:
    world = exported()
    taken = take(world)
    code = code_of(world)
    reported(world, "A1", "placed", of=JEANNE, code=code)
    world.clock.advance(minutes=10)
    restore(world, taken)
    adopt(world.ports, taken.at)
    world.run()
    facts = len(facts_of(world))
    assert reported(world, "A1", "placed", of=JEANNE, code=code).effect == "known_already"
    assert [one.order_id for one in world.memory.all(Order)] == ["A1"]
    assert [one.order_id for one in world.memory.all(Redemption)] == ["A1"]
    assert len(facts_of(world)) == facts


def test_law_6_a_use_on_an_order_that_the_table_had_is_not_lost() -> None:
    world = exported()
    reported(world, "A1", of=JEANNE)
    taken = take(world)
    redeem(world.ports, code_of(world), purchase(world, "A1"))
    world.run()
    restore(world, taken)
    adopt(world.ports, taken.at)
    assert [one.order_id for one in world.memory.all(Redemption)] == ["A1"]


def test_an_order_that_has_its_name_is_not_renamed(world: World) -> None:
    world.referral(JEANNE)
    reported(world, "A1", of=JEANNE)
    before = copy.deepcopy(world.memory._items)
    [reference] = world.memory.all(OrderReference)
    rename_order(world.ports, reference, "A1")
    assert world.memory._items == before


def test_no_id_of_the_clients_is_taken_for_a_lost_one() -> None:
    assert lost_reference("lost-1") is None
    assert re.fullmatch("[0-9a-f]{32}", order_ref(DigestKey("tandem", secret=b"k"), "A1"))
    assert lost_reference(lost_order_id("ab")) == "ab"
