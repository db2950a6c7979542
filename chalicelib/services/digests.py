"""The digests that people are known by, made and completed under the current keys.

At a confirmation, a sign-in and in `operations.rekey`, a person gets the digests that are missing
since the client's keys changed, as long as the plain address is stored. Nothing stored under an
earlier key is removed: earlier lists were made with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.addresses import OWN_KEY_ID, Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    Sponsor,
    oppositions,
    sponsor_claims,
    widest,
)
from chalicelib.services.list_ports import Membership
from chalicelib.services.lookups import find_vip, oppositions_to, sponsor_claims_on
from chalicelib.services.ports import Change, Insert, Ports, Replace


def digests_of(ports: Ports, campaign: Campaign, address: Address) -> AddressDigests:
    """The digests of an address under every key the campaign names, in its order, and under our
    own key, which finds it even after the client's keys have changed.
    """
    keys = [*ports.keys.in_force(campaign.digests), ports.keys.own()]
    return AddressDigests.of(address, keys)


def wanted_keys(campaign: Campaign) -> tuple[str, ...]:
    """The ids of the pairs that everybody's digests should have."""
    return (*campaign.digests.key_ids, OWN_KEY_ID)


def lacks_a_key(campaign: Campaign, key_ids: Sequence[str]) -> bool:
    """Whether, of the keys that digests were made with, a current one or our own is missing, or the
    campaign's first key is not first.
    """
    wanted = wanted_keys(campaign)
    return key_ids[0] != wanted[0] or not set(wanted).issubset(key_ids)


def complete_digests(
    ports: Ports, campaign: Campaign, known: AddressDigests, contact_id: str
) -> AddressDigests:
    """`known` with the missing digests, in the campaign's order, if the address is stored."""
    if not lacks_a_key(campaign, known.key_ids):
        return known
    contact = ports.repository.get(Contact, contact_id=contact_id)
    if contact is None:
        return known
    return digests_of(ports, campaign, contact.address).with_earlier(known)


def find_sponsor(ports: Ports, campaign: Campaign, sponsor: Sponsor) -> Membership:
    """Whether the current VIP list has a sponsor. `ListUnavailableError` on any doubt."""
    known, contact_id = sponsor.digests, sponsor.contact_id
    return find_vip(ports, campaign, complete_digests(ports, campaign, known, contact_id))


def complete_sponsor(
    ports: Ports, campaign: Campaign, sponsor: Sponsor
) -> tuple[Sponsor, list[Change]]:
    """The sponsor with all digests, not yet stored, and the changes to store with it."""
    digests = complete_digests(ports, campaign, sponsor.digests, sponsor.contact_id)
    if digests == sponsor.digests:
        return sponsor, []
    claimed = {claim.digest for claim in sponsor_claims_on(ports, campaign.id, digests.values)}
    missing = [digest for digest in digests.values if digest not in claimed]
    changes: list[Change] = [Insert(claim) for claim in sponsor_claims(sponsor, missing)]
    changes += extended_oppositions(ports, campaign, digests)
    return replace(sponsor, digests=digests), changes


def extended_oppositions(ports: Ports, campaign: Campaign, digests: AddressDigests) -> list[Change]:
    """What extends an opposition under any digest to those under our own key."""
    recorded = oppositions_to(ports, campaign.brand.id, digests.values)
    if not recorded:
        return []
    first = min(opposition.recorded_at for opposition in recorded)
    scope = widest(opposition.scope for opposition in recorded) or OppositionScope.INVITATIONS
    extended = oppositions(campaign.brand.id, digests.permanent, recorded, first, scope)
    return [_stored(each) for each in extended]


def new_oppositions(
    ports: Ports,
    campaign: Campaign,
    digests: AddressDigests,
    scope: OppositionScope = OppositionScope.INVITATIONS,
) -> list[Change]:
    """The oppositions of a person to the brand, as far as they are not recorded yet: under our own
    key alone. They last longer than all that leads to a digest of another spelling of hers.
    """
    recorded = oppositions_to(ports, campaign.brand.id, digests.values)
    missing = oppositions(campaign.brand.id, digests.permanent, recorded, ports.clock(), scope)
    return [_stored(each) for each in missing]


def _stored(opposition: Opposition) -> Change:
    return Replace(opposition) if opposition.revision else Insert(opposition)
