"""A mail that must arrive and whose send got no answer is sent again though its message is lost,
whatever it is about; and each mail is known by the fact that it follows from.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.effects import Queue
from chalicelib.domain.mails import Mail, MailState
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mail_ports import MailUncertainError
from chalicelib.services.operations.balance import balances
from chalicelib.services.operations.overdue_mails import LEASED_AFTER, settle_overdue
from chalicelib.services.ports import Key
from tests.fakes.due import expire, reconcile
from tests.fakes.world import World, new_world
from tests.services.test_voucher_mails import NEWCOMER, confirmed, invited, mailed


def confirms() -> World:
    world = invited(mail_confirmations=True)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    return world


def is_revoked() -> World:
    """Acknowledged and revoked within the hour: the voucher has facts of both."""
    world = mailed(confirmed())
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER), file="kept")
    world.run()
    world.export()
    world.acknowledge(2)
    world.run()
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    return world


def ends_soon() -> World:
    world = mailed(confirmed(ends_soon_days=7))
    world.clock.advance(days=54)
    expire(world.ports)
    return world


def is_released() -> World:
    world = confirmed()
    world.export()
    world.acknowledge(1)
    return world


def is_sent_again(world: World) -> bool:
    """Nobody answers, the messages are lost, and a quarter of an hour passes."""
    world.mailer.answers = [MailUncertainError("ReadTimeoutError")] * 9
    world.run()
    world.queues.waiting.clear()
    world.mailer.answers.clear()
    leased = [one for one in world.memory.all(Mail) if one.state is MailState.LEASED]
    assert leased
    world.clock.advance(minutes=1 + LEASED_AFTER.total_seconds() / 60)
    reconcile(world.ports)
    world.run()
    found = [world.repository.get(Mail, mail_id=one.mail_id) for one in leased]
    return all(one and one.state is MailState.SENT for one in found)


@pytest.mark.parametrize("scene", [confirms, is_released, is_revoked, ends_soon])
def test_a_mail_without_an_answer_is_sent_again(scene: Callable[[], World]) -> None:
    assert is_sent_again(scene())


def test_law_2_an_invitation_without_an_answer_is_not_even_queued_again() -> None:
    world = new_world()
    session = world.sponsor()
    world.invite(session, NEWCOMER)
    world.mailer.answers = [MailUncertainError("ReadTimeoutError")]
    world.run()
    [mail] = [one for one in world.memory.all(Mail) if one.state is MailState.LEASED]
    world.clock.advance(hours=1)
    assert settle_overdue(world.ports, Key.of(Mail, mail_id=mail.mail_id)) is False
    assert world.queues.waiting[Queue.MAIL] == []


@pytest.mark.parametrize("scene", [confirms, is_released, is_revoked, ends_soon])
def test_each_mail_has_the_fact_that_it_follows_from(scene: Callable[[], World]) -> None:
    world = scene()
    world.run()
    day = world.campaign.local_date(world.clock())
    world.clock.advance(days=1)
    [(_, _, findings)] = balances(world.ports, [(world.campaign, day)])
    assert findings == []
