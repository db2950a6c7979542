"""Finding whose digest an order or a call gives: a referee's, a sponsor's, a listed customer's."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.addresses import AddressDigests, DigestPair
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Buyer, Person, buyer_of
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.lookups import claim_on, find_customer_as_of, sponsor_claims_on
from chalicelib.services.ports import Ports


def find_referee(ports: Ports, campaign: Campaign, digest: str) -> Person | None:
    """The referee behind a digest; None when nobody with it has confirmed an invitation."""
    claim = claim_on(ports, campaign.id, digest)
    if claim is None:
        return None
    invitation = ports.repository.get(
        Invitation, sponsor_id=claim.sponsor_id, invitation_id=claim.invitation_id
    )
    if invitation is None or invitation.referral_id is None:
        return None
    return Person(referral_id=invitation.referral_id)


def find_sponsor(ports: Ports, campaign: Campaign, digest: str) -> Person | None:
    """The sponsor behind a digest; None when it is no sponsor's."""
    claims = sponsor_claims_on(ports, campaign.id, [digest])
    return Person(is_sponsor=True) if claims else None


def find_other(ports: Ports, campaign: Campaign, digest: str, ordered_at: datetime) -> Person:
    """Whose digest it is, where it is no referee's: a sponsor, a customer on the list in force at
    `ordered_at`, or somebody else. `ListUnavailableError` when a later attempt may say.
    """
    if sponsor := find_sponsor(ports, campaign, digest):
        return sponsor
    digests = campaign.digests
    # Which of the keys it was made with is not said; under the others nobody is found.
    pairs = (DigestPair(key, digest, digest, digests.algorithm) for key in digests.key_ids)
    try:
        customers = find_customer_as_of(ports, campaign, AddressDigests(tuple(pairs)), ordered_at)
    except ListUnavailableError as error:
        if error.is_transient:
            raise
        # No later attempt finds out, so the order must not wait for one; it counts for nobody.
        return Person(is_customer=True)
    return Person(is_customer=customers.found is not None)


def buyer_by_call(ports: Ports, voucher: Voucher, purchase: Purchase) -> Buyer:
    """Who uses a referee's voucher, as far as the call says; nothing is read where it is the holder
    or nobody says. A sponsor's voucher is about no order of a referee.
    """
    email_digest = purchase.email_digest
    campaign = ports.campaigns.get(voucher.campaign)
    if email_digest is None or campaign is None or voucher.holder is HolderRole.SPONSOR:
        return Buyer.NONE
    if email_digest in {voucher.holder_digest, *voucher.holder_digests}:
        return Buyer.REFEREE
    referral = ports.repository.get(Referral, referral_id=voucher.referral_id)
    try:
        person = find_referee(ports, campaign, email_digest) or find_other(
            ports, campaign, email_digest, purchase.ordered_at
        )
    except ListUnavailableError:
        # The till waits for no list. Who may be a customer counts for nobody (law 3).
        person = Person(is_customer=True)
    return buyer_of(person, referral)
