"""The sponsors and referees of a simulation, with what production keeps of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.addresses import AddressDigests, DigestPair
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward


@dataclass
class SponsorRecord:
    """A sponsor, the digests of its referees, and how many rewards count against its cap."""

    sponsor: Sponsor
    digests: list[str] = field(default_factory=list)
    rewards: int = 0


@dataclass
class RefereeRecord:
    """A referral with its sponsor, its orders, and its rewards by rule and rung.

    `voucher_keys` are those of every voucher issued for it, the oldest first.
    """

    referral: Referral
    sponsor: SponsorRecord
    orders: dict[str, Order] = field(default_factory=dict)
    rewards: dict[tuple[str, int], Reward] = field(default_factory=dict)
    voucher_keys: list[str] = field(default_factory=list)


def make_referees(
    campaign: Campaign, confirmed: Mapping[str, datetime], referees_per_sponsor: int
) -> dict[str, RefereeRecord]:
    """The referees by digest. Each sponsor has so many, in the order of their confirmations."""
    found: dict[str, RefereeRecord] = {}
    sponsors: list[SponsorRecord] = []
    for number, (digest, at) in enumerate(confirmed.items()):
        if number % referees_per_sponsor == 0:
            sponsors.append(SponsorRecord(_sponsor(campaign, f"sponsor{len(sponsors)}", at)))
        sponsors[-1].digests.append(digest)
        referral = _referral(campaign, digest, sponsors[-1].sponsor, at)
        found[digest] = RefereeRecord(referral, sponsors[-1])
    return found


def _sponsor(campaign: Campaign, sponsor_id: str, at: datetime) -> Sponsor:
    # The file does not say who the sponsors are: this is a digest of nobody.
    return Sponsor(
        sponsor_id=sponsor_id,
        campaign=campaign.id,
        contact_id=sponsor_id,
        digests=_digests(campaign, sponsor_id),
        link_code=sponsor_id,
        locale=campaign.locales[0],
        created_at=at,
        vip_list_version=0,
    )


def _referral(campaign: Campaign, digest: str, sponsor: Sponsor, at: datetime) -> Referral:
    return Referral(
        referral_id=digest,
        campaign=campaign.id,
        sponsor_id=sponsor.sponsor_id,
        invitation_id=digest,
        contact_id=digest,
        sponsor_digest=sponsor.digests.for_client,
        referee=_digests(campaign, digest),
        confirmed_at=at,
        campaign_version=campaign.version,
        customers_version=0,
        terms_version=campaign.terms.version,
        marketing_consent=False,
        correlation=digest,
    )


def _digests(campaign: Campaign, digest: str) -> AddressDigests:
    key_id, algorithm = campaign.digests.key_ids[0], campaign.digests.algorithm
    return AddressDigests((DigestPair(key_id, digest, digest, algorithm),))
