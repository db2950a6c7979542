"""Mails: leased, sent, marked; at most once or at least once; settled by the sender's events."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any, cast

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import Contact, Opposition
from chalicelib.domain.people import Token as StoredToken
from chalicelib.domain.vouchers import Voucher, revoked
from chalicelib.services.errors import RetryLaterError, SenderBusyError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails import send as deliver_module
from chalicelib.services.mails.resend import ResendOutcome, resend, undelivered_mails
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.moves import mark_mail_failed, mark_mail_sent
from chalicelib.services.ports import Remove, Replace, Repository
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.voucher_views import voucher_view
from tests.fakes.campaign import CANARY
from tests.fakes.due import expire, reconcile
from tests.fakes.repository import LaggingRepository
from tests.fakes.world import CUSTOMERS, SENDER, VIPS, World, new_world, wrapped

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


def test_law_2_a_mail_that_cannot_name_the_sponsor_is_not_sent(
    world: World, accepted: Fact
) -> None:
    # An earlier version let sponsors invite without a name.
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == VIPS[0]]
    world.repository.commit(Replace(replace(contact, first_name=None)))
    assert send(world, accepted) == "nothing_to_send"
    assert world.mailer.to(NEWCOMER) == []


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
    with pytest.raises(SenderBusyError):
        send(world, accepted)
    assert tokens() == before
    assert world.memory.all(Mail)[1:] == []  # the sign-in's alone: no lease is left
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
    world.clock.advance(days=1)
    assert reconcile(world.ports)["leased"] == 0
    assert (mail(world).state, mail(world).problem) == (MailState.FAILED, MailProblem.UNCONFIRMED)
    assert [one.details["reason"] for one in world.facts(FactName.MAIL_FAILED)] == ["unconfirmed"]
    assert undelivered_mails(world.ports, "demo-vip") == [mail(world)]
    # It may have left: it stays open to its closing day, and nothing is sent again.
    assert invitation(world).state is InvitationState.RECEIVED
    assert send(world, accepted) == "sent_already"
    world.clock.advance(days=20)
    expire(world.ports)
    assert invitation(world).state is InvitationState.EXPIRED
    assert len(world.mailer.to(NEWCOMER)) == (1 if left else 0)


def test_a_mail_that_was_sent_since_the_watch_saw_it_is_not_given_up(
    world: World, accepted: Fact
) -> None:
    send(world, accepted)
    unconfirmed = MailProblem.UNCONFIRMED
    mark_mail_failed(world.ports, mail(world).mail_id, unconfirmed, unconfirmed)
    assert mail(world).state is MailState.SENT
    assert world.facts(FactName.MAIL_FAILED) == []


def test_a_mail_is_not_given_up_before_its_day(world: World, accepted: Fact) -> None:
    world.mailer.answers = [UNCERTAIN]
    send(world, accepted)
    world.clock.advance(hours=23, minutes=59)
    assert reconcile(world.ports)["leased"] == 1
    assert world.facts(FactName.MAIL_FAILED) == []


@pytest.mark.parametrize("kind", ["sent", "bounced", "complained"])
def test_proof_that_comes_after_a_mail_was_given_up_counts(
    world: World, accepted: Fact, kind: str
) -> None:
    world.mailer.answers, world.mailer.leaves_first = [UNCERTAIN], True
    send(world, accepted)
    world.clock.advance(days=1)
    reconcile(world.ports)
    for _ in range(2):
        event(world, kind)
    assert mail(world).state is MailState.SENT
    assert len(world.facts(FactName.INVITATION_SENT)) == 1
    ended = {"sent": "sent", "bounced": "bounced", "complained": "declined"}
    assert invitation(world).state == ended[kind]


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


def test_a_sending_that_is_proved_twice_is_noted_once(world: World, accepted: Fact) -> None:
    send(world, accepted)
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    for _ in range(2):
        mark_mail_sent(world.ports, mail.mail_id, "ses-9")
    assert len(world.facts(FactName.INVITATION_SENT)) == 1
    of_it = [one for one in world.facts(FactName.MAIL_SENT) if one.ids["mail"] == mail.mail_id]
    assert len(of_it) == 1


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
    assert len(world.memory.all(Opposition)) == 1  # under our own key
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


def test_a_mail_that_must_arrive_is_found_by_the_watch_days_after_its_fact(
    world: World, released: Fact
) -> None:
    world.clock.advance(days=2)
    world.mailer.answers = [UNCERTAIN]
    with pytest.raises(RetryLaterError):
        send(world, released)
    world._streamed = len(world.repository.stream)
    world.clock.advance(minutes=16)
    reconcile(world.ports)
    assert world.queues.waiting[Queue.MAIL] == [released]


def test_a_sign_in_mail_that_must_arrive_is_sent_by_the_watch(world: World) -> None:
    world.sponsor()
    world.mailer.answers = [UNCERTAIN]
    request_sign_in(world.ports, "demo-vip", Address.parse(VIPS[0]))
    world.run()
    world.queues.waiting[Queue.REQUESTED_MAIL].clear()
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


# --- bounces, and a voucher's mail sent again ----------------------------------------------------

OPS = "AIDAOPS"


@pytest.mark.parametrize(
    ("kind", "fact", "problem"),
    [
        ("bounced", FactName.MAIL_BOUNCED, MailProblem.BOUNCED),
        ("suppressed", FactName.MAIL_BOUNCED, MailProblem.SUPPRESSED),
        ("rejected", FactName.MAIL_FAILED, MailProblem.REJECTED),
    ],
)
def test_an_invitation_that_will_never_arrive_is_closed_once(
    world: World, accepted: Fact, kind: str, fact: FactName, problem: MailProblem
) -> None:
    send(world, accepted)
    assert [event(world, kind), event(world, kind)] == [problem, "bounced_already"]
    assert event(world, "sent") == "sent"  # out of order
    assert mail(world).problem is problem
    assert invitation(world).state is InvitationState.BOUNCED
    assert [len(world.facts(one)) for one in (fact, FactName.INVITATION_BOUNCED)] == [1, 1]
    assert undelivered_mails(world.ports, "demo-vip") == []  # nothing is left to do


def test_a_bounce_for_now_leaves_an_invitation_open_and_one_for_good_ends_it(
    world: World, accepted: Fact
) -> None:
    send(world, accepted)
    assert event(world, "bounced_for_now") == "bounced_for_now"
    assert event(world, "bounced_for_now") == "bounced_already"
    assert invitation(world).state is InvitationState.SENT
    assert event(world, "bounced") == "bounced"
    assert event(world, "bounced_for_now") == "bounced_already"
    assert mail(world).problem is MailProblem.BOUNCED
    assert len(world.facts(FactName.MAIL_BOUNCED_FOR_NOW)) == 1
    assert invitation(world).state is InvitationState.BOUNCED


@pytest.fixture
def bounced(world: World, released: Fact) -> Mail:
    """A voucher's mail that bounced."""
    send(world, released)
    world._streamed = len(world.repository.stream)  # all of it is done
    report(world, "bounced")
    return voucher_mail(world)


def voucher_mail(world: World) -> Mail:
    return next(one for one in world.memory.all(Mail) if one.voucher_id)


def report(world: World, kind: str, provider_id: str | None = None) -> str:
    known = voucher_mail(world)
    about = provider_id or known.provider_id or "ses-unknown"
    return settle_mail(world.ports, MailEvent(kind, known.mail_id, about))  # type: ignore[arg-type]


class Overtaken:
    """A repository whose first commit comes after what somebody else did."""

    def __init__(self, inner: Repository, first: Callable[[], object]) -> None:
        self._inner, self._first = inner, [first]

    def __getattr__(self, name: str) -> Any:
        while name == "commit" and self._first:
            self._first.pop()()
        return getattr(self._inner, name)


def ask_again(world: World, which: str) -> ResendOutcome:
    return resend(world.ports, "demo-vip", which, OPS)


def test_a_vouchers_mail_that_bounced_is_a_fact_and_shown(world: World, bounced: Mail) -> None:
    [undelivered] = world.facts(FactName.VOUCHER_UNDELIVERED)
    assert (undelivered.ids["mail"], undelivered.details["reason"]) == (bounced.mail_id, "bounced")
    assert undelivered_mails(world.ports, "demo-vip") == [bounced]
    assert reconcile(world.ports)["leased"] == 0


def test_the_holder_of_a_voucher_whose_mail_bounced_sees_it_still(
    world: World, bounced: Mail
) -> None:
    """The referee's page gives the code, whatever became of the mail."""
    voucher = next(one for one in world.memory.all(Voucher) if one.voucher_id == bounced.voucher_id)
    assert voucher_view(voucher) == "available"


def test_a_vouchers_mail_is_sent_again_once_however_many_ask(world: World, bounced: Mail) -> None:
    assert bounced.voucher_id
    before = len(world.mailer.to(NEWCOMER))
    assert ask_again(world, bounced.mail_id) is ResendOutcome.QUEUED
    assert ask_again(world, bounced.voucher_id) is ResendOutcome.BEING_SENT
    assert undelivered_mails(world.ports, "demo-vip") == []
    world.run(Random(1))
    assert len(world.mailer.to(NEWCOMER)) == before + 1
    assert ask_again(world, bounced.voucher_id) is ResendOutcome.NOT_UNDELIVERED
    [asked] = world.facts(FactName.MAIL_TO_SEND_AGAIN)
    assert asked.details["by"] == OPS


def test_a_mail_that_is_sent_again_is_shown_no_more_though_the_index_lags(
    world: World, bounced: Mail
) -> None:
    before = deepcopy(world.store)
    ask_again(world, bounced.mail_id)
    lagging = wrapped(world, lambda inner: LaggingRepository(inner, before=before))
    assert undelivered_mails(lagging, "demo-vip") == []


def test_of_two_operators_at_once_one_has_it_sent(world: World, bounced: Mail) -> None:
    which = bounced.mail_id
    overtaken = wrapped(
        world, lambda inner: cast(Repository, Overtaken(inner, lambda: ask_again(world, which)))
    )
    assert resend(overtaken, "demo-vip", which, OPS) is ResendOutcome.BEING_SENT
    assert len(world.facts(FactName.MAIL_TO_SEND_AGAIN)) == 1


@pytest.mark.parametrize("kind", ["bounced", "sent", "bounced_for_now"])
def test_an_event_about_the_earlier_send_says_nothing_about_the_later_one(
    world: World, bounced: Mail, kind: str
) -> None:
    earlier = bounced.provider_id
    ask_again(world, bounced.mail_id)
    assert report(world, kind, earlier) == "of_an_earlier_send"
    assert voucher_mail(world).state is MailState.WAITING
    world.run()
    assert report(world, kind, earlier) == "of_an_earlier_send"
    assert (voucher_mail(world).state, voucher_mail(world).problem) == (MailState.SENT, None)
    assert report(world, "bounced") == "bounced"


def test_a_sender_that_is_busy_keeps_what_is_known_of_the_earlier_send(
    world: World, bounced: Mail
) -> None:
    ask_again(world, bounced.mail_id)
    [asked] = world.facts(FactName.MAIL_TO_SEND_AGAIN)
    world.mailer.answers = [BUSY]
    with pytest.raises(SenderBusyError):
        send(world, asked)
    waiting = voucher_mail(world)
    assert (waiting.state, waiting.earlier_ids) == (MailState.WAITING, (bounced.provider_id,))
    assert send(world, asked) == "sent"


def test_a_complaint_about_the_earlier_send_is_an_opposition_still(
    world: World, bounced: Mail
) -> None:
    ask_again(world, bounced.mail_id)
    assert report(world, "complained", bounced.provider_id) == "complained"
    assert voucher_mail(world).state is MailState.WAITING
    assert len(world.memory.all(Opposition)) == 1


def test_a_mail_to_send_again_that_its_queue_lost_is_found(world: World, bounced: Mail) -> None:
    ask_again(world, bounced.mail_id)
    world._streamed = len(world.repository.stream)
    before = len(world.mailer.to(NEWCOMER))
    world.clock.advance(minutes=16)
    assert reconcile(world.ports)["leased"] == 1
    world.run()
    assert len(world.mailer.to(NEWCOMER)) == before + 1


def test_only_a_vouchers_mail_is_sent_again(world: World, accepted: Fact) -> None:
    send(world, accepted)
    event(world, "bounced")
    assert ask_again(world, mail(world).mail_id) is ResendOutcome.NOT_A_VOUCHERS
    assert ask_again(world, "nothing") is ResendOutcome.UNKNOWN


def test_the_mail_of_another_campaign_is_not_found(world: World, bounced: Mail) -> None:
    assert resend(world.ports, "other", bounced.mail_id, OPS) is ResendOutcome.UNKNOWN


def test_what_has_ended_or_has_no_address_is_not_sent_again(world: World, bounced: Mail) -> None:
    voucher = next(one for one in world.memory.all(Voucher) if one.voucher_id == bounced.voucher_id)
    contact = world.repository.get(Contact, contact_id=voucher.contact_id)
    assert contact
    world.repository.commit(Remove(contact))
    assert ask_again(world, bounced.mail_id) is ResendOutcome.ADDRESS_GONE
    world.repository.commit(Replace(revoked(voucher, world.clock())))
    assert ask_again(world, bounced.mail_id) is ResendOutcome.VOUCHER_ENDED


def test_a_vouchers_mail_that_the_sender_refuses_is_shown(world: World, released: Fact) -> None:
    world.mailer.answers = [REJECTED]
    assert send(world, released) == "refused_by_sender"
    assert [one.problem for one in undelivered_mails(world.ports, "demo-vip")] == ["refused"]
    assert len(world.facts(FactName.VOUCHER_UNDELIVERED)) == 1


def test_a_mail_whose_voucher_has_ended_is_no_finding_for_ever(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [UNCERTAIN]
    with pytest.raises(RetryLaterError):
        send(world, released)
    voucher = next(
        one for one in world.memory.all(Voucher) if one.voucher_id == released.ids["voucher"]
    )
    world.repository.commit(Replace(revoked(voucher, world.clock())))
    world.clock.advance(days=1)
    assert reconcile(world.ports)["leased"] == 0
    assert voucher_mail(world).state is MailState.FAILED
    assert world.facts(FactName.VOUCHER_UNDELIVERED) == []
