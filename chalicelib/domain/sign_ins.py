"""Signing in: why a link is mailed or not, and when the next one may be.

Anybody may type a VIP's address, so mails that she did not ask for are bounded, and she is never
locked out: while no other mail leaves, the link of the last one works.

    mail ──────── pause ────────┬── LEFT_AT_LEAST ──┐
      └─ its link is valid ─────┼───────────────────┘
                                └─ another may leave, whose link ends this one

The pause grows with each mail that nobody used and begins again with a session. Mails stop for
`STOP_LASTS` when the person who gets them says that it was not her, or complains.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.people import Token

FIRST_PAUSE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(days=1)
LEFT_AT_LEAST = timedelta(minutes=20)
FORGOTTEN_AFTER = timedelta(days=7)
STOP_LASTS = timedelta(days=30)
_GROWTH = 4
_LONGEST_AFTER = 6  # mails, whatever the campaign allows


class SignInReason(StrEnum):
    """The outcome of a request to sign in. The values are stored."""

    ON_VIP_LIST = "on_vip_list"
    NOT_ON_VIP_LIST = "not_on_vip_list"
    LIST_UNAVAILABLE = "list_unavailable"
    LINK_UNUSED = "link_unused"
    STOPPED = "stopped"
    OPPOSED = "opposed"
    TOO_MANY_SIGN_IN_MAILS = "too_many_sign_in_mails"
    """by earlier versions"""


class StopReason(StrEnum):
    """Why sign-in mails to a sponsor are stopped. The values are stored."""

    NOT_ME = "not_me"
    COMPLAINED = "complained"


@dataclass(frozen=True, kw_only=True)
class SignInLink(Entity):
    """The link that was last mailed to a sponsor and not used yet; or, without a `contact_id`, that
    none is mailed for some time.

    `contact_id` is the request that it answers, `mailed` how many mails in a row nobody used.
    """

    sponsor_id: str
    campaign: str
    contact_id: str | None = None
    mailed: int
    waits_until: datetime
    ends_at: datetime

    @property
    def valid_until(self) -> datetime:
        """When the link ends."""
        return self.waits_until + LEFT_AT_LEAST

    @property
    def is_stop(self) -> bool:
        """Whether it stands for no link, but for mails being stopped."""
        return self.contact_id is None


def pause_after(campaign: Campaign, mailed: int) -> timedelta:
    """How long no other link is mailed after `mailed` that nobody used."""
    if mailed >= min(campaign.quotas.sign_in_mails_per_day, _LONGEST_AFTER):
        return LONGEST_PAUSE
    grown: int = _GROWTH ** (mailed - 1)
    return min(FIRST_PAUSE * grown, LONGEST_PAUSE)


def next_link(
    campaign: Campaign, sponsor_id: str, contact_id: str, last: SignInLink | None, now: datetime
) -> SignInLink:
    """The link that is mailed now, in place of the last one."""
    mailed = last.mailed + 1 if last else 1
    waits_until = now + pause_after(campaign, mailed)
    return SignInLink(
        sponsor_id=sponsor_id,
        campaign=campaign.id,
        contact_id=contact_id,
        mailed=mailed,
        waits_until=waits_until,
        ends_at=waits_until + FORGOTTEN_AFTER,
        revision=last.revision if last else 0,
    )


def stop_of_mails(
    campaign_id: str, sponsor_id: str, last: SignInLink | None, now: datetime
) -> SignInLink:
    """That no link is mailed from now on; the last one ends."""
    return SignInLink(
        sponsor_id=sponsor_id,
        campaign=campaign_id,
        contact_id=None,
        mailed=last.mailed if last else 0,
        waits_until=now + STOP_LASTS,
        ends_at=now + STOP_LASTS,
        revision=last.revision if last else 0,
    )


def reason_to_wait(last: SignInLink | None, now: datetime) -> SignInReason | None:
    """Why no other link is mailed now, None when one is."""
    if last is None or now >= last.waits_until:
        return None
    return SignInReason.STOPPED if last.is_stop else SignInReason.LINK_UNUSED


def is_current(token: Token, link: SignInLink | None) -> bool:
    """Whether a sign-in token is that of the last link: the ones before end with it. A token of an
    earlier version does not say which mail it was in, and ends by its age alone.
    """
    if token.contact_id is None:
        return True
    return link is not None and link.contact_id == token.contact_id
