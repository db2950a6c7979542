"""What may become of an invitation, and what its sponsor sees of it.

    received ──► refused                         (not eligible)
        └──────► sent ──► confirmed              (the referral is made)
                   ├────► declined | bounced
                   └────► expired                (closing day, or a customer by then)

An accepted invitation whose mail is out may still stand at `received` for the moment it takes to
note the sending: whoever holds its token may answer it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.campaign import is_past
from chalicelib.domain.eligibility import ELIGIBLE
from chalicelib.domain.model import Invitation, InvitationState

SponsorView = Literal["pending", "confirmed", "closed"]


def is_accepted(invitation: Invitation) -> bool:
    """True when it was found eligible."""
    return invitation.decision is not None and invitation.decision.reason == ELIGIBLE


def is_answerable(invitation: Invitation, now: datetime) -> bool:
    """True while the referee may confirm or decline."""
    waiting = invitation.state in {InvitationState.RECEIVED, InvitationState.SENT}
    return waiting and is_accepted(invitation) and not is_past(invitation.closes_at, now)


def ended(invitation: Invitation, state: InvitationState, now: datetime) -> Invitation:
    """The invitation in a final `state`."""
    return replace(invitation, state=state, ended_at=now)


def seen_by_sponsor(invitation: Invitation, now: datetime) -> SponsorView:
    """`pending` until the closing day whatever happened, then `closed`: only a yes shows."""
    if invitation.state is InvitationState.CONFIRMED:
        return "confirmed"
    return "closed" if is_past(invitation.closes_at, now) else "pending"
