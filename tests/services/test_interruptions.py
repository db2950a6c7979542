"""Work killed at every step and delivered again: the same result, nothing twice (law 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.mails.send import send_mail
from chalicelib.services.ports import Ports
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.fuse import killed_everywhere
from tests.fakes.ports import MORNING
from tests.fakes.world import CUSTOMERS, SENDER, World, new_world
from tests.services.test_order_attacks import assert_counts_what_stands

pytestmark = pytest.mark.slow

NEWCOMER = "jeanne@example.fr"
ORDERS = Drop(CAMPAIGN, "orders/orders.csv", MORNING)
ACK = Drop(CAMPAIGN, "acks/00000001.ack", MORNING)

Run = Callable[[World, Ports], object]


def invited() -> World:
    world = new_world()
    world.invite(world.sponsor(), NEWCOMER, CUSTOMERS[0])
    return world


def confirmed() -> World:
    world = invited()
    world.run()
    world.confirm(NEWCOMER)
    return world


def exported() -> World:
    world = confirmed()
    world.run()
    world.export()
    world.files.content[ACK.key] = b""
    return world


def refusing() -> World:
    world = exported()
    world.files.content[ACK.key] = f"{world.exported(1)[0]['code']},".encode()
    return world


def reported() -> World:
    world = exported()
    code = world.exported(1)[0]["code"]
    world.drop_orders(world.order("A0", of="stranger@example.fr"))
    rows = [world.order("A1", "kept", of=NEWCOMER, code=code), world.order("A2", of=NEWCOMER)]
    header = world.files.content[ORDERS.key].splitlines()[0].decode()
    lines = [header, *(",".join(row[name] for name in header.split(",")) for row in rows)]
    world.files.content[ORDERS.key] = "\n".join(lines).encode()
    return world


def kept() -> World:
    world = reported()
    ingest(world.ports, ORDERS)
    return world


def used_by_a_call(world: World, template: str, order_id: str) -> None:
    [code] = [one.code for one in world.memory.all(Voucher) if one.template == template]
    purchase = Purchase(
        order_id=order_id, ordered_at=world.clock(), amount_minor=8000, currency="EUR"
    )
    redeem(world.ports, code, purchase)


def called_late() -> World:
    """A till that calls after the order was cancelled."""
    world = confirmed()
    world.run()
    world.drop_orders(world.order("A1", "cancelled", of=NEWCOMER))
    world.run()
    used_by_a_call(world, "welcome", "A1")
    return world


def given_back_later() -> World:
    """A sponsor's voucher that was used when it was to be revoked."""
    world = kept()
    world.run()
    used_by_a_call(world, "thank-you", "S1")
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.run()
    [code] = [one.code for one in world.memory.all(Voucher) if one.template == "thank-you"]
    roll_back(world.ports, code, "S1")
    return world


def the(world: World, name: FactName) -> Fact:
    return world.facts(name)[0]


def last(world: World, name: FactName) -> Fact:
    return world.facts(name)[-1]


def decide(world: World, ports: Ports) -> None:
    for fact in world.facts(FactName.INVITATION_RECEIVED):
        decide_invitation(ports, fact)


WORK: list[tuple[Callable[[], World], Run]] = [
    (invited, decide),
    (confirmed, lambda world, ports: reward(ports, the(world, FactName.REFERRAL_CONFIRMED))),
    (exported, lambda _, ports: ingest(ports, ACK)),
    (refusing, lambda _, ports: ingest(ports, ACK)),
    (reported, lambda _, ports: ingest(ports, ORDERS)),
    (kept, lambda world, ports: reward(ports, the(world, FactName.ORDER_KEPT))),
    (called_late, lambda world, ports: reward(ports, the(world, FactName.VOUCHER_REDEEMED))),
    (
        given_back_later,
        lambda world, ports: reward(ports, world.facts(FactName.REWARD_REVOKED)[-1]),
    ),
]
NAMES = [
    "decide", "confirmed", "acknowledge", "refuse", "orders", "kept", "called late", "given back",
]  # fmt: skip


@pytest.mark.parametrize(("begin", "run"), WORK, ids=NAMES)
def test_law_4_killed_at_every_step_and_brought_again_the_end_is_the_same(
    begin: Callable[[], World], run: Run
) -> None:
    undisturbed = begin()
    run(undisturbed, undisturbed.ports)
    undisturbed.run()
    worlds = killed_everywhere(begin, run, lambda world: world.ports)
    assert len(worlds) > 8
    for world in worlds:
        run(world, world.ports)
        world.run()
        assert world.funnel() == undisturbed.funnel()
        assert len(world.mailer.sent) == len(undisturbed.mailer.sent)
        states = sorted((one.rule, one.state) for one in world.memory.all(Voucher))
        assert states == sorted((one.rule, one.state) for one in undisturbed.memory.all(Voucher))
        assert_counts_what_stands(world)


def test_law_2_a_sender_killed_at_every_step_sends_one_invitation_at_most() -> None:
    def begin() -> World:
        world = invited()
        decide(world, world.ports)
        return world

    def run(world: World, ports: Ports) -> None:
        send_mail(ports, SENDER, the(world, FactName.INVITATION_ACCEPTED))

    left = set()
    for world in killed_everywhere(begin, run, lambda world: world.ports):
        for _ in range(3):
            world.clock.advance(minutes=10)
            world.run()
        left.add(len(world.mailer.to(NEWCOMER)))
    assert left == {0, 1}


def test_a_sender_killed_at_every_step_sends_a_voucher_at_least_once() -> None:
    def begin() -> World:
        world = exported()
        ingest(world.ports, ACK)
        return world

    def run(world: World, ports: Ports) -> None:
        send_mail(ports, SENDER, the(world, FactName.VOUCHER_ACKNOWLEDGED))

    left = set()
    for world in killed_everywhere(begin, run, lambda world: world.ports):
        for _ in range(3):
            world.clock.advance(minutes=10)
            world.run()
        left.add(len(world.mailer.to(NEWCOMER)) - 1)
    assert left == {1, 2}
