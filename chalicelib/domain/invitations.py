"""The states of an invitation, and what its sponsor sees of it.

    received ──► refused                         (not eligible)
        └──────► sent ──► confirmed              (the referral exists)
                   ├────► declined | bounced
                   └────► expired                (closing day passed, or became a customer)

An accepted invitation whose mail was sent is still `received` for the moment until that is
recorded; the bearer of its token may already answer it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from chalicelib.domain.campaign.file import Campaign, is_past
from chalicelib.domain.eligibility import Reason, Verdict
from chalicelib.domain.entity import Entity, require, require_move
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.domain.traces import NO_TRACES, Traces


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


# The mail of an invitation says by its kind how that came in.
CHANNEL_OF_MAIL: Mapping[str, Channel] = {"invitation": Channel.EMAIL, "sign_up": Channel.LINK}


class ClosingReason(StrEnum):
    """Why an invitation closed without an answer. The values are stored."""

    UNANSWERED = "unanswered"
    BECAME_CUSTOMER = "became_customer"
    CAMPAIGN_ENDED = "campaign_ended"
    ERASED = "erased"
    """the sponsor or the referee asked to be forgotten"""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An eligibility decision: its named reason, and the versions it is based on."""

    reason: Reason
    decided_at: datetime
    campaign_version: int
    customers_version: int | None = None
    vips_version: int | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict that the reason leads to."""
        return self.reason.verdict


@dataclass(frozen=True, kw_only=True)
class Invitation(Entity):
    """A sponsor's offer to one referee.

    The last four are evidence for a review, and stored only in a campaign that has one: the traces
    of the address, how many of its private domain were invited on that day before and with it, how
    many had answered from the network of the confirmation within the hour before it, and whether
    the referee's orders were just large enough when a reward for one was judged last.
    """

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
    traces: Traces = NO_TRACES
    domain_number: int = 0
    answers_beside: int = 0
    bought_at_minimum: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Submission(Entity):
    """The answer given for an `Idempotency-Key`, so that a repeat gets the same."""

    sponsor_id: str
    key_hash: str
    request_hash: str
    invitation_ids: tuple[str, ...]
    ends_at: datetime


SponsorView = Literal["pending", "confirmed", "closed"]

MASKED_WHOLLY = "•••"  # of a referee who was erased

_OPEN = frozenset({InvitationState.RECEIVED, InvitationState.SENT})
_ENDS = frozenset(
    {
        InvitationState.CONFIRMED,
        InvitationState.DECLINED,
        InvitationState.BOUNCED,
        InvitationState.EXPIRED,
    }
)
_MOVES = {
    InvitationState.RECEIVED: {InvitationState.REFUSED, InvitationState.SENT, *_ENDS},
    InvitationState.SENT: _ENDS,
}


def new_invitation(
    campaign: Campaign,
    sponsor: Sponsor,
    contact: Contact,
    channel: Channel,
    *,
    invitation_id: str,
    masked: str,
    now: datetime,
) -> Invitation:
    """An invitation as it comes in, before anything is decided."""
    return Invitation(
        invitation_id=invitation_id,
        campaign=campaign.id,
        sponsor_id=sponsor.sponsor_id,
        contact_id=contact.contact_id,
        channel=channel,
        masked=masked,
        locale=contact.locale,
        state=InvitationState.RECEIVED,
        received_at=now,
        closes_at=campaign.closes_at(now),
        campaign_version=campaign.version,
        correlation=invitation_id,
    )


def new_decision(
    campaign: Campaign,
    reason: Reason,
    *,
    customers_version: int | None,
    vips_version: int | None = None,
    now: datetime,
) -> Decision:
    """A decision under the rules of `campaign`, with the lists it was made with, if any."""
    return Decision(
        reason=reason,
        decided_at=now,
        campaign_version=campaign.version,
        customers_version=customers_version,
        vips_version=vips_version,
    )


def is_open(invitation: Invitation) -> bool:
    """True until it is refused, answered or closed."""
    return invitation.state in _OPEN


def is_undecided(invitation: Invitation) -> bool:
    """True until its eligibility is decided."""
    return invitation.state is InvitationState.RECEIVED and invitation.decision is None


def is_accepted(invitation: Invitation) -> bool:
    """True when it was found eligible."""
    return invitation.decision is not None and invitation.decision.reason is Reason.ELIGIBLE


def is_answerable(invitation: Invitation, now: datetime) -> bool:
    """True while the referee may confirm or decline."""
    is_waiting = is_open(invitation) and is_accepted(invitation)
    return is_waiting and not is_past(invitation.closes_at, now)


def accepted(invitation: Invitation, decision: Decision) -> Invitation:
    """The invitation, found eligible; its mail is sent next."""
    require(is_undecided(invitation), "accepting an invitation that was decided")
    return replace(invitation, decision=decision)


def within_campaign(campaign: Campaign, invitation: Invitation) -> Invitation:
    """The invitation as it is under the campaign in force: it closes with it at the latest."""
    if invitation.closes_at <= campaign.last_second:
        return invitation
    return replace(invitation, closes_at=campaign.last_second)


def closing_reason(received_under: Campaign, invitation: Invitation) -> ClosingReason:
    """Why it closes without an answer. `received_under`: the version it was received under."""
    is_earlier = invitation.closes_at < received_under.closes_at(invitation.received_at)
    return ClosingReason.CAMPAIGN_ENDED if is_earlier else ClosingReason.UNANSWERED


def refused(invitation: Invitation, decision: Decision, now: datetime) -> Invitation:
    """The invitation, found not eligible."""
    return replace(closed(invitation, InvitationState.REFUSED, now), decision=decision)


def sent(invitation: Invitation, now: datetime) -> Invitation:
    """The invitation, whose mail was sent."""
    require(is_accepted(invitation), "sending an invitation that was not accepted")
    state = require_move(invitation.state, InvitationState.SENT, _MOVES)
    return replace(invitation, state=state, sent_at=now)


def confirmed(invitation: Invitation, referral_id: str, now: datetime) -> Invitation:
    """The invitation, confirmed by the referee."""
    require(is_accepted(invitation), "confirming an invitation that was not accepted")
    return replace(closed(invitation, InvitationState.CONFIRMED, now), referral_id=referral_id)


def closed(invitation: Invitation, state: InvitationState, now: datetime) -> Invitation:
    """The invitation in a final `state`."""
    require(state not in _OPEN, f"closing an invitation as {state.value}")
    final = require_move(invitation.state, state, _MOVES)
    return replace(invitation, state=final, ended_at=now)


def with_erased_referee(invitation: Invitation) -> Invitation:
    """The invitation, whose referee is forgotten: neither the masked address nor traces of it
    stay.
    """
    return replace(invitation, masked=MASKED_WHOLLY, traces=NO_TRACES)


def is_shown_to_sponsor(invitation: Invitation) -> bool:
    """Whether the sponsor's page has it: who came by the link only once confirmed from the mail,
    because anybody may type anybody's address there.
    """
    by_address = invitation.channel is Channel.EMAIL
    return by_address or invitation.state is InvitationState.CONFIRMED


def seen_by_sponsor(invitation: Invitation, now: datetime) -> SponsorView:
    """`pending` until the closing day, then `closed`; only a confirmation shows."""
    if invitation.state is InvitationState.CONFIRMED:
        return "confirmed"
    return "closed" if is_past(invitation.closes_at, now) else "pending"
