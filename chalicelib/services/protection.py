"""Holding a campaign's invitations after too many bounces and complaints, and resuming them.

Vouchers and sign-ins go on. An invitation that is due while they are stopped is held as an item and
not leased; when ops resume, the fact it follows from is queued again, and it is sent as any other:
once (law 2), and not after its closing day. The item stays until it is known what became of the
mail, so that one whose message is lost is queued again (`reconcile`). Counts come from the facts
(`repository.counts`), so no mail writes an item of the campaign.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import islice

from chalicelib.domain import protection
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.fact_bodies import (
    InvitationAccepted,
    InvitationsResumed,
    InvitationsStopped,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.protection import HeldInvitation, InvitationStop
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import raised
from chalicelib.services.ports import (
    Change,
    CommandPorts,
    ConflictError,
    Insert,
    Key,
    OnFailure,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

REQUEUED_AT_ONCE = 1_000


def stop_of(ports: CommandPorts, campaign_id: str) -> InvitationStop | None:
    """The stop in force of a campaign's invitations, None when they are sent."""
    stop = ports.repository.get(InvitationStop, campaign=campaign_id)
    return stop if stop and stop.is_in_force else None


@retry_on_conflict
def stop_if_needed(ports: Ports, campaign: Campaign) -> InvitationStop | None:
    """Stop the campaign's invitations if their bounces or complaints ask for it; the stop in force
    after that.
    """
    stop = ports.repository.get(InvitationStop, campaign=campaign.id)
    if stop and stop.is_in_force:
        return stop
    now = ports.clock()
    counts = ports.repository.counts(campaign.id)
    reason = protection.reason_to_stop(campaign, stop, counts, now)
    if reason is None:
        return None
    stopped = protection.stopped(campaign, stop, reason, now)
    change: Change = Replace(stopped) if stop else Insert(stopped)
    ports.repository.commit(
        change, facts=[_fact(ports, campaign.id, InvitationsStopped(reason=reason))]
    )
    return stopped


@retry_on_conflict
def resume(ports: CommandPorts, campaign_id: str, by: str) -> bool:
    """Send the campaign's invitations again; False when they were not stopped."""
    stop = stop_of(ports, campaign_id)
    if stop is None:
        return False
    resumed = protection.resumed(stop, ports.repository.counts(campaign_id), ports.clock())
    fact = _fact(ports, campaign_id, InvitationsResumed(by=by))
    ports.repository.commit(Replace(resumed), facts=[fact])
    return True


def stop_and_held(
    ports: Ports, accepted: InvitationAccepted, campaign_id: str
) -> tuple[InvitationStop | None, HeldInvitation | None]:
    """The stop in force of a campaign's invitations, and whether this one is held already."""
    stop_key = Key.of(InvitationStop, campaign=campaign_id)
    held_key = Key.of(HeldInvitation, campaign=campaign_id, invitation_id=accepted.invitation_id)
    found = ports.repository.read(stop_key, held_key)
    stop = found.get(stop_key)
    return stop if stop and stop.is_in_force else None, found.get(held_key)


def hold(ports: Ports, invitation: Invitation, accepted: Fact, held: HeldInvitation | None) -> None:
    """Keep the fact that an invitation's mail follows from until they are resumed; `held` if it was
    kept before.
    """
    if held:
        # They were stopped again, after it was queued.
        change: Change = Replace(replace(held, queued_at=None))
    else:
        change = Insert(
            HeldInvitation(
                campaign=invitation.campaign,
                invitation_id=invitation.invitation_id,
                accepted=accepted,
                ends_at=invitation.closes_at,
            )
        )
    with suppress(ConflictError):  # another delivery has done it
        ports.repository.commit(change)


def release(ports: Ports, held: HeldInvitation) -> None:
    """Hold an invitation no longer: it is known what became of its mail."""
    with suppress(ConflictError):  # it was queued once more: the next delivery releases it
        ports.repository.commit(Remove(held))


def requeue_held(ports: Ports, campaign_id: str, on_failure: OnFailure = raised) -> int:
    """Queue held invitations again; returns how many: `REQUEUED_AT_ONCE` when there may be more.

    Queued first and noted after that: one that is queued twice is still sent once. One that cannot
    be read goes to `on_failure`.
    """
    if stop_of(ports, campaign_id):
        return 0
    now = ports.clock()
    held = ports.repository.within(HeldInvitation, on_failure, campaign=campaign_id)
    waiting = islice((one for one in held if one.is_to_be_queued(now)), REQUEUED_AT_ONCE)
    queued = 0
    while batch := list(islice(waiting, 10)):
        for queue in (Queue.MAIL, Queue.REQUESTED_MAIL):
            due = [one.accepted for one in batch if queue in queues_of(one.accepted)]
            ports.queues.put(queue, due)
        for one in batch:
            with suppress(ConflictError):  # it was released, or queued by another run
                ports.repository.commit(Replace(replace(one, queued_at=now)))
        queued += len(batch)
    return queued


def _fact(ports: CommandPorts, campaign_id: str, body: FactBody) -> Fact:
    subject = f"invitations-{campaign_id}"
    return new_fact(ports, body, campaign=campaign_id, subject=subject, correlation=subject)
