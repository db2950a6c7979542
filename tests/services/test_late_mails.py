"""Mails may leave when the campaign's addresses are about to end, or have: they are heard too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.facts import FactName
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Opposition, OppositionScope
from chalicelib.domain.tokens import HEARD_FOR
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from tests.fakes.world import SENDER, World
from tests.services.test_consents import stop_token
from tests.services.test_privacy_requests import REFEREE, ask, mails_to

AROUND_THE_END = [timedelta(hours=-2), timedelta(days=30)]


def written_late(world: World, after: timedelta) -> None:
    """Who was invited asks for her data when the addresses end."""
    world.invite(world.sponsor(), REFEREE)
    world.run()
    world.clock.now = world.campaign.contact_ends_at() + after
    ask(world)
    assert mails_to(world) == 1


@pytest.mark.parametrize("after", AROUND_THE_END)
def test_an_objection_from_a_late_mail_is_recorded_as_the_answer_says(
    world: World, after: timedelta
) -> None:
    written_late(world, after)
    world.clock.now += HEARD_FOR - timedelta(seconds=1)
    unsubscribe(world.ports, stop_token(world, REFEREE, -1), OppositionScope.ALL)
    assert {one.scope for one in world.memory.all(Opposition)} == {OppositionScope.ALL}


@pytest.mark.parametrize("after", AROUND_THE_END)
def test_a_complaint_about_a_late_mail_is_heard(world: World, after: timedelta) -> None:
    written_late(world, after)
    world.clock.advance(days=1)
    mail_id = world.mailer.to(REFEREE)[-1].mail_id
    assert settle_mail(world.ports, MailEvent("complained", mail_id, "p")) == "complained"
    assert world.memory.all(Opposition)


def test_a_late_mail_leaves_once(world: World) -> None:
    """Its message may come round again."""
    written_late(world, timedelta(days=30))
    [granted] = world.facts(FactName.PRIVACY_LINK_GRANTED)
    assert send_mail(world.ports, SENDER, granted) == "sent_already"
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "privacy_link"]
    assert world.repository.get(Mail, mail_id=mail.mail_id)
