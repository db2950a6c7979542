"""Links, mails and vouchers that are somebody else's, gone, or settled otherwise meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.rules import Release
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import InvitationState
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import Sponsor
from chalicelib.domain.vouchers import SpareCode, Voucher, VoucherState
from chalicelib.services import spare_codes
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import UnknownError
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails.resend import ResendOutcome, resend
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.moves import mark_mail_failed
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.voucher_views import voucher_view
from chalicelib.services.vouchers.replace_refused import refused_vouchers
from tests.contract.entities import ENTITIES
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import reconcile
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_replacement import OWN_CODES, refuse
from tests.services.test_send import (
    NEWCOMER,
    accepted,
    ask_again,
    bounced,
    event,
    invitation,
    mail,
    released,
    report,
    send,
    voucher_mail,
)

__all__ = ["accepted", "bounced", "released"]  # fixtures

UNCERTAIN = MailUncertainError("timeout")


def test_law_1_a_shared_link_is_good_in_its_own_campaign_alone(world: World) -> None:
    put_campaign(world.ports, campaign(campaign="other"))
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    with pytest.raises(UnknownError):
        sign_up(world.ports, "other", sponsor.link_code, Referee(Address.parse(NEWCOMER)))


# --- mails ----------------------------------------------------------------------------------------


def test_a_bounce_after_the_confirmation_leaves_the_referral(world: World, accepted: Fact) -> None:
    send(world, accepted)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    assert event(world, "bounced") == "bounced"
    assert invitation(world).state is InvitationState.CONFIRMED
    assert world.facts(FactName.INVITATION_BOUNCED) == []


def test_a_mail_given_up_after_the_confirmation_leaves_the_referral(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    send(world, accepted)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    mark_mail_failed(world.ports, mail(world).mail_id, MailProblem.REFUSED, "refused")
    assert mail(world).state is MailState.FAILED
    assert invitation(world).state is InvitationState.CONFIRMED


def test_a_vouchers_mail_that_bounced_for_now_is_no_fact_of_the_voucher(
    world: World, released: Fact
) -> None:
    send(world, released)
    assert report(world, "bounced_for_now") == "bounced_for_now"
    assert world.facts(FactName.VOUCHER_UNDELIVERED) == []


def test_the_mail_of_a_replaced_voucher_that_comes_back_says_nothing_of_the_new_one() -> None:
    world = new_world(release="at_once")
    world.referral(NEWCOMER)
    [first] = [one for one in world.memory.all(Mail) if one.voucher_id]
    world.export()
    refuse(world, 1)
    about = MailEvent("bounced", first.mail_id, first.provider_id or "")
    assert settle_mail(world.ports, about) == "bounced"
    assert world.facts(FactName.VOUCHER_UNDELIVERED) == []


def test_a_mail_asked_for_again_whose_message_is_lost_is_given_up_after_a_day(
    world: World, bounced: Mail
) -> None:
    assert ask_again(world, bounced.mail_id) is ResendOutcome.QUEUED
    world.clock.advance(days=2)
    reconcile(world.ports)
    assert voucher_mail(world).state is MailState.FAILED


def test_a_vouchers_mail_that_is_being_sent_is_not_asked_for_again(
    world: World, bounced: Mail
) -> None:
    leased = replace(voucher_mail(world), state=MailState.LEASED)
    world.repository.commit(Replace(leased))
    assert resend(world.ports, CAMPAIGN, bounced.mail_id, "ops") is ResendOutcome.BEING_SENT


def test_a_vouchers_mail_that_the_sender_refused_is_not_tried_again_by_itself(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    assert send(world, released) == "refused_by_sender"
    assert send(world, released) == "sent_already"


# --- vouchers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (VoucherState.REDEEMED, "redeemed"),
        (VoucherState.EXPIRED, "ended"),
        (VoucherState.REVOKED, "ended"),
        (VoucherState.ISSUED, "available"),
    ],
)
def test_a_holder_sees_whether_a_voucher_can_still_be_used(state: VoucherState, seen: str) -> None:
    stored = next(one for one in ENTITIES if isinstance(one, Voucher))
    shown = replace(
        stored, state=state, release=Release.AT_ONCE, refused_reason=None, replaced_by=None
    )
    assert voucher_view(shown) == seen


def test_refused_vouchers_are_those_of_the_campaign_that_is_asked_for() -> None:
    world = new_world(**OWN_CODES)
    world.drop("codes/welcome/a.csv", b"OWNCODE-1\n")
    world.referral(NEWCOMER)
    world.export()
    refuse(world, 1)
    assert [one.code for one in refused_vouchers(world.ports, CAMPAIGN)] == ["OWNCODE-1"]
    assert refused_vouchers(world.ports, "other") == []


def test_a_spare_code_that_another_grant_has_removed_is_left_alone(world: World) -> None:
    spare = next(one for one in ENTITIES if isinstance(one, SpareCode))
    world.repository.commit(Insert(replace(spare, revision=0)))
    stored: Any = replace(spare, revision=1)
    for _ in range(2):
        spare_codes._forget(world.ports, stored)
    assert world.memory.all(SpareCode) == []


def test_the_mail_of_a_replaced_voucher_is_not_sent_again() -> None:
    world = new_world(release="at_once")
    world.referral(NEWCOMER)
    [first] = [one for one in world.memory.all(Mail) if one.voucher_id]
    world.export()
    refuse(world, 1)
    shown = replace(
        first, state=MailState.SENT, problem=MailProblem.BOUNCED, revision=first.revision
    )
    world.repository.commit(Replace(shown))
    assert resend(world.ports, CAMPAIGN, first.mail_id, "ops") is ResendOutcome.VOUCHER_ENDED
    assert world.mailer.to(VIPS[1]) == []
