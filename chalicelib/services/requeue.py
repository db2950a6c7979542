"""Queueing undecided invitations again: they waited for a list, or their message was lost."""

from __future__ import annotations

from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, is_undecided
from chalicelib.services.facts import facts_around
from chalicelib.services.ports import Agenda, Key, Ports
from chalicelib.services.stretches import hand_out


def requeue_undecided(ports: Ports, campaign_id: str) -> int:
    """Hand out the undecided invitations of a campaign; returns how many messages."""
    return hand_out(ports, Agenda.UNDECIDED, campaign_id)


def received_fact(ports: Ports, key: Key[Invitation]) -> Fact | None:
    """The fact that an invitation came in, which `decide` works on; None once it is decided."""
    invitation = ports.repository.read(key).get(key)
    if invitation is None or not is_undecided(invitation):
        return None
    facts = facts_around(ports, invitation.invitation_id, invitation.received_at)
    return next((fact for fact in facts if fact.name == FactName.INVITATION_RECEIVED), None)
