"""Queueing undecided invitations again: they waited for a list, or their message was lost."""

from __future__ import annotations

from itertools import islice

from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.services.facts import facts_around
from chalicelib.services.ports import Agenda, Ports


def requeue_undecided(ports: Ports, campaign_id: str) -> int:
    """Queue the undecided invitations of a campaign; returns how many."""
    undecided = ports.repository.agenda(Invitation, Agenda.UNDECIDED, campaign_id)
    received = (fact for invitation in undecided if (fact := _received(ports, invitation)))
    queued = 0
    # Ten at a time while reading: if it is killed, those already queued are not lost.
    while batch := list(islice(received, 10)):
        ports.queues.put(Queue.DECIDE, batch)
        queued += len(batch)
    return queued


def _received(ports: Ports, invitation: Invitation) -> Fact | None:
    facts = facts_around(ports, invitation.invitation_id, invitation.received_at)
    return next((fact for fact in facts if fact.name == FactName.INVITATION_RECEIVED), None)
