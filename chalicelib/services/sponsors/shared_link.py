"""What is behind a sponsor's shared link, for the person who opens it: it has no effect."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.links import is_used_up
from chalicelib.domain.people import Link, is_link_stopped
from chalicelib.services.errors import UnknownError
from chalicelib.services.lookups import contact_of, current_campaign, known_sponsor
from chalicelib.services.ports import Ports


@dataclass(frozen=True)
class SharedLink:
    """A link, its campaign, and the first name of the sponsor who shares it; None where she has
    given none yet. `is_usable`: whether anybody can sign up by it now, as far as one may know.
    """

    code: str
    campaign: Campaign
    sponsor_name: str | None
    is_usable: bool


def view_link(ports: Ports, link_code: str) -> SharedLink:
    """The link of a code. `UnknownError` when there is none: replaced, or its sponsor is erased."""
    link = ports.repository.get(Link, link_code=link_code)
    sponsor = known_sponsor(ports, link.sponsor_id) if link else None
    if sponsor is None:
        raise UnknownError("link")
    contact = contact_of(ports, sponsor)
    name = contact.first_name if contact else None
    campaign = current_campaign(ports, sponsor.campaign)
    is_usable = (
        campaign.is_open(ports.clock())
        and "link" in campaign.channels
        and name is not None
        and not is_link_stopped(sponsor, campaign)
        and not is_used_up(campaign, sponsor)
    )
    return SharedLink(link_code, campaign, name, is_usable)


def view_link_in(ports: Ports, campaign_id: str, link_code: str) -> SharedLink:
    """The same of a link of that campaign. `UnknownError` for one of another."""
    found = view_link(ports, link_code)
    if found.campaign.id != campaign_id:
        raise UnknownError("link")
    return found
