"""Holding a campaign's invitations after too many bounces and complaints, and resuming them.

Vouchers and sign-ins go on. An invitation that is due while they are stopped is held as an item and
not leased; when ops resume, the fact it follows from is queued again, and it is sent as any other:
once (law 2), and not after its closing day. Counts come from the facts (`repository.counts`), so no
mail writes an item of the campaign.
"""

from __future__ import annotations

from itertools import islice

from chalicelib.domain import protection
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.fact_bodies import InvitationsResumed, InvitationsStopped
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.protection import HeldInvitation, InvitationStop
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import (
    Change,
    CommandPorts,
    ConflictError,
    Insert,
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


def hold(ports: Ports, invitation: Invitation, accepted: Fact) -> None:
    """Keep the fact that an invitation's mail follows from until they are resumed."""
    held = HeldInvitation(
        campaign=invitation.campaign,
        invitation_id=invitation.invitation_id,
        accepted=accepted,
        ends_at=invitation.closes_at,
    )
    try:
        ports.repository.commit(Insert(held))
    except ConflictError:
        return  # held already


def requeue_held(ports: Ports, campaign_id: str) -> int:
    """Queue held invitations again; returns how many: `REQUEUED_AT_ONCE` when there may be more.

    Queued first and removed after that: one that is queued twice is still sent once.
    """
    if stop_of(ports, campaign_id):
        return 0
    held = islice(ports.repository.within(HeldInvitation, campaign=campaign_id), REQUEUED_AT_ONCE)
    queued = 0
    while batch := list(islice(held, 10)):
        for queue in (Queue.MAIL, Queue.REQUESTED_MAIL):
            due = [one.accepted for one in batch if queue in queues_of(one.accepted)]
            if due:
                ports.queues.put(queue, due)
        for one in batch:
            _remove(ports, one)
        queued += len(batch)
    return queued


def _remove(ports: Ports, held: HeldInvitation) -> None:
    try:
        ports.repository.commit(Remove(held))
    except ConflictError:
        return  # removed by another run


def _fact(ports: CommandPorts, campaign_id: str, body: FactBody) -> Fact:
    subject = f"invitations-{campaign_id}"
    return new_fact(ports, body, campaign=campaign_id, subject=subject, correlation=subject)
