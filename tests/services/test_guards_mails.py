"""What keeps a mail from being sent, refused or reported twice, where only timing shows it."""

from __future__ import annotations

import pytest

from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import InvitationState
from chalicelib.domain.mails import Mail
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.mail_ports import MailUncertainError
from chalicelib.services.mails.send import send_mail
from chalicelib.services.operations.overdue_mails import LEASED_AFTER, settle_overdue
from chalicelib.services.ports import Key, Remove
from tests.fakes.campaign import CANARY
from tests.fakes.due import reconcile
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import CUSTOMERS, SENDER, VIPS, World, wrapped
from tests.services.test_send import (
    NEWCOMER,
    accepted,
    invitation,
    mail,
    released,
    send,
)

__all__ = ["accepted", "released"]  # fixtures


def test_of_two_that_send_a_mail_at_once_one_comes_back_later(world: World, accepted: Fact) -> None:
    contested = wrapped(
        world, lambda inner: ContestedRepository(inner, lambda: send(world, accepted))
    )
    with pytest.raises(RetryLaterError):
        send_mail(contested, SENDER, accepted)
    assert len(world.mailer.to(NEWCOMER)) == 1


def test_law_2_a_mail_that_may_have_left_is_not_refused_any_more(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers, world.mailer.leaves_first = [MailUncertainError("timeout")], True
    assert send(world, accepted) == "uncertain"
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    assert send(world, accepted) == "sent_already"
    assert invitation(world).state is InvitationState.RECEIVED
    assert world.facts(FactName.INVITATION_REFUSED) == []


def test_a_mail_that_is_being_sent_is_no_finding_before_its_time(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers = [MailUncertainError("timeout")]
    send(world, accepted)
    world.clock.advance(seconds=LEASED_AFTER.total_seconds() - 1)
    assert reconcile(world.ports)["leased"] == 0
    world.clock.advance(seconds=1)
    assert reconcile(world.ports)["leased"] == 1


def test_a_mail_that_waits_for_its_queue_is_not_queued_again_before_its_time(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [MailUncertainError("timeout")]
    with pytest.raises(RetryLaterError):
        send(world, released)
    world.clock.advance(minutes=1)
    reconcile(world.ports)
    assert world.queues.waiting[Queue.MAIL] == []


def test_of_a_mail_that_ended_with_its_campaign_nothing_is_to_be_settled(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers = [MailUncertainError("timeout")]
    send(world, accepted)
    leased = mail(world)
    world.repository.commit(Remove(leased))
    world.clock.advance(days=2)
    assert not settle_overdue(world.ports, Key.of(Mail, mail_id=leased.mail_id))
    assert world.facts(FactName.MAIL_FAILED) == []
