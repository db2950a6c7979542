"""Bounces and complaints stop a shared link and a campaign's invitations, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.effects import COMPLAINTS, HARD_BOUNCES, Queue
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Session, Sponsor, is_link_stopped
from chalicelib.domain.protection import (
    HeldInvitation,
    InvitationStop,
    StopReason,
    reason_to_stop,
    resumed,
    stopped,
)
from chalicelib.services import protection
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import QuotaError, SenderBusyError
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.operations.consequences import is_undone
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.protection import requeue_held, resume, stop_if_needed
from chalicelib.services.watch import Watch
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import expire, reconcile
from tests.fakes.ports import MORNING
from tests.fakes.world import SENDER, VIPS, World, new_world, wrapped
from tests.services.test_send import Overtaken, send

TODAY = date(2026, 3, 2)
RULES = campaign()
MANY = {"invitations_per_sponsor": 100, "referees_per_call": 20}
OPS = "AIDAOPS"


def reason(sent: int, bounced: int = 0, complained: int = 0, day: date = TODAY) -> str | None:
    counts = {day: {"sent": sent, HARD_BOUNCES: bounced, COMPLAINTS: complained}}
    return reason_to_stop(RULES, None, counts, MORNING)


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "expected"),
    [
        (500, 20, 0, StopReason.HARD_BOUNCES),
        (501, 20, 0, None),
        (20, 20, 0, StopReason.HARD_BOUNCES),
        (100, 19, 0, None),
        (5000, 0, 5, StopReason.COMPLAINTS),
        (5001, 0, 5, None),
        (100, 0, 4, None),
        (0, 0, 0, None),
    ],
)
def test_the_limits_are_four_percent_and_a_thousandth_of_more_than_a_few(
    sent: int, bounced: int, complained: int, expected: StopReason | None
) -> None:
    assert reason(sent, bounced, complained) == expected


def test_what_is_older_than_a_week_counts_no_more() -> None:
    assert reason(100, 50, day=TODAY - timedelta(days=6)) is StopReason.HARD_BOUNCES
    assert reason(100, 50, day=TODAY - timedelta(days=7)) is None


def test_what_was_counted_before_ops_resumed_counts_no_more() -> None:
    counts = {TODAY: {"sent": 100, HARD_BOUNCES: 50}}
    stop = stopped(RULES, None, StopReason.HARD_BOUNCES, MORNING)
    ended = resumed(stop, counts, MORNING)
    assert reason_to_stop(RULES, ended, counts, MORNING) is None
    for more, expected in ((19, None), (20, StopReason.HARD_BOUNCES)):
        counts = {TODAY: {"sent": 500, HARD_BOUNCES: 50 + more}}
        assert reason_to_stop(RULES, ended, counts, MORNING) == expected
    # A week later the last seven days count alone, whatever the totals are.
    later = MORNING + timedelta(days=7)
    counts = {TODAY: {"sent": 100, HARD_BOUNCES: 90}, later.date(): {"sent": 500, HARD_BOUNCES: 19}}
    assert reason_to_stop(RULES, ended, counts, later) is None


# --- a campaign's invitations ---------------------------------------------------------------------


def report(world: World, mail: Mail, kind: str) -> str:
    about = MailEvent(kind, mail.mail_id, mail.provider_id or "ses-unknown")  # type: ignore[arg-type]
    return settle_mail(world.ports, about)


def invitations(world: World) -> list[Mail]:
    return [one for one in world.memory.all(Mail) if one.mail_id.startswith("invitation-")]


@pytest.fixture
def sent() -> World:
    """Twenty invitations that were sent."""
    world = new_world(quotas=MANY)
    world.invite(world.sponsor(), *(f"referee{number}@example.fr" for number in range(20)))
    world.run()
    return world


def bounce_all(world: World, kind: str = "bounced") -> None:
    for mail in invitations(world):
        report(world, mail, kind)
        world.run()


@pytest.fixture
def halted(sent: World) -> World:
    """A campaign whose invitations bounces have stopped."""
    bounce_all(sent)
    reconcile(sent.ports)  # the last bounce was not counted yet when it was handled
    return sent


def held(world: World) -> int:
    return len(world.memory.all(HeldInvitation))


def test_twenty_bounces_stop_the_invitations_once_and_are_shown(halted: World) -> None:
    reconcile(halted.ports)
    [fact] = halted.facts(FactName.INVITATIONS_STOPPED)
    assert fact.details == {"reason": "hard_bounces"}
    [shown] = [
        one
        for one in view_dashboard(halted.ports, CAMPAIGN).watched
        if one.watch is Watch.INVITATIONS
    ]
    assert (shown.overdue, shown.since) == (True, fact.at)
    assert reconcile(halted.ports)["invitations_stopped"] == 1


def test_an_event_stops_them_at_once_by_what_is_counted(sent: World) -> None:
    bounce_all(sent)
    assert sent.memory.all(InvitationStop) == []  # the last bounce was not counted yet
    report(sent, invitations(sent)[0], "bounced")
    assert len(sent.facts(FactName.INVITATIONS_STOPPED)) == 1


def test_five_complaints_stop_them_too(sent: World) -> None:
    for mail in invitations(sent)[:5]:
        report(sent, mail, "complained")
        report(sent, mail, "complained")
        sent.run()
    reconcile(sent.ports)
    [fact] = sent.facts(FactName.INVITATIONS_STOPPED)
    assert fact.details == {"reason": "complaints"}


@pytest.mark.parametrize("kind", ["bounced_for_now", "suppressed", "rejected", "sent"])
def test_what_says_nothing_about_the_senders_standing_stops_nothing(sent: World, kind: str) -> None:
    bounce_all(sent, kind)
    assert reconcile(sent.ports)["invitations_stopped"] == 0
    assert sent.memory.all(InvitationStop) == []


def test_law_2_stopped_invitations_are_held_and_go_out_once_after_resuming(halted: World) -> None:
    session = halted.sponsor(VIPS[1])
    halted.invite(session, "late@example.fr", "later@example.fr")
    halted.run(Random(3))
    assert [len(halted.mailer.to(f"{name}@example.fr")) for name in ("late", "later")] == [0, 0]
    assert held(halted) == 2
    assert resume(halted.ports, CAMPAIGN, OPS)
    assert not resume(halted.ports, CAMPAIGN, OPS)
    halted.run(Random(4))
    reconcile(halted.ports)
    halted.run(Random(5))
    assert [len(halted.mailer.to(f"{name}@example.fr")) for name in ("late", "later")] == [1, 1]
    assert held(halted) == 0
    [fact] = halted.facts(FactName.INVITATIONS_RESUMED)
    assert fact.details == {"by": OPS}
    assert reconcile(halted.ports)["invitations_stopped"] == 0


def test_vouchers_and_sign_ins_go_on_and_so_does_another_campaign(halted: World) -> None:
    halted.sponsor(VIPS[2])
    world = new_world()
    world.repository.commit(
        Insert(stopped(campaign(campaign="other"), None, StopReason.COMPLAINTS, MORNING))
    )
    world.referral("jeanne@example.fr")
    world.repository.commit(Insert(stopped(RULES, None, StopReason.COMPLAINTS, MORNING)))
    world.export()
    world.acknowledge(1)
    world.run()
    assert len(world.mailer.to("jeanne@example.fr")) == 2  # the invitation and the voucher


def test_a_held_invitation_does_not_outlast_its_closing_day(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    halted.clock.advance(days=15)
    expire(halted.ports)
    resume(halted.ports, CAMPAIGN, OPS)
    halted.run()
    assert halted.mailer.to("late@example.fr") == []
    states = {one.state for one in halted.memory.all(Invitation)}
    assert states == {InvitationState.BOUNCED, InvitationState.EXPIRED}


def test_what_was_held_while_ops_resumed_is_found_by_the_watch(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    halted._streamed = len(halted.repository.stream)  # the fact of resuming came before it
    reconcile(halted.ports)
    halted.run()
    assert len(halted.mailer.to("late@example.fr")) == 1


def test_what_is_held_stays_while_they_are_stopped(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    assert requeue_held(halted.ports, CAMPAIGN) == 0
    assert held(halted) == 1


def test_many_held_invitations_are_queued_part_by_part(
    halted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "REQUEUED_AT_ONCE", 12)
    session = halted.sponsor(VIPS[1])
    halted.invite(session, *(f"late{number}@example.fr" for number in range(15)))
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    assert requeue_held(halted.ports, CAMPAIGN) == 12
    assert len(halted.queues.waiting[Queue.MAIL]) == 12
    assert requeue_held(halted.ports, CAMPAIGN) == 3


def test_law_2_what_two_runs_queue_at_once_goes_out_once(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    both = wrapped(
        halted,
        lambda inner: Overtaken(inner, lambda: requeue_held(halted.ports, CAMPAIGN)),
    )
    assert requeue_held(both, CAMPAIGN) == 1
    halted.run()
    assert len(halted.mailer.to("late@example.fr")) == 1


def queued_and_lost(world: World) -> None:
    """A held invitation is queued again after the resumption, and its message is lost."""
    world.invite(world.sponsor(VIPS[1]), "late@example.fr")
    world.run()
    resume(world.ports, CAMPAIGN, OPS)
    assert requeue_held(world.ports, CAMPAIGN) == 1
    world.queues.waiting[Queue.MAIL].clear()


def test_a_held_invitation_whose_message_is_lost_is_queued_again_half_a_day_later(
    halted: World,
) -> None:
    queued_and_lost(halted)
    for hours, mails in ((0, 0), (11, 0), (1, 1), (12, 1)):
        halted.clock.advance(hours=hours)
        reconcile(halted.ports)
        halted._streamed = len(halted.repository.stream)  # the resumption queues nothing more
        halted.run()
        assert len(halted.mailer.to("late@example.fr")) == mails
    assert held(halted) == 0


def test_what_waits_in_the_queue_is_no_finding(halted: World) -> None:
    halted.run()
    queued_and_lost(halted)
    [resumed_fact] = halted.facts(FactName.INVITATIONS_RESUMED)
    assert not is_undone(halted.ports, resumed_fact, {})
    halted.clock.advance(hours=12)
    assert is_undone(halted.ports, resumed_fact, {})


def test_invitations_that_are_stopped_again_are_held_until_the_next_resumption(
    halted: World,
) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    assert requeue_held(halted.ports, CAMPAIGN) == 1
    stop = halted.repository.get(InvitationStop, campaign=CAMPAIGN)
    halted.repository.commit(Replace(stopped(RULES, stop, StopReason.COMPLAINTS, halted.clock())))
    halted._streamed = len(halted.repository.stream)
    for _ in range(2):  # a message may come twice
        halted.queues.waiting[Queue.MAIL] *= 2
        halted.run()
    assert (held(halted), len(halted.mailer.to("late@example.fr"))) == (1, 0)
    resume(halted.ports, CAMPAIGN, OPS)
    assert requeue_held(halted.ports, CAMPAIGN) == 1
    halted.run()
    assert (held(halted), len(halted.mailer.to("late@example.fr"))) == (0, 1)


def test_an_invitation_that_is_not_to_be_sent_any_more_is_held_no_longer(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    [invitation] = [
        one for one in halted.memory.all(Invitation) if one.state is InvitationState.RECEIVED
    ]
    halted.repository.commit(Replace(replace(invitation, state=InvitationState.DECLINED)))
    halted.run()
    assert (held(halted), len(halted.mailer.to("late@example.fr"))) == (0, 0)


def test_one_that_is_queued_while_its_mail_is_sent_is_released_by_the_next_delivery(
    halted: World,
) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    requeue_held(halted.ports, CAMPAIGN)
    [accepted] = halted.queues.waiting[Queue.MAIL]
    halted.clock.advance(hours=12)
    busy = wrapped(
        halted, lambda inner: Overtaken(inner, lambda: requeue_held(halted.ports, CAMPAIGN))
    )
    assert send_mail(busy, SENDER, accepted) == "sent"
    assert held(halted) == 1
    assert send(halted, accepted) == "nothing_to_send"
    assert (held(halted), len(halted.mailer.to("late@example.fr"))) == (0, 1)


def test_an_invitation_stays_held_while_the_sender_is_busy(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    resume(halted.ports, CAMPAIGN, OPS)
    requeue_held(halted.ports, CAMPAIGN)
    halted.mailer.answers = [MailNotSentError("TooManyRequests", final=False)]
    [accepted] = halted.queues.waiting[Queue.MAIL]
    with pytest.raises(SenderBusyError):
        send(halted, accepted)
    assert held(halted) == 1


@pytest.mark.parametrize("loses", ["stops", "resumes"])
def test_of_two_at_once_one_stops_and_one_resumes_them(sent: World, loses: str) -> None:
    for mail in invitations(sent):
        report(sent, mail, "bounced")
    sent.run()
    acts: dict[str, Callable[[World], object]] = {
        "stops": lambda world: stop_if_needed(world.ports, RULES),
        "resumes": lambda world: resume(world.ports, CAMPAIGN, OPS),
    }
    if loses == "resumes":
        stop_if_needed(sent.ports, RULES)
    overtaken = wrapped(sent, lambda inner: Overtaken(inner, lambda: acts[loses](sent)))
    if loses == "stops":
        stop_if_needed(overtaken, RULES)
    else:
        assert not resume(overtaken, CAMPAIGN, OPS)
    names = {"stops": FactName.INVITATIONS_STOPPED, "resumes": FactName.INVITATIONS_RESUMED}
    assert len(sent.facts(names[loses])) == 1


# --- a sponsor's shared link ----------------------------------------------------------------------


def come_by_link(world: World, session: Session, name: str) -> Mail:
    """Somebody signs up by the sponsor's link; the mail they get."""
    before = {mail.mail_id for mail in world.memory.all(Mail)}
    code = sponsor(world, session).link_code
    sign_up(world.ports, CAMPAIGN, code, Referee(Address.parse(f"{name}@example.fr")))
    world.run()
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id not in before]
    return mail


def sponsor(world: World, session: Session) -> Sponsor:
    found = world.repository.get(Sponsor, sponsor_id=session.sponsor_id)
    assert found
    return found


def test_bounces_and_complaints_of_those_who_came_by_it_stop_a_link() -> None:
    world = new_world(quotas={"problems_per_link": 3})
    session = world.sponsor()
    came = [come_by_link(world, session, f"referee{number}") for number in range(4)]
    for mail, kind in zip(came, ("bounced", "complained", "suppressed"), strict=False):
        assert not is_link_stopped(sponsor(world, session), world.campaign)
        report(world, mail, kind)
        report(world, mail, kind)
    assert is_link_stopped(sponsor(world, session), world.campaign)
    [fact] = world.facts(FactName.LINK_STOPPED)
    assert fact.details == {"problems": 3}
    with pytest.raises(QuotaError):
        come_by_link(world, session, "nobody")
    come_by_link(world, world.sponsor(VIPS[1]), "somebody")  # another sponsor's link
    report(world, came[3], "bounced")  # one more says nothing new
    assert len(world.facts(FactName.LINK_STOPPED)) == 1
    put_campaign(world.ports, campaign(quotas={"problems_per_link": 5}))
    world.clock.advance(seconds=6)
    come_by_link(world, session, "nobody")


@pytest.mark.parametrize("kind", ["bounced_for_now", "rejected", "sent"])
def test_what_is_not_their_fault_stops_no_link(kind: str) -> None:
    world = new_world(quotas={"problems_per_link": 1})
    session = world.sponsor()
    report(world, come_by_link(world, session, "jeanne"), kind)
    assert sponsor(world, session).link_problems == 0


def test_invitations_by_address_stop_no_link(sent: World) -> None:
    bounce_all(sent)
    assert {one.link_problems for one in sent.memory.all(Sponsor)} == {0}


def test_a_bounce_that_comes_after_the_answer_counts_for_the_link_too() -> None:
    world = new_world(quotas={"problems_per_link": 1})
    session = world.sponsor()
    mail = come_by_link(world, session, "jeanne")
    world.confirm("jeanne@example.fr")
    report(world, mail, "complained")
    assert is_link_stopped(sponsor(world, session), world.campaign)


def test_an_invitation_is_held_without_a_lease_or_a_token(halted: World) -> None:
    mails = len(halted.memory.all(Mail))
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    assert len(halted.memory.all(Mail)) == mails + 1  # the sign-in's
    assert halted.memory.all(HeldInvitation)[0].accepted.name == FactName.INVITATION_ACCEPTED
