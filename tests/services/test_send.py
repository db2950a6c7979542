"""Mails: leased, sent, marked; at most once or at least once; settled by the sender's events."""

from __future__ import annotations

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact, Opposition
from chalicelib.domain.people import Token as StoredToken
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.mails import send as deliver_module
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.ports import MailNotSentError, MailUncertainError, Remove
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CANARY
from tests.fakes.due import expire, reconcile
from tests.fakes.world import CUSTOMERS, SENDER, VIPS, World, new_world

NEWCOMER = "jeanne@example.fr"
BUSY = MailNotSentError("TooManyRequestsException", final=False)
REJECTED = MailNotSentError("MessageRejected", final=True)
UNCERTAIN = MailUncertainError("ReadTimeoutError")


@pytest.fixture
def accepted(world: World) -> Fact:
    """The fact of an invitation about to be sent."""
    world.invite(world.sponsor(first_name="Camille"), NEWCOMER)
    decide_invitation(world.ports, world.facts(FactName.INVITATION_RECEIVED)[0])
    return world.facts(FactName.INVITATION_ACCEPTED)[0]


def send(world: World, fact: Fact) -> str:
    return send_mail(world.ports, SENDER, fact)


def invitation(world: World) -> Invitation:
    return world.memory.all(Invitation)[0]


def mail(world: World) -> Mail:
    return next(one for one in world.memory.all(Mail) if one.mail_id.startswith("invitation-"))


def event(world: World, kind: str) -> str:
    return settle_mail(world.ports, MailEvent(kind, mail(world).mail_id, "ses-1"))  # type: ignore[arg-type]


def test_law_2_the_mail_names_the_sponsor_and_can_be_refused_in_one_click(
    world: World, accepted: Fact
) -> None:
    send(world, accepted)
    [sent] = world.mailer.to(NEWCOMER)
    assert "Camille" in sent.text
    assert sent.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(sent.message["List-Unsubscribe"]).startswith("<https://tandem.demo.test/v1/unsub")


def test_law_2_a_sponsor_without_a_name_is_named_by_the_address(world: World) -> None:
    world.drop_list("vips", [*VIPS, "camille.martin@example.fr"], file="more")
    world.invite(world.sponsor("camille.martin@example.fr"), NEWCOMER)
    world.run()
    assert "Camille Martin" in world.mailer.to(NEWCOMER)[0].text


def test_law_2_a_sponsor_who_is_erased_sends_nothing(world: World, accepted: Fact) -> None:
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == VIPS[0]]
    world.repository.commit(Remove(contact))
    assert send(world, accepted) == "nothing_to_send"
    assert world.mailer.to(NEWCOMER) == []


def test_law_3_who_became_a_customer_since_the_decision_gets_no_mail(
    world: World, accepted: Fact
) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    assert send(world, accepted) == "nothing_to_send"
    assert world.mailer.to(NEWCOMER) == []
    assert invitation(world).state is InvitationState.REFUSED
    [refused] = world.facts(FactName.INVITATION_REFUSED)
    assert refused.details["reason"] == "became_customer"
    assert not [one for one in world.memory.all(Contact) if one.address.typed == NEWCOMER]


def test_law_3_the_mail_waits_while_no_list_can_be_trusted(world: World, accepted: Fact) -> None:
    world.lists.fails = "too_old"
    with pytest.raises(RetryLaterError):
        send(world, accepted)
    world.lists.fails = None
    assert send(world, accepted) == "sent"


def test_an_invitation_is_sent_once_whatever_is_repeated(world: World, accepted: Fact) -> None:
    assert send(world, accepted) == "sent"
    assert send(world, accepted) == "nothing_to_send"
    assert len(world.mailer.to(NEWCOMER)) == 1
    assert invitation(world).state is InvitationState.SENT
    assert len(world.facts(FactName.INVITATION_SENT)) == 1


def test_a_busy_sender_gets_the_mail_again_and_no_token_of_the_first_try_is_left(
    world: World, accepted: Fact
) -> None:
    def tokens() -> int:
        return len(world.memory.all(StoredToken))

    before = tokens()
    world.mailer.answers = [BUSY]
    with pytest.raises(RetryLaterError):
        send(world, accepted)
    assert tokens() == before
    assert send(world, accepted) == "sent"
    assert tokens() == before + 2


def test_a_rejected_invitation_has_bounced_and_its_address_is_erased(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers = [REJECTED]
    assert send(world, accepted) == "refused_by_sender"
    assert invitation(world).state is InvitationState.BOUNCED
    assert [contact.address.typed for contact in world.memory.all(Contact)] == [VIPS[0]]
    assert mail(world).state is MailState.FAILED
    assert send(world, accepted) == "nothing_to_send"


@pytest.mark.parametrize("left", [True, False], ids=["it_left", "it_did_not"])
def test_law_2_an_invitation_with_an_uncertain_send_is_never_sent_again(
    world: World, accepted: Fact, left: bool
) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], left
    assert send(world, accepted) == "uncertain"
    world.clock.advance(minutes=30)
    assert send(world, accepted) == "sent_already"
    assert reconcile(world.ports)["leased"] == 1
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == (1 if left else 0)
    world.clock.advance(days=20)
    expire(world.ports)
    assert reconcile(world.ports)["leased"] == 0
    assert mail(world).state is MailState.FAILED


def test_law_2_breaks_when_invitations_are_sent_at_least_once(
    world: World, accepted: Fact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_module, "AT_MOST_ONCE", frozenset())
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    with pytest.raises(RetryLaterError):
        send(world, accepted)
    world.clock.advance(minutes=30)
    assert send(world, accepted) == "sent"
    assert len(world.mailer.to(NEWCOMER)) == 2


def test_a_mail_that_left_uncertainly_is_settled_by_the_senders_event(
    world: World, accepted: Fact
) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    send(world, accepted)
    for _ in range(2):
        assert event(world, "sent") == "sent"
    assert mail(world).state is MailState.SENT
    assert invitation(world).state is InvitationState.SENT
    assert len(world.facts(FactName.INVITATION_SENT)) == 1


def test_the_event_may_come_before_the_sending_was_noted(world: World, accepted: Fact) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    send(world, accepted)
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)
    event(world, "sent")
    assert invitation(world).state is InvitationState.CONFIRMED
    world.run()
    assert world.funnel()["sent"] == 1


def test_a_bounce_ends_the_invitation_and_erases_the_address_once(
    world: World, accepted: Fact
) -> None:
    send(world, accepted)
    assert event(world, "bounced") == "bounced"
    assert event(world, "bounced") == "bounced_already"
    assert invitation(world).state is InvitationState.BOUNCED
    assert [contact.address.typed for contact in world.memory.all(Contact)] == [VIPS[0]]
    assert len(world.facts(FactName.INVITATION_BOUNCED)) == 1


def test_a_complaint_is_an_opposition_once(world: World, accepted: Fact) -> None:
    send(world, accepted)
    assert event(world, "complained") == "complained"
    assert event(world, "complained") == "complained_already"
    assert invitation(world).state is InvitationState.DECLINED
    assert len(world.facts(FactName.MAIL_COMPLAINED)) == 1


def test_a_complaint_after_a_decline_is_an_opposition_still(world: World, accepted: Fact) -> None:
    send(world, accepted)
    decline(world.ports, world.token_of(NEWCOMER))
    assert event(world, "complained") == "complained"
    assert len(world.memory.all(Opposition)) == 2  # under the client's key and ours
    assert len(world.facts(FactName.MAIL_COMPLAINED)) == 1


def test_an_address_with_a_dot_after_its_domain_is_written_to(world: World) -> None:
    world.invite(world.sponsor(), "paul@example.fr.")
    world.run()
    assert len(world.mailer.to("paul@example.fr")) == 1


def test_an_event_of_a_mail_that_is_not_ours_does_nothing(world: World) -> None:
    assert settle_mail(world.ports, MailEvent("bounced", "unknown", "ses-1")) == "not_ours"


@pytest.fixture
def released(world: World) -> Fact:
    """The fact that releases a voucher's mail."""
    world.referral(NEWCOMER)
    world.export()
    world.acknowledge(1)
    return world.facts(FactName.VOUCHER_ACKNOWLEDGED)[0]


def test_a_vouchers_mail_is_sent_once_when_all_goes_well(world: World, released: Fact) -> None:
    assert send(world, released) == "sent"
    assert send(world, released) == "sent_already"
    assert len(world.mailer.to(NEWCOMER)) == 2


def test_a_vouchers_mail_with_an_uncertain_send_is_sent_again_after_its_lease(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [UNCERTAIN]
    with pytest.raises(RetryLaterError):
        send(world, released)
    with pytest.raises(RetryLaterError):
        send(world, released)
    world.clock.advance(minutes=5)
    assert send(world, released) == "sent"
    assert len(world.mailer.to(NEWCOMER)) == 2


def test_a_vouchers_mail_settled_meanwhile_is_not_sent_again(world: World, released: Fact) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    with pytest.raises(RetryLaterError):
        send(world, released)
    settle_mail(world.ports, MailEvent("sent", world.mailer.sent[-1].mail_id, "ses-1"))
    world.clock.advance(minutes=5)
    assert send(world, released) == "sent_already"
    assert len(world.mailer.to(NEWCOMER)) == 2


def test_a_mail_that_must_arrive_is_found_and_sent_by_the_watch(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [UNCERTAIN]
    with pytest.raises(RetryLaterError):
        send(world, released)
    world._streamed = len(world.repository.stream)  # the queue has given up
    world.clock.advance(minutes=16)
    assert reconcile(world.ports)["leased"] == 1
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 2
    assert reconcile(world.ports)["leased"] == 0


def test_a_sign_in_mail_that_must_arrive_is_sent_by_the_watch(world: World) -> None:
    world.sponsor()
    world.mailer.answers = [UNCERTAIN]
    request_sign_in(world.ports, "demo-vip", Address.parse(VIPS[0]))
    world.run()
    world.queues.waiting[Queue.MAIL].clear()
    world.clock.advance(minutes=16)
    assert reconcile(world.ports)["leased"] == 1
    world.run()
    assert len(world.mailer.to(VIPS[0])) == 2


def test_a_voucher_released_at_once_is_mailed_before_any_export() -> None:
    world = new_world(release="at_once")
    world.referral(NEWCOMER)
    assert len(world.mailer.to(NEWCOMER)) == 2
    world.export()
    world.acknowledge(1)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 2


def test_a_revoked_voucher_is_not_mailed(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "kept", of=NEWCOMER))
    world.run()
    world.export()
    world.drop_orders(world.order("A1", "returned", of=NEWCOMER), file="returned")
    world.run()
    world.acknowledge(1)
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == 2  # the invitation and the welcome voucher
    assert len(world.mailer.to(VIPS[0])) == 1  # the sign-in
