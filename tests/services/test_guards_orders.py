"""Whose order it is: what is not read when nobody asks, and who is nobody yet."""

from __future__ import annotations

from chalicelib.domain.orders import Buyer, Order
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.vouchers.redeem import redeem
from tests.fakes.campaign import digest
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import VIPS, World, wrapped
from tests.services.test_conditions import purchase
from tests.services.test_orders import record

NEWCOMER = "jeanne@example.fr"


def test_the_order_of_somebody_invited_who_has_not_confirmed_is_nobodys(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    outcome = record(world, world.order("A1", "kept", of=NEWCOMER))
    assert (outcome.effect, outcome.problem) == ("not_a_referees", None)
    assert world.memory.all(Order) == []


def test_a_call_that_names_the_holder_reads_nothing_more_than_the_voucher(world: World) -> None:
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    recording = RecordingRepository(world.repository)
    ports = wrapped(world, lambda _: recording)
    redeem(ports, voucher.code, purchase(world, email_digest=digest(NEWCOMER)))
    reads = [call for call in recording.calls if call.startswith(("get", "read", "first"))]
    assert reads == ["read OrderUses + Voucher + Redemption"]
    [redemption] = world.memory.all(Redemption)
    assert redemption.buyer is Buyer.REFEREE


def test_a_sponsors_voucher_says_nothing_of_the_buyer(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    [voucher] = [one for one in world.memory.all(Voucher) if one.template == "thank-you"]
    redeem(world.ports, voucher.code, purchase(world, "S1", email_digest=digest(VIPS[0])))
    [redemption] = [one for one in world.memory.all(Redemption) if one.order_id == "S1"]
    assert redemption.buyer is Buyer.NONE
