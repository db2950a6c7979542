"""What use cases look up: campaigns, digests, who is behind a digest, and who is on a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.people import Opposition, RefereeClaim, SponsorClaim
from chalicelib.services.errors import ClosedError, UnknownError
from chalicelib.services.ports import Agenda, Membership, Ports


def current_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force; `UnknownError` when there is none."""
    campaign = ports.campaigns.get(campaign_id)
    if campaign is None:
        raise UnknownError("campaign")
    return campaign


def all_campaigns(ports: Ports) -> Iterator[Campaign]:
    """Every campaign in force."""
    for campaign in ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS):
        yield campaign.document


def open_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force, open now; `UnknownError`, `ClosedError`."""
    campaign = current_campaign(ports, campaign_id)
    if not campaign.is_open(ports.clock()):
        raise ClosedError("campaign")
    return campaign


def digests_of(ports: Ports, campaign: Campaign, address: str) -> AddressDigests:
    """The digests of an address under every key the campaign names, in its order, and under our
    own, by which it is found whatever the client's keys become.
    """
    keys = [*ports.keys.in_force(campaign.digests), ports.keys.own()]
    return AddressDigests.of(address, keys)


def claim_on(ports: Ports, campaign: str, digest: str) -> RefereeClaim | None:
    """The one invitation that has the referee with this digest in the campaign."""
    return ports.repository.get(RefereeClaim, campaign=campaign, digest=digest)


def claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[RefereeClaim]:
    """The claims on a referee in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(RefereeClaim, keys)


def sponsor_claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[SponsorClaim]:
    """The claims of a sponsor in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(SponsorClaim, keys)


def oppositions_to(ports: Ports, brand: str, digests: Iterable[str]) -> list[Opposition]:
    """A person's oppositions to a brand, one for each of the digests it is recorded under."""
    keys = [{"brand": brand, "digest": digest} for digest in digests]
    return ports.repository.get_many(Opposition, keys)


def find_customer(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    """What the current customer list says of a person. `ListUnavailableError` on any doubt."""
    return _find(ports, campaign, ListName.CUSTOMERS, digests)


def find_customer_as_of(
    ports: Ports, campaign: Campaign, digests: AddressDigests, at: datetime
) -> Membership:
    """What the customer list that was current at `at` said. `ListUnavailableError` on any doubt."""
    return ports.lists.find_as_of(ListName.CUSTOMERS, campaign.id, at, digests)


def find_vip(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    """What the current VIP list says of a person. `ListUnavailableError` on any doubt."""
    return _find(ports, campaign, ListName.VIPS, digests)


def _find(ports: Ports, campaign: Campaign, name: ListName, digests: AddressDigests) -> Membership:
    return ports.lists.find(name, campaign.id, campaign.lists[name].max_age_days, digests)
