"""Signing in: why a link is mailed or not, and for how long it is valid.

    mail ──────── pause ────────┬── LEFT_AT_LEAST ──┐
      └─ its link is valid ─────┼───────────────────┘
                                └─ another may leave, whose link ends this one

How long the pause is, and what stops it: `mailed_links.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.mailed_links import (
    LEFT_AT_LEAST,
    MailedLink,
    is_waiting,
    mailed_after,
    stop_after,
)
from chalicelib.domain.people import Token


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


@dataclass(frozen=True, kw_only=True)
class SignInLink(MailedLink):
    """The link to sign in that a sponsor was last mailed, or that none is mailed for some time."""

    sponsor_id: str

    @property
    def valid_until(self) -> datetime:
        """When the link ends."""
        return self.waits_until + LEFT_AT_LEAST


def next_link(
    campaign: Campaign, sponsor_id: str, contact_id: str, last: SignInLink | None, now: datetime
) -> SignInLink:
    """The link that is mailed now, in place of the last one."""
    before = last or _none_mailed(campaign.id, sponsor_id, now)
    return mailed_after(before, contact_id, campaign.quotas.sign_in_mails_per_day, now)


def stop_of_mails(
    campaign_id: str, sponsor_id: str, last: SignInLink | None, now: datetime
) -> SignInLink:
    """That no link is mailed from now on; the last one ends."""
    return stop_after(last or _none_mailed(campaign_id, sponsor_id, now), now)


def _none_mailed(campaign_id: str, sponsor_id: str, now: datetime) -> SignInLink:
    return SignInLink(
        sponsor_id=sponsor_id, campaign=campaign_id, mailed=0, waits_until=now, ends_at=now
    )


def reason_to_wait(last: SignInLink | None, now: datetime) -> SignInReason | None:
    """Why no other link is mailed now, None when one is."""
    if last is None or not is_waiting(last, now):
        return None
    return SignInReason.STOPPED if last.is_stop else SignInReason.LINK_UNUSED


def is_current(token: Token, link: SignInLink | None) -> bool:
    """Whether a sign-in token is that of the last link: the ones before end with it. A token of an
    earlier version does not say which mail it was in, and ends by its age alone.
    """
    if token.contact_id is None:
        return True
    return link is not None and link.contact_id == token.contact_id
