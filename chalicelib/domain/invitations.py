"""What may become of an invitation, and what its sponsor sees of it.

    received ──► refused                         (not eligible)
        └──────► sent ──► confirmed              (the referral is made)
                   ├────► declined | bounced
                   └────► expired                (closing day, or a customer by then)

An accepted invitation whose mail is out may still stand at `received` for the moment it takes to
note the sending: whoever holds its token may answer it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from chalicelib.domain.campaign.file import is_past
from chalicelib.domain.eligibility import ELIGIBLE, Verdict, verdict_on
from chalicelib.domain.entity import Entity


class InvitationState(StrEnum):
    """`received → refused | sent → confirmed | declined | bounced | expired`."""

    RECEIVED = "received"
    REFUSED = "refused"
    SENT = "sent"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    BOUNCED = "bounced"
    EXPIRED = "expired"


class Channel(StrEnum):
    """How an invitation came in."""

    EMAIL = "email"
    LINK = "link"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An eligibility decision: its named reason and what it was made with."""

    reason: str
    decided_at: datetime
    campaign_version: int
    customers_version: int | None = None

    @property
    def verdict(self) -> Verdict:
        """What the reason comes to."""
        return verdict_on(self.reason)


@dataclass(frozen=True, kw_only=True)
class Invitation(Entity):
    """A sponsor's offer to one referee."""

    invitation_id: str
    campaign: str
    sponsor_id: str
    contact_id: str
    channel: Channel
    masked: str
    locale: str
    state: InvitationState
    received_at: datetime
    closes_at: datetime
    campaign_version: int
    correlation: str
    decision: Decision | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    referral_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submission(Entity):
    """What an `Idempotency-Key` was answered, so that a repeat answers the same."""

    sponsor_id: str
    key_hash: str
    request_hash: str
    invitation_ids: tuple[str, ...]
    ends_at: datetime


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
