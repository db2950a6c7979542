"""Stopping the invitations of a campaign before bounces and complaints stop all its mails.

The sender watches what an account's mails do: it reviews an account at 5 % hard bounces and at one
complaint in a thousand, and may end its sending, vouchers and sign-ins with it. So a campaign's
invitations stop a little earlier. The counts are those of the last seven local days, or since ops
resumed them; a few bounces alone say nothing, however few mails there were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import COMPLAINTS, HARD_BOUNCES, totals
from chalicelib.domain.entity import Entity, require
from chalicelib.domain.facts import Fact

DAYS = 7
LEAST_BOUNCES = 20
BOUNCED_IN_A_THOUSAND = 40
LEAST_COMPLAINTS = 5
COMPLAINED_IN_A_THOUSAND = 1
# What is held stays until its mail is sent, so that it is found if its message is lost.
QUEUED_AGAIN_AFTER = timedelta(hours=12)
SENT = "sent"
_COUNTED = (SENT, HARD_BOUNCES, COMPLAINTS)


class StopReason(StrEnum):
    """Why invitations are stopped. The values are stored and published."""

    HARD_BOUNCES = "hard_bounces"
    COMPLAINTS = "complaints"


@dataclass(frozen=True, kw_only=True)
class InvitationStop(Entity):
    """That a campaign's invitations are stopped, or were and have been resumed.

    `counted_before`: what was counted up to when they were last resumed, which stops them no more.
    """

    campaign: str
    reason: StopReason
    stopped_at: datetime
    resumed_at: datetime | None = None
    counted_before: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_in_force(self) -> bool:
        """Whether no invitation is sent now."""
        return self.resumed_at is None


@dataclass(frozen=True, kw_only=True)
class HeldInvitation(Entity):
    """An invitation whose mail waits until the campaign's invitations are resumed.

    `accepted` is the fact that it follows from; `ends_at` when the invitation closes; `queued_at`
    when the fact was last queued again, since they were resumed.
    """

    campaign: str
    invitation_id: str
    accepted: Fact
    queued_at: datetime | None = None
    ends_at: datetime

    def is_to_be_queued(self, now: datetime) -> bool:
        """Whether nobody has queued the fact since they were resumed, or it may be lost."""
        return self.queued_at is None or now - self.queued_at >= QUEUED_AGAIN_AFTER


def reason_to_stop(
    campaign: Campaign,
    stop: InvitationStop | None,
    counts: Mapping[date, Mapping[str, int]],
    now: datetime,
) -> StopReason | None:
    """Why the campaign's invitations must stop, None when they may go on."""
    sent, bounced, complained = _recent(campaign, stop, counts, now)
    if bounced >= LEAST_BOUNCES and bounced * 1000 >= sent * BOUNCED_IN_A_THOUSAND:
        return StopReason.HARD_BOUNCES
    if complained >= LEAST_COMPLAINTS and complained * 1000 >= sent * COMPLAINED_IN_A_THOUSAND:
        return StopReason.COMPLAINTS
    return None


def _recent(
    campaign: Campaign,
    stop: InvitationStop | None,
    counts: Mapping[date, Mapping[str, int]],
    now: datetime,
) -> list[int]:
    first = campaign.local_date(now) - timedelta(days=DAYS - 1)
    if stop and stop.resumed_at and campaign.local_date(stop.resumed_at) >= first:
        since = totals(counts)
        return [since.get(name, 0) - stop.counted_before.get(name, 0) for name in _COUNTED]
    week = totals({day: names for day, names in counts.items() if day >= first})
    return [week.get(name, 0) for name in _COUNTED]


def stopped(
    campaign: Campaign, stop: InvitationStop | None, reason: StopReason, now: datetime
) -> InvitationStop:
    """The stop in force from now on."""
    require(stop is None or not stop.is_in_force, "stopping what is stopped")
    revision = stop.revision if stop else 0
    return InvitationStop(campaign=campaign.id, reason=reason, stopped_at=now, revision=revision)


def resumed(
    stop: InvitationStop, counts: Mapping[date, Mapping[str, int]], now: datetime
) -> InvitationStop:
    """The stop, ended by ops; what was counted so far does not count again."""
    require(stop.is_in_force, "resuming what is not stopped")
    summed = totals(counts)
    before = {name: summed[name] for name in _COUNTED if name in summed}
    return replace(stop, resumed_at=now, counted_before=before)
