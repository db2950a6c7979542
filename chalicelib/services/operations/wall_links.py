"""Wall links of a campaign: made, listed and revoked by ops; read by a screen without a session."""

from __future__ import annotations

from chalicelib.domain import tokens
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.fact_bodies import WallLinkMade, WallLinkRevoked
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.wall_links import WallLink, new_wall_link, shows
from chalicelib.services.errors import UnauthorisedError, UnknownError
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import raised
from chalicelib.services.ports import CommandPorts, Insert, OnFailure, Ports, Remove
from chalicelib.services.retry import retry_on_conflict


def make_wall_link(
    ports: CommandPorts, campaign: Campaign, *, by: str, days: int
) -> tuple[str, WallLink]:
    """A new link: its token, which is known here alone and to whom it is given, and the link."""
    text = ports.codes.token()
    link = new_wall_link(text, campaign, ports.clock(), by=by, days=days)
    fact = _fact(ports, link, WallLinkMade(link_id=link.link_id, by=by, days=days))
    ports.repository.commit(Insert(link), facts=[fact])
    return text, link


def wall_links(
    ports: CommandPorts, campaign_id: str, on_failure: OnFailure = raised
) -> list[WallLink]:
    """The links of a campaign that are good, the next to end first. One that cannot be read goes to
    `on_failure`.
    """
    links = ports.repository.within(WallLink, on_failure, campaign=campaign_id)
    return sorted(links, key=lambda link: (link.ends_at, link.link_id))


@retry_on_conflict
def revoke_wall_link(ports: CommandPorts, campaign_id: str, link_id: str, *, by: str) -> None:
    """Revoke a link: it shows nothing from now on. `UnknownError`, also where it has ended. Another
    one that cannot be read keeps nobody from that.
    """
    good = wall_links(ports, campaign_id, lambda _: None)
    found = [one for one in good if one.link_id == link_id]
    if not found:
        raise UnknownError("wall link")
    facts = [_fact(ports, one, WallLinkRevoked(link_id=link_id, by=by)) for one in found]
    ports.repository.commit(*map(Remove, found), facts=facts)


def require_wall_link(ports: Ports, campaign_id: str, bearer: str) -> None:
    """Nothing, if the bearer's token is that of a link which shows the campaign now. Otherwise
    `UnauthorisedError`, the same whether it is wrong, revoked, over, or of another campaign.
    """
    token_hash = tokens.hashed(bearer)
    link = ports.repository.get(WallLink, campaign=campaign_id, token_hash=token_hash)
    if not shows(link, ports.campaigns.get(campaign_id), ports.clock()):
        raise UnauthorisedError("wall link")


def _fact(ports: CommandPorts, link: WallLink, body: FactBody) -> Fact:
    subject = f"wall-{link.campaign}-{link.link_id}"
    return new_fact(ports, body, campaign=link.campaign, subject=subject, correlation=subject)
