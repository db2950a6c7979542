"""A claim on a referee of whom no mail has been sent is freed; one mail ever stays one (law 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.mails import SETTLED_AFTER, Mail
from chalicelib.domain.people import RefereeClaim
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from tests.fakes.campaign import CANARY
from tests.fakes.due import reconcile
from tests.fakes.world import CUSTOMERS, VIPS, World

NEWCOMER = "jeanne@example.fr"
REFUSED = MailNotSentError("BadRequestException", final=True)


def invite_again(world: World) -> int:
    """Another sponsor invites the same; how many mails they have had then."""
    world.invite(world.sponsor(VIPS[1]), NEWCOMER)
    world.run()
    return len(world.mailer.to(NEWCOMER))


def invite_with(world: World, error: Exception) -> None:
    """An invitation whose mail the sender answers so."""
    session = world.sponsor()
    world.mailer.answers = [error]
    world.invite(session, NEWCOMER)
    world.run()


def test_law_2_a_referee_nobody_could_write_to_may_be_invited_by_another(world: World) -> None:
    invite_with(world, REFUSED)
    assert world.memory.all(RefereeClaim) == []
    assert invite_again(world) == 1
    world.confirm(NEWCOMER)


def test_the_claim_of_another_invitation_is_left_to_it(world: World) -> None:
    invite_with(world, REFUSED)
    mail = next(one for one in world.memory.all(Mail) if one.mail_kind == "invitation")
    assert invite_again(world) == 1
    claims = world.memory.all(RefereeClaim)
    settle_mail(world.ports, MailEvent("sent", mail.mail_id, "late"))
    assert world.memory.all(RefereeClaim) == claims != []


@pytest.mark.parametrize("leaves", [True, False])
def test_law_2_a_mail_that_may_have_left_keeps_its_claim(world: World, leaves: bool) -> None:
    world.mailer.leaves_first = leaves
    invite_with(world, MailUncertainError("timeout"))
    world.mailer.leaves_first = False
    world.clock.now += SETTLED_AFTER + timedelta(hours=1)
    reconcile(world.ports)
    assert invite_again(world) == int(leaves)


@pytest.mark.parametrize("kind", ["bounced", "rejected", "suppressed", "complained"])
def test_law_2_a_mail_that_was_taken_keeps_its_claim(world: World, kind: str) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    mail = next(one for one in world.memory.all(Mail) if one.mail_kind == "invitation")
    event = MailEvent(kind, mail.mail_id, mail.provider_id or "")  # type: ignore[arg-type]
    settle_mail(world.ports, event)
    assert invite_again(world) == 1


def test_who_was_found_a_customer_before_the_mail_is_not_claimed(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    decide_invitation(world.ports, received)
    assert world.memory.all(RefereeClaim)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="with")
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    assert world.memory.all(RefereeClaim) == []
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, "other@demo.test"], file="without")
    assert invite_again(world) == 1


def test_a_kelvin_sign_takes_nobodys_place(world: World) -> None:
    """Digested as an address with a k, so it is the mailbox of somebody with a k."""
    world.invite(world.sponsor(), "\u212aevin@example.fr")
    world.run()
    assert len(world.mailer.to("Kevin@example.fr")) == 1
    world.confirm("Kevin@example.fr")
