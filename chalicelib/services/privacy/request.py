"""A person asks for her data or for their erasure: anybody may ask, and the answers do not differ.

The public call always writes one contact and one fact (law 8). Whether anything is known of the
address, in any campaign of the brand, is decided behind the queue: only then does a mail leave, so
that nobody can have us write to strangers. Somebody who wants no mail at all from the brand gets
this one: nobody else could confirm the request. The client's lists are not read: they are of its
own customers, who ask the client itself. An address that was typed is kept for a day at most.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import Consent, own_digest
from chalicelib.domain.fact_bodies import (
    PrivacyLinkGranted,
    PrivacyLinkRefused,
    PrivacyRequested,
    body_as,
)
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.people import (
    Contact,
    Opposition,
    RefereeClaim,
    SponsorClaim,
)
from chalicelib.domain.privacy import (
    LINK_LASTS,
    PrivacyReason,
    Wish,
    next_privacy_link,
    reason_for_no_mail,
)
from chalicelib.services.digests import digests_of
from chalicelib.services.facts import contact_fact, has_followed
from chalicelib.services.lookups import campaigns_of_brand, current_campaign, privacy_link
from chalicelib.services.moves import ended_request
from chalicelib.services.ports import Insert, Key, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.typed_requests import end_request, record_request


def request_privacy(
    ports: Ports, campaign_id: str, address: Address, wish: Wish, locale: str | None = None
) -> None:
    """Accept a request, also when the campaign is over. `UnknownError`."""
    campaign = current_campaign(ports, campaign_id)
    record_request(
        ports,
        campaign,
        address,
        locale,
        LINK_LASTS,
        lambda contact_id: PrivacyRequested(contact_id=contact_id, wish=wish),
    )


@retry_on_conflict
def decide_privacy_request(ports: Ports, fact: Fact) -> str:
    """Have a link mailed if anything is known of the person; returns the named outcome.

    A request decided before stays as it is.
    """
    requested = body_as(fact, PrivacyRequested)
    contact = ports.repository.get(Contact, contact_id=requested.contact_id)
    # The contact is kept with the link; refusing a repeat of the request would end both.
    if contact is None or has_followed(ports, fact, FactName.PRIVACY_LINK_GRANTED):
        return "decided_already"
    campaign = current_campaign(ports, fact.campaign)
    digests = digests_of(ports, campaign, contact.address)
    if not _is_known(ports, campaign, digests, requested.wish):
        return _refuse(ports, fact, contact, PrivacyReason.NOTHING_KNOWN)
    brand, digest = campaign.brand.id, own_digest(digests)
    last = privacy_link(ports, campaign, digest)
    reason = reason_for_no_mail(last, requested.wish, ports.clock())
    if reason:
        return _refuse(ports, fact, contact, reason)
    link = next_privacy_link(brand, digest, contact, requested.wish, last, ports.clock())
    body = PrivacyLinkGranted(contact_id=contact.contact_id, wish=requested.wish)
    ports.repository.commit(
        Replace(link) if last else Insert(link),
        *ended_request(ports, last),
        facts=[contact_fact(ports, contact, fact.correlation, body)],
    )
    return "granted"


def _is_known(ports: Ports, campaign: Campaign, digests: AddressDigests, wish: Wish) -> bool:
    """Whether the brand's programmes have anything about a person: for an erasure, anything but the
    objection under our own key, which stays after it.
    """
    brand, own = campaign.brand.id, digests.under_own_key
    words = [
        Key.of(kind, brand=brand, digest=digest)
        for kind in (Opposition, Consent)
        for digest in digests.values
    ]
    for word in ports.repository.read(*words).entities.values():
        stays = isinstance(word, Opposition) and word.digest in own
        if not (stays and wish is Wish.ERASE):
            return True
    return any(
        ports.repository.read(*_claims(one, digests)).entities
        for one in campaigns_of_brand(ports, brand)
    )


def _claims(campaign: Campaign, digests: AddressDigests) -> list[Key[Any]]:
    return [
        Key.of(kind, campaign=campaign.id, digest=digest)
        for kind in (SponsorClaim, RefereeClaim)
        for digest in digests.values
    ]


def _refuse(ports: Ports, fact: Fact, contact: Contact, reason: PrivacyReason) -> str:
    body = PrivacyLinkRefused(wish=body_as(fact, PrivacyRequested).wish, reason=reason)
    end_request(ports, fact, contact, body)
    return reason
