"""Time-based changes: invitations close, vouchers expire, return windows pass; and stuck work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Contact
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.operations.reconcile import FINDINGS
from chalicelib.services.operations.seal import seal
from tests.fakes.due import NOTHING, expire, reconcile
from tests.fakes.fuse import killed_everywhere
from tests.fakes.world import World, new_world

NEWCOMER = "jeanne@example.fr"


def test_an_unanswered_invitation_closes_once(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    assert expire(world.ports) == NOTHING
    world.clock.advance(days=15)
    assert expire(world.ports) == NOTHING | {"invitations": 1}
    assert expire(world.ports) == NOTHING
    [invitation] = world.memory.all(Invitation)
    assert invitation.state is InvitationState.EXPIRED
    world.run()
    assert world.funnel()["expired"] == 1


def test_an_answered_invitation_does_not_close(world: World) -> None:
    world.referral(NEWCOMER)
    world.clock.advance(days=15)
    assert expire(world.ports) == NOTHING


def test_an_invitation_that_waited_too_long_for_a_list_is_never_sent(world: World) -> None:
    session = world.sponsor()
    world.lists.fails = "too_old"
    world.invite(session, NEWCOMER)
    world.run()
    world.clock.advance(days=15)
    assert expire(world.ports) == NOTHING
    assert reconcile(world.ports)["undecided"] == 1
    world.lists.fails = None
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    assert world.facts(FactName.INVITATION_REFUSED)[-1].details["reason"] == "too_late"
    assert NEWCOMER not in repr(world.memory.all(Contact))
    assert reconcile(world.ports)["undecided"] == 0


def test_an_accepted_invitation_whose_mail_was_held_up_till_its_end_is_not_sent(
    world: World,
) -> None:
    session = world.sponsor()
    world.invite(session, NEWCOMER)
    decide_invitation(world.ports, world.facts(FactName.INVITATION_RECEIVED)[0])
    world.clock.advance(days=15)
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    assert expire(world.ports)["invitations"] == 1


def test_a_voucher_ends_once_the_reports_of_its_last_day_are_in(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    [voucher] = world.memory.all(Voucher)
    world.clock.now = voucher.valid_until + timedelta(days=3, seconds=-1)
    assert expire(world.ports) == NOTHING
    world.clock.advance(seconds=1)
    assert expire(world.ports) == NOTHING | {"vouchers": 1}
    assert expire(world.ports) == NOTHING
    assert len(world.facts(FactName.VOUCHER_EXPIRED)) == 1
    [change] = world.memory.all(VoucherChange)
    assert (change.change, change.code, change.at) == ("expired", voucher.code, world.clock())


def test_a_redeemed_voucher_does_not_end(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.drop_orders(world.order("A1", "kept", code=world.exported(1)[0]["code"]))
    world.clock.advance(days=70)
    assert expire(world.ports) == NOTHING
    assert world.facts(FactName.VOUCHER_EXPIRED) == []


def test_an_order_is_kept_when_its_return_window_has_passed_in_local_days(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", of=NEWCOMER))
    world.run()
    # 2 March and 14 days, to the end of the day in Paris (winter time).
    world.clock.now = datetime(2026, 3, 16, 22, 59, 58, tzinfo=UTC)
    assert expire(world.ports) == NOTHING
    world.clock.advance(seconds=1)
    assert expire(world.ports) == NOTHING | {"orders": 1}
    assert expire(world.ports) == NOTHING
    world.run()
    assert world.funnel()["orders_kept"] == 1
    assert world.funnel()["rewards"] == 3


@pytest.mark.parametrize("status", ["returned", "cancelled"])
def test_an_order_returned_or_cancelled_in_its_window_is_never_kept(
    world: World, status: str
) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", of=NEWCOMER))
    world.drop_orders(world.order("A1", status, of=NEWCOMER), file="returned")
    world.clock.advance(days=30)
    assert expire(world.ports) == NOTHING
    [order] = world.memory.all(Order)
    assert order.status is OrderStatus(status)


@pytest.mark.slow
def test_killed_at_every_step_and_run_again_everything_ends_once() -> None:
    def begin() -> World:
        world = new_world()
        world.referral(NEWCOMER)
        world.export()
        world.invite(world.sponsor(), "paul@example.fr")
        world.drop_orders(world.order("A1", of=NEWCOMER))
        world.run()
        world.clock.advance(days=70)
        return world

    worlds = killed_everywhere(
        begin, lambda world, ports: expire(ports, world.queues), lambda world: world.ports
    )
    assert len(worlds) > 10
    for world in worlds:
        expire(world.ports)
        assert expire(world.ports) == NOTHING
        for name in (FactName.INVITATION_EXPIRED, FactName.VOUCHER_EXPIRED, FactName.ORDER_KEPT):
            assert len(world.facts(name)) == 1


def test_the_watch_takes_up_an_invitation_that_nobody_decided(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world._streamed = len(world.repository.stream)  # the relay has lost it
    assert reconcile(world.ports)["undecided"] == 0
    world.clock.advance(minutes=16)
    assert reconcile(world.ports)["undecided"] == 1
    assert len(world.queues.waiting[Queue.DECIDE]) == 1
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 1
    assert reconcile(world.ports)["undecided"] == 0


def test_a_quiet_day_has_no_findings(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.run()
    seal(world.ports)
    world.clock.advance(days=1)
    found = reconcile(world.ports)
    assert set(FINDINGS) <= set(found)
    assert not any(found.values()), found
