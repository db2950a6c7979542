"""Mails of a table that was taken back: none leaves twice, and what became of them is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.domain.fact_bodies import InvitationsStopped
from chalicelib.domain.mails import Mail, MailProblem, MailState, voucher_mail
from chalicelib.domain.people import Opposition
from chalicelib.domain.protection import InvitationStop, StopReason, stopped
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import new_fact
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails.resend import ResendOutcome, resend, undelivered_mails
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.operations.overdue_mails import LEASED_AFTER
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.protection import resume, stop_if_needed
from chalicelib.services.restoring.adopt import adopt
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.due import reconcile
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_protection import bounce_all, invitations, sent
from tests.services.test_restored_out_of_order import on_other_clocks
from tests.services.test_restoring import JEANNE, bring_forward, restore, take, taken_undecided
from tests.services.test_unanswered_mails import ends_soon, is_revoked

__all__ = ["sent"]  # a fixture

OPS = "AIDAOPS"


def known(world: World) -> dict[str, Mapping[str, object]]:
    """What is known of each mail; the sender's own id of it, for one, is lost."""
    return {
        one.mail_id: {
            name: value
            for name, value in vars(one).items()
            if name in {"mail_kind", "campaign", "contact_id", "digests", "state", "ids",
                        "correlation", "problem"}
        } | {"complained": one.complained_at is not None}
        for one in world.memory.all(Mail)
    }  # fmt: skip


def report(world: World, mail_id: str, *kinds: Any) -> None:
    """Events of the sender about the mail as it was sent last."""
    for kind in kinds:
        [mail] = [one for one in world.memory.all(Mail) if one.mail_id == mail_id]
        world.clock.advance(milliseconds=1)
        settle_mail(world.ports, MailEvent(kind, mail_id, mail.provider_id or "accepted"))
        world.run()


def refused(world: World, _: str) -> None:
    [mail] = [one for one in world.memory.all(Mail) if one.voucher_id]
    assert mail.problem is MailProblem.REFUSED


def resent(world: World, mail_id: str) -> None:
    report(world, mail_id, "bounced")
    world.clock.advance(milliseconds=1)
    assert resend(world.ports, CAMPAIGN, mail_id, OPS) is ResendOutcome.QUEUED
    world.run()


HAPPENED: Mapping[str, tuple[Callable[[World, str], None], MailState, MailProblem | None]] = {
    "delivered": (lambda world, mail: report(world, mail, "sent"), MailState.SENT, None),
    "bounced": (
        lambda world, mail: report(world, mail, "bounced_for_now", "bounced", "bounced"),
        MailState.SENT, MailProblem.BOUNCED,
    ),
    "full": (
        lambda world, mail: report(world, mail, "bounced_for_now", "bounced_for_now"),
        MailState.SENT, MailProblem.BOUNCED_FOR_NOW,
    ),
    "rejected": (
        lambda world, mail: report(world, mail, "rejected"),
        MailState.SENT, MailProblem.REJECTED,
    ),
    "refused": (refused, MailState.FAILED, MailProblem.REFUSED),
    "sent again": (resent, MailState.SENT, None),
    "a complaint": (
        lambda world, mail: report(world, mail, "complained", "complained"),
        MailState.SENT, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("clocks", ["in order", "backwards"])
@pytest.mark.parametrize("happened", HAPPENED)
def test_what_became_of_a_vouchers_mail_is_known_again(happened: str, clocks: str) -> None:
    world = new_world() if clocks == "in order" else on_other_clocks()
    world.referral(JEANNE)
    world.export()
    world.run()
    taken = take(world)
    happens, state, problem = HAPPENED[happened]
    if happens is refused:
        world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    world.acknowledge(1)
    world.run()
    [voucher] = world.memory.all(Voucher)
    happens(world, voucher_mail(voucher.voucher_id))
    was, mailed = known(world), len(world.mailer.sent)
    opposed = {one.digest for one in world.memory.all(Opposition)}
    assert (was[voucher_mail(voucher.voucher_id)]["state"]) is state
    restore(world, taken)
    bring_forward(world, taken)
    assert known(world) == was
    assert was[voucher_mail(voucher.voucher_id)]["problem"] == problem
    assert {one.digest for one in world.memory.all(Opposition)} == opposed
    assert bool(opposed) is (happened == "a complaint")
    assert len(world.mailer.sent) == mailed


def test_a_mail_that_did_not_arrive_can_be_sent_again_by_ops() -> None:
    world = new_world()
    world.referral(JEANNE)
    world.export()
    world.run()
    taken = take(world)
    world.acknowledge(1)
    world.clock.advance(minutes=50)  # there is a backlog
    world.run()
    [voucher] = world.memory.all(Voucher)
    report(world, voucher_mail(voucher.voucher_id), "rejected")
    restore(world, taken)
    bring_forward(world, taken)
    [shown] = undelivered_mails(world.ports, CAMPAIGN)
    assert shown.voucher_id == voucher.voucher_id
    assert resend(world.ports, CAMPAIGN, voucher.voucher_id, OPS) is ResendOutcome.QUEUED
    mailed = len(world.mailer.to(JEANNE))
    world.run()
    assert len(world.mailer.to(JEANNE)) == mailed + 1


def test_a_voucher_released_before_the_moment_and_mailed_after_it_went_to_its_holder() -> None:
    world = new_world()
    world.referral(JEANNE)
    world.export()
    world.run()
    world.mailer.answers = [MailNotSentError("Throttling", final=False)] * 10
    world.acknowledge(1)
    world.run()
    taken, world.mailer.answers = take(world), []
    world.run()
    was = known(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert known(world) == was
    assert len(was) == 3


@pytest.mark.parametrize("scene", [is_revoked, ends_soon])
def test_law_9_who_complains_about_what_else_was_said_of_a_voucher_objects(
    scene: Callable[[], World],
) -> None:
    """The voucher itself was mailed long before the moment."""
    world = scene()
    world.clock.advance(hours=5)
    taken = take(world)
    world.run()
    was = known(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert known(world) == was
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind in {"revoked", "ends_soon"}][
        :1
    ]
    report(world, mail.mail_id, "complained")
    assert world.memory.all(Opposition)


def test_law_9_who_complains_about_an_invitation_of_that_time_objects() -> None:
    world = new_world()
    session = world.sponsor()
    taken = taken_undecided(world, session)
    was = known(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert known(world) == was
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    report(world, mail.mail_id, "complained")
    assert world.memory.all(Opposition)


def test_a_mail_to_an_address_that_is_lost_is_known_without_it() -> None:
    world = new_world()
    session = world.sponsor()
    taken, earlier = take(world), known(world)
    world.sponsor(VIPS[1])
    world.invite(session, JEANNE)
    world.run()
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    report(world, mail.mail_id, "complained")
    was = known(world)
    restore(world, taken)
    bring_forward(world, taken)
    now = known(world)
    assert now.keys() == was.keys()
    without = {name for name, one in now.items() if one["digests"] != was[name]["digests"]}
    assert without == was.keys() - earlier.keys()
    assert all(one["ids"] == was[name]["ids"] for name, one in now.items())
    [again] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    assert again.complained_at
    assert world.repository.get(Mail, mail_id=mail.mail_id) == again


def test_law_2_an_invitation_whose_fate_was_unknown_is_not_sent_again() -> None:
    world = new_world()
    session = world.sponsor()
    world.mailer.answers = [MailUncertainError("timeout")]
    world.invite(session, JEANNE)
    world.run()
    world.clock.advance(days=1)
    taken = take(world)
    world.clock.advance(seconds=LEASED_AFTER.total_seconds())
    reconcile(world.ports)
    world.run()
    was = known(world)
    assert [one["problem"] for one in was.values()] == [None, MailProblem.UNCONFIRMED]
    restore(world, taken)
    bring_forward(world, taken)
    assert known(world) == was
    assert world.mailer.to(JEANNE) == []


# --- invitations that were stopped ----------------------------------------------------------------


def stop(world: World) -> None:
    stored = world.repository.get(InvitationStop, campaign=CAMPAIGN)
    made = stopped(world.campaign, stored, StopReason.COMPLAINTS, world.clock())
    fact = new_fact(
        world.ports, InvitationsStopped(reason=StopReason.COMPLAINTS),
        campaign=CAMPAIGN, subject=f"invitations-{CAMPAIGN}", correlation="c",
    )  # fmt: skip
    world.repository.commit(Replace(made) if stored else Insert(made), facts=[fact])
    world.run()


def resumed(world: World) -> None:
    assert resume(world.ports, CAMPAIGN, OPS)
    world.run()


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("clocks", ["in order", "backwards"])
def test_invitations_are_stopped_or_resumed_as_they_were_last(clocks: str, before: int) -> None:
    world = new_world() if clocks == "in order" else on_other_clocks()
    moves = [stop, resumed, stop, resumed]
    for move in moves[:before]:
        move(world)
    taken = take(world)
    for done in range(before + 1, len(moves) + 1):
        moves[done - 1](world)
        [was] = world.memory.all(InvitationStop)
        restore_of = take(world)
        restore(world, taken)
        [adopted] = adopt(world.ports, taken.at)
        [now] = world.memory.all(InvitationStop)
        assert now.is_in_force is was.is_in_force
        assert adopted.without_state == []
        restore(world, restore_of)


def test_what_bounced_before_ops_resumed_stops_invitations_no_more(sent: World) -> None:
    taken = take(sent)
    bounce_all(sent)
    sent.clock.advance(minutes=1)
    assert stop_if_needed(sent.ports, sent.campaign)
    resumed(sent)
    sent.clock.advance(minutes=1)
    report(sent, invitations(sent)[-1].mail_id, "complained")
    [was] = sent.memory.all(InvitationStop)
    restore(sent, taken)
    bring_forward(sent, taken)
    [now] = sent.memory.all(InvitationStop)
    assert (now.is_in_force, now.counted_before) == (False, was.counted_before)
    assert stop_if_needed(sent.ports, sent.campaign) is None
