"""What is another's, or stopped, or forgotten meanwhile: it is left alone, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, RefereeClaim, Session, Sponsor
from chalicelib.domain.privacy import PrivacyLink, Wish, stop_of_privacy_mails
from chalicelib.domain.protection import HeldInvitation
from chalicelib.domain.referrals import Referral
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.services.errors import GoneError, UnauthorisedError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails.send import send_mail
from chalicelib.services.operations.consequences import is_undone, results_of
from chalicelib.services.operations.overdue_mails import settle_overdue
from chalicelib.services.ports import Key, Remove, Replace
from chalicelib.services.privacy.request import decide_privacy_request, request_privacy
from chalicelib.services.protection import hold
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import decide_sign_in, request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import SENDER, VIPS, World
from tests.services.test_erased_books import erase

VIP, NEWCOMER = VIPS[0], "jeanne@example.fr"


def the_sponsor(world: World) -> Sponsor:
    [sponsor] = world.memory.all(Sponsor)
    return sponsor


def being_forgotten(world: World) -> None:
    """A sponsor of whom all but what comes after her own item is still there."""
    sponsor = the_sponsor(world)
    world.repository.commit(Replace(replace(sponsor, digests=AddressDigests.erased("nobody"))))


# --- who is being forgotten -----------------------------------------------------------------------


def test_a_link_to_sign_in_opens_nothing_for_who_is_being_forgotten(world: World) -> None:
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
    world.run()
    being_forgotten(world)
    # The list says nothing for a time: that alone ends no session.
    world.lists.fails = "too_old"
    with pytest.raises(UnauthorisedError):
        open_session(world.ports, CAMPAIGN, world.mailer.to(VIP)[-1].tokens[0], "Anne")
    assert world.memory.all(Session) == []


def test_nobody_confirms_for_a_sponsor_who_is_being_forgotten(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    being_forgotten(world)
    with pytest.raises(GoneError):
        confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    assert world.memory.all(Referral) == []


# --- what is another's ----------------------------------------------------------------------------


def test_who_was_invited_by_mail_confirms_though_the_shared_link_is_used_up(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    used_up = world.campaign.quotas.sign_ups_per_link
    world.repository.commit(Replace(replace(the_sponsor(world), link_confirmed=used_up)))
    assert confirm(world.ports, world.token_of(NEWCOMER), "1", False)[1]


def test_law_2_of_a_mail_that_is_refused_only_its_own_claims_are_freed(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    assert decide_invitation(world.ports, received) == "eligible"
    claim, *_ = world.memory.all(RefereeClaim)
    other = replace(claim, invitation_id="another")
    world.repository.commit(Replace(other))
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    world.run()
    assert [one.invitation_id for one in world.memory.all(RefereeClaim)] == ["another"]


def test_no_link_to_ones_data_leaves_once_such_mails_are_stopped(world: World) -> None:
    world.referral(NEWCOMER)
    request_privacy(world.ports, CAMPAIGN, Address.parse(NEWCOMER), Wish.EXPORT)
    [asked] = world.facts(FactName.PRIVACY_REQUESTED)
    assert decide_privacy_request(world.ports, asked) == "granted"
    [link] = world.memory.all(PrivacyLink)
    stop = stop_of_privacy_mails(CAMPAIGN, link.brand, link.digest, link, world.clock())
    world.repository.commit(Replace(stop))
    [granted] = world.facts(FactName.PRIVACY_LINK_GRANTED)
    assert send_mail(world.ports, SENDER, granted) == "nothing_to_send"


def test_an_invitation_that_two_deliveries_hold_is_held_once(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    [invitation] = world.memory.all(Invitation)
    [accepted] = world.facts(FactName.INVITATION_ACCEPTED)
    for _ in range(2):
        hold(world.ports, invitation, accepted, None)
    assert [one.accepted for one in world.memory.all(HeldInvitation)] == [accepted]


# --- mails that are missing, and that nobody is to get any more -----------------------------------


def undone(world: World, fact: Fact) -> bool:
    return is_undone(world.ports, fact, results_of(world.ports, [fact]))


def granted_without_a_mail(world: World) -> Fact:
    """A sign-in whose mail is lost with its message."""
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
    [asked] = world.facts(FactName.SIGN_IN_REQUESTED)
    assert decide_sign_in(world.ports, asked) == "granted"
    [granted] = world.facts(FactName.SIGN_IN_GRANTED)
    assert undone(world, granted)
    return granted


def test_a_link_to_sign_in_that_another_has_replaced_is_not_missed(world: World) -> None:
    granted = granted_without_a_mail(world)
    [link] = world.memory.all(SignInLink)
    world.repository.commit(Replace(replace(link, contact_id="another")))
    assert not undone(world, granted)


def test_a_link_to_sign_in_is_not_missed_once_nobody_knows_the_address(world: World) -> None:
    granted = granted_without_a_mail(world)
    world.repository.commit(*map(Remove, world.memory.all(Contact)))
    assert not undone(world, granted)


def test_a_sign_in_that_was_granted_by_a_clock_behind_is_not_decided_again(world: World) -> None:
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
    [asked] = world.facts(FactName.SIGN_IN_REQUESTED)
    assert undone(world, asked)
    world.clock.advance(minutes=-4)
    assert decide_sign_in(world.ports, asked) == "granted"
    world.clock.advance(minutes=4)
    assert not undone(world, asked)


def test_an_invitation_that_nobody_signs_any_more_is_not_missed(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    [received] = world.facts(FactName.INVITATION_RECEIVED)
    assert decide_invitation(world.ports, received) == "eligible"
    [accepted] = world.facts(FactName.INVITATION_ACCEPTED)
    assert undone(world, accepted)
    [own] = [one for one in world.memory.all(Contact) if one.address.typed == VIP]
    world.repository.commit(Replace(replace(own, first_name=None)))
    assert not undone(world, accepted)


def test_a_mail_that_was_sent_since_it_was_handed_out_is_left_alone(world: World) -> None:
    world.sponsor()
    [mail] = world.memory.all(Mail)
    world.clock.advance(hours=1)
    queued = dict(world.queues.waiting)
    assert not settle_overdue(world.ports, Key.of(Mail, mail_id=mail.mail_id))
    assert world.queues.waiting == queued


def test_who_is_forgotten_is_named_the_last_day_of_an_export_that_the_client_has(
    world: World,
) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.acknowledge(1)
    world.run()
    [last] = [one.last_day for one in erase(world, NEWCOMER).files if "/vouchers/" in one.path]
    assert last == world.campaign.local_date(world.clock() + timedelta(days=35))
