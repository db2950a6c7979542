"""Shared links: what one accepts in a day and in a campaign, and a new one on demand.

Anybody with a link can type any address, so what strangers type is counted apart from what people
confirm: sign-ups by the local day (`LinkDay`, an item of its own that ends by itself), and those
who confirmed from the mail in the campaign (`Sponsor.link_confirmed`). A flood fills a day, never a
campaign.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Channel, Invitation
from chalicelib.domain.people import Link, Sponsor

NEW_LINKS_A_DAY = 3


@dataclass(frozen=True, kw_only=True)
class LinkDay(Entity):
    """How many sign-ups a shared link has had on one local day; each has caused a mail."""

    link_code: str
    campaign: str
    day: date
    sign_ups: int
    ends_at: datetime


def day_of(campaign: Campaign, link: Link, now: datetime) -> LinkDay:
    """Today, for a link by which nobody has signed up yet."""
    today = campaign.local_date(now)
    return LinkDay(
        link_code=link.link_code,
        campaign=campaign.id,
        day=today,
        sign_ups=0,
        ends_at=campaign.end_of_day(today + timedelta(days=1)),
    )


def is_day_full(campaign: Campaign, day: LinkDay) -> bool:
    """Whether the link accepts nobody until the next local day."""
    return day.sign_ups >= campaign.quotas.sign_ups_per_day


def with_sign_up(day: LinkDay) -> LinkDay:
    """The day with one more sign-up."""
    return replace(day, sign_ups=day.sign_ups + 1)


def is_used_up(campaign: Campaign, sponsor: Sponsor) -> bool:
    """Whether as many have confirmed by the sponsor's links as may in a campaign."""
    return sponsor.link_confirmed >= campaign.quotas.sign_ups_per_link


def with_confirmed(sponsor: Sponsor, invitation: Invitation) -> Sponsor:
    """The sponsor, with one more who confirmed if the invitation came by a link."""
    if invitation.channel is not Channel.LINK:
        return sponsor
    return replace(sponsor, link_confirmed=sponsor.link_confirmed + 1)


def is_first_referee(sponsor: Sponsor) -> bool:
    """Whether the one who is counted last came by a link, and the sponsor brought in nobody before.
    Whom she invited by e-mail is in `invited`, confirmed or not.
    """
    return sponsor.link_confirmed == 1 and sponsor.invited == 0


def is_counted_for_link(sponsor: Sponsor, invitation: Invitation) -> bool:
    """Whether a problem with its mail counts against the link: it came by the present one."""
    if invitation.channel is not Channel.LINK:
        return False
    return sponsor.link_made_at is None or invitation.received_at >= sponsor.link_made_at


def links_made_on(sponsor: Sponsor, today: date) -> int:
    """How many new links the sponsor has asked for on the local day `today`."""
    return sponsor.links_made if sponsor.links_made_on == today else 0


def with_new_link(campaign: Campaign, sponsor: Sponsor, link_code: str, now: datetime) -> Sponsor:
    """The sponsor with another link, which has no problems yet."""
    today = campaign.local_date(now)
    return replace(
        sponsor,
        link_code=link_code,
        link_problems=0,
        link_made_at=now,
        links_made=links_made_on(sponsor, today) + 1,
        links_made_on=today,
    )
