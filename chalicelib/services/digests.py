"""The digests that people are known by, made and completed under the keys in force.

Whoever is met at a confirmation, a sign-in or a run of `operations.rekey` gets the digests that are
missing since the client's keys changed, as long as the plain address is kept. Nothing found under
an earlier key is removed: earlier lists were made with it.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.addresses import OWN_KEY_ID, Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.people import Contact, Sponsor, oppositions, sponsor_claims
from chalicelib.services.lookups import oppositions_to, sponsor_claims_on
from chalicelib.services.ports import Change, Insert, Ports


def digests_of(ports: Ports, campaign: Campaign, address: Address) -> AddressDigests:
    """The digests of an address under every key the campaign names, in its order, and under our
    own, by which it is found whatever the client's keys become.
    """
    keys = [*ports.keys.in_force(campaign.digests), ports.keys.own()]
    return AddressDigests.of(address, keys)


def lacks_a_key(campaign: Campaign, digests: AddressDigests) -> bool:
    """Whether a key in force, or ours, is missing, or the campaign's first is not the first."""
    wanted = {*campaign.digests.key_ids, OWN_KEY_ID}
    first = campaign.digests.key_ids[0]
    return digests.key_ids[0] != first or not wanted.issubset(digests.key_ids)


def complete_digests(
    ports: Ports, campaign: Campaign, known: AddressDigests, contact_id: str
) -> AddressDigests:
    """`known` with what is missing, in the campaign's order; as it is when the address is gone."""
    if not lacks_a_key(campaign, known):
        return known
    contact = ports.repository.get(Contact, contact_id=contact_id)
    if contact is None:
        return known
    return digests_of(ports, campaign, contact.address).and_before(known)


def complete_sponsor(
    ports: Ports, campaign: Campaign, sponsor: Sponsor
) -> tuple[Sponsor, list[Change]]:
    """The sponsor with all digests, not yet stored, and what is to be stored beside them."""
    digests = complete_digests(ports, campaign, sponsor.digests, sponsor.contact_id)
    if digests == sponsor.digests:
        return sponsor, []
    claimed = {claim.digest for claim in sponsor_claims_on(ports, campaign.id, digests.values)}
    missing = [digest for digest in digests.values if digest not in claimed]
    changes: list[Change] = [Insert(claim) for claim in sponsor_claims(sponsor, missing)]
    changes += missing_oppositions(ports, campaign, digests.values)
    return replace(sponsor, digests=digests), changes


def missing_oppositions(ports: Ports, campaign: Campaign, digests: tuple[str, ...]) -> list[Change]:
    """Who opposed under one digest is opposed under all of them."""
    recorded = oppositions_to(ports, campaign.brand.id, digests)
    if not recorded:
        return []
    first = min(opposition.recorded_at for opposition in recorded)
    return [Insert(one) for one in oppositions(campaign.brand.id, digests, recorded, first)]
