"""Objecting to further mails: every mail has the link, and what it stops is what the page says."""

from __future__ import annotations

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.fact_bodies import OppositionRecorded, body_as
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Token,
    TokenPurpose,
)
from chalicelib.domain.people import oppositions as new_oppositions
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.errors import GoneError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.respond import confirm, view_offer
from chalicelib.services.mails.resend import ResendOutcome, resend
from chalicelib.services.mails.send import send_mail
from chalicelib.services.objections.unsubscribe import campaign_behind, unsubscribe
from chalicelib.services.operations.consequences import is_undone, results_of
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.voucher_views import voucher_view
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.world import SENDER, VIPS, World, new_world

NEWCOMER = "jeanne@gmail.com"
ALL, INVITATIONS = OppositionScope.ALL, OppositionScope.INVITATIONS


@pytest.fixture
def invited(world: World) -> World:
    """Somebody who has got the mail of an invitation."""
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    world.run()
    return world


def stop_token(world: World, address: str = NEWCOMER, position: int = 0) -> str:
    header = world.mailer.to(address)[position].message["List-Unsubscribe"]
    return str(header).strip("<>").rsplit("/", 1)[1]


def scopes(world: World) -> set[OppositionScope]:
    return {one.scope for one in world.memory.all(Opposition)}


def invitation(world: World) -> Invitation:
    [found] = world.memory.all(Invitation)
    return found


def release(world: World) -> None:
    """The client acknowledges the voucher; its mail is due."""
    number = world.export()
    assert number
    world.acknowledge(number.number)


def voucher_mails(world: World, address: str = NEWCOMER) -> list[str]:
    return [one.mail_id for one in world.mailer.to(address) if one.mail_id.startswith("voucher")]


# --- every mail ----------------------------------------------------------------------------------


def rewarded(world: World) -> None:
    """A referee with a voucher, a sponsor with a reward, each with all the mails there are."""
    world.referral(NEWCOMER)
    world.drop_orders(world.order("1", "kept", of=NEWCOMER))
    world.run()
    release(world)
    world.run()


def test_every_mail_says_how_to_stop_mails(world: World) -> None:
    rewarded(world)
    kinds = {mail.mail_id.partition("-")[0] for mail in world.mailer.sent}
    assert kinds == {"sign_in", "invitation", "voucher"}
    for mail in world.mailer.sent:
        header = str(mail.message["List-Unsubscribe"]).strip("<>")
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert f"{header}/page" in mail.text


@pytest.mark.parametrize(("address", "mails"), [(NEWCOMER, 3), (VIPS[0], 2)])
def test_each_mail_of_a_person_stops_them_by_itself(address: str, mails: int) -> None:
    for position in range(mails):
        world = new_world()
        rewarded(world)
        assert len(world.mailer.to(address)) == mails
        unsubscribe(world.ports, stop_token(world, address, position), ALL)
        assert scopes(world) == {ALL}
        [fact] = world.facts(FactName.OPPOSITION_RECORDED)
        of_sponsor = fact.subject == fact.ids["sponsor"]
        assert of_sponsor is (address == VIPS[0])


@pytest.mark.parametrize("address", [NEWCOMER, VIPS[0]])
def test_any_mail_of_a_person_opposes_for_all_of_them(world: World, address: str) -> None:
    rewarded(world)
    recorded = set()
    for position in range(len(world.mailer.to(address))):
        unsubscribe(world.ports, stop_token(world, address, position))
        recorded.add(len(world.memory.all(Opposition)))
    assert len(recorded) == 1
    assert len(world.facts(FactName.OPPOSITION_RECORDED)) == 1


# --- what it does --------------------------------------------------------------------------------


def test_it_declines_and_opposes_under_our_own_key_and_may_be_repeated(invited: World) -> None:
    text = stop_token(invited)
    for _ in range(2):
        unsubscribe(invited.ports, text)
    assert invitation(invited).state is InvitationState.DECLINED
    assert len(invited.memory.all(Opposition)) == 1
    [fact] = invited.facts(FactName.OPPOSITION_RECORDED)
    assert body_as(fact, OppositionRecorded).scope is INVITATIONS
    assert [one.address.typed for one in invited.memory.all(Contact)] == [VIPS[0]]
    with pytest.raises(GoneError):
        confirm(invited.ports, invited.token_of(NEWCOMER), "1", False)


def test_a_repeat_commits_nothing(invited: World) -> None:
    text = stop_token(invited)
    unsubscribe(invited.ports, text, ALL)
    before = dict(invited.memory._items)
    for scope in (ALL, INVITATIONS):
        unsubscribe(invited.ports, text, scope)
    assert invited.memory._items == before


def test_a_wider_choice_is_taken_later_and_never_narrowed(invited: World) -> None:
    text = stop_token(invited)
    unsubscribe(invited.ports, text)
    assert scopes(invited) == {INVITATIONS}
    unsubscribe(invited.ports, text, ALL)
    assert scopes(invited) == {ALL}
    unsubscribe(invited.ports, text)
    assert scopes(invited) == {ALL}
    bodies = [
        body_as(one, OppositionRecorded) for one in invited.facts(FactName.OPPOSITION_RECORDED)
    ]
    assert [body.scope for body in bodies] == [INVITATIONS, ALL]


def test_after_the_confirmation_it_leaves_the_referral(world: World) -> None:
    world.referral(NEWCOMER)
    unsubscribe(world.ports, stop_token(world))
    assert invitation(world).state is InvitationState.CONFIRMED
    assert len(world.memory.all(Opposition)) == 1


def test_an_unknown_token_and_one_of_another_purpose_are_nobodys(invited: World) -> None:
    before = dict(invited.memory._items)
    for text in ("unknown", invited.token_of(NEWCOMER), invited.mailer.to(VIPS[0])[0].tokens[0]):
        unsubscribe(invited.ports, text)
        assert campaign_behind(invited.ports, text) is None
    assert invited.memory._items == before


def test_the_page_knows_whose_mails_it_stops(invited: World) -> None:
    found = campaign_behind(invited.ports, stop_token(invited))
    assert found
    assert found.id == CAMPAIGN


def test_a_token_that_an_earlier_version_marked_as_used_may_ask_for_more(invited: World) -> None:
    text = stop_token(invited)
    [token] = [
        one
        for one in invited.memory.all(Token)
        if one.purpose is TokenPurpose.UNSUBSCRIBE and one.invitation_id
    ]
    used = Token(**{**vars(token), "used_at": invited.clock()})
    invited.repository.commit(Replace(used))
    unsubscribe(invited.ports, text, ALL)
    assert scopes(invited) == {ALL}


# --- what is sent after it -----------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "sent"), [(INVITATIONS, 1), (ALL, 0)])
def test_vouchers_that_were_earned_still_come_unless_nothing_at_all_was_chosen(
    world: World, scope: OppositionScope, sent: int
) -> None:
    world.referral(NEWCOMER)
    unsubscribe(world.ports, stop_token(world), scope)
    release(world)
    world.run()
    assert len(voucher_mails(world)) == sent
    [voucher] = world.memory.all(Voucher)
    assert voucher.state is VoucherState.ACKNOWLEDGED


def test_a_voucher_that_is_not_mailed_is_on_the_page_of_the_invitation(world: World) -> None:
    world.referral(NEWCOMER)
    unsubscribe(world.ports, stop_token(world), ALL)
    release(world)
    world.run()
    assert voucher_mails(world) == []
    [voucher] = view_offer(world.ports, world.token_of(NEWCOMER)).vouchers
    assert voucher_view(voucher) == "available"


@pytest.mark.parametrize(("scope", "sent"), [(INVITATIONS, 1), (ALL, 0)])
def test_a_sponsors_reward_is_mailed_as_she_chose(
    world: World, scope: OppositionScope, sent: int
) -> None:
    world.referral(NEWCOMER)
    unsubscribe(world.ports, stop_token(world, VIPS[0]), scope)
    world.drop_orders(world.order("1", "kept", of=NEWCOMER))
    world.run()
    release(world)
    world.run()
    assert len(voucher_mails(world, VIPS[0])) == sent
    assert len(voucher_mails(world)) == 2  # the referee's own


@pytest.mark.parametrize(("scope", "mails"), [(INVITATIONS, 2), (ALL, 1)])
def test_a_sign_in_link_is_sent_unless_nothing_at_all_was_chosen(
    world: World, scope: OppositionScope, mails: int
) -> None:
    world.sponsor()
    unsubscribe(world.ports, stop_token(world, VIPS[0]), scope)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
    world.run()
    assert len(world.mailer.to(VIPS[0])) == mails


def test_a_mail_that_is_not_sent_for_an_objection_is_not_work_that_was_lost(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.acknowledge(1)
    [fact] = world.facts(FactName.VOUCHER_ACKNOWLEDGED)
    assert is_undone(world.ports, fact, results_of(world.ports, [fact]))
    unsubscribe(world.ports, stop_token(world), ALL)
    assert not is_undone(world.ports, fact, results_of(world.ports, [fact]))
    assert send_mail(world.ports, SENDER, fact) == "nothing_to_send"


def test_a_vouchers_mail_is_not_sent_again_to_who_objected_to_all(world: World) -> None:
    world.referral(NEWCOMER)
    release(world)
    [fact] = world.facts(FactName.VOUCHER_ACKNOWLEDGED)
    send_mail(world.ports, SENDER, fact)
    [mail] = [one for one in world.memory.all(Mail) if one.voucher_id]
    failed = Mail(**{**vars(mail), "state": MailState.FAILED, "problem": MailProblem.BOUNCED})
    world.repository.commit(Replace(failed))
    unsubscribe(world.ports, stop_token(world), INVITATIONS)
    unsubscribe(world.ports, stop_token(world), ALL)
    assert resend(world.ports, CAMPAIGN, mail.mail_id, "ops") is ResendOutcome.OBJECTED


def test_who_objects_between_the_decision_and_the_mail_is_not_invited(world: World) -> None:
    """By another mail of the brand, of whatever campaign."""
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    decide_invitation(world.ports, world.facts(FactName.INVITATION_RECEIVED)[0])
    [accepted] = world.facts(FactName.INVITATION_ACCEPTED)
    digest = world.memory.all(RefereeClaim)[-1].digest
    opposed = new_oppositions("demo", [digest], [], world.clock())
    world.repository.commit(*map(Insert, opposed))
    assert send_mail(world.ports, SENDER, accepted) == "nothing_to_send"
    assert world.mailer.to(NEWCOMER) == []
    assert invitation(world).state is InvitationState.REFUSED
    [refused] = world.facts(FactName.INVITATION_REFUSED)
    assert refused.details["reason"] == "opposed"
