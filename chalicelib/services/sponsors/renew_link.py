"""A new link for a sponsor, who may have shown the old one to too many; the old one ends with it.

Invitations of those who came by the old one go on.
"""

from __future__ import annotations

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.fact_bodies import LinkRenewed
from chalicelib.domain.links import NEW_LINKS_A_DAY, links_made_on, with_new_link
from chalicelib.domain.people import Session, Sponsor
from chalicelib.services.errors import QuotaError, UnauthorisedError
from chalicelib.services.facts import new_fact
from chalicelib.services.lookups import campaign_with_channel, known_sponsor
from chalicelib.services.moves import link_changes
from chalicelib.services.ports import Ports
from chalicelib.services.retry import retry_on_conflict


@retry_on_conflict
def renew_link(ports: Ports, session: Session) -> tuple[Campaign, Sponsor]:
    """Give the sponsor another link. `ClosedError`, `QuotaError`; `UnauthorisedError` when the
    sponsor is erased.
    """
    campaign = campaign_with_channel(ports, session.campaign, "link")
    sponsor = known_sponsor(ports, session.sponsor_id)
    if sponsor is None:
        raise UnauthorisedError("session")
    fact = new_fact(
        ports,
        LinkRenewed(sponsor_id=sponsor.sponsor_id),
        campaign=campaign.id,
        subject=sponsor.sponsor_id,
        correlation=ports.codes.identifier(),
    )
    if links_made_on(sponsor, campaign.local_date(fact.at)) >= NEW_LINKS_A_DAY:
        raise QuotaError("new_links_a_day")
    # Of one moment: by that a restored table is known to have the link, if not the fact.
    renewed = with_new_link(campaign, sponsor, ports.codes.link_code(), fact.at)
    ports.repository.commit(*link_changes(ports, sponsor, renewed), facts=[fact])
    return campaign, renewed
