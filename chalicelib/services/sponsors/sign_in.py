"""Signing in: anybody may ask, only a VIP gets a mail, and the answers do not differ (law 8).

The public call always writes one contact and one fact. Whether the address is on the VIP list is
decided behind the queue, where no caller can measure the time it takes. When another link may be
mailed to a VIP is decided in `domain/sign_ins.py`. An address is kept for a day, as long as its
link may last; it is kept longer only if the link in the mail opens a session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.eligibility import ELIGIBLE, REFUSED
from chalicelib.domain.fact_bodies import (
    SignInGranted,
    SignInRefused,
    SignInRequested,
    body_as,
)
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    Sponsor,
    link_of,
    new_sponsor,
    sponsor_claims,
    with_used_up_before,
)
from chalicelib.domain.sign_ins import SignInLink, SignInReason, next_link, reason_to_wait
from chalicelib.services.digests import complete_sponsor, digests_of
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.evidence import traces_for
from chalicelib.services.facts import contact_fact, has_followed
from chalicelib.services.list_ports import ListUnavailableError, Membership
from chalicelib.services.lookups import (
    current_campaign,
    find_vip,
    open_campaign,
    oppositions_to,
    sponsor_claims_on,
)
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.typed_requests import end_request, record_request

REQUEST_KEPT_FOR = timedelta(days=1)


def request_sign_in(
    ports: Ports, campaign_id: str, address: Address, locale: str | None = None
) -> None:
    """Accept a request. `UnknownError`, `ClosedError`."""
    campaign = open_campaign(ports, campaign_id)
    record_request(
        ports,
        campaign,
        address,
        locale,
        REQUEST_KEPT_FOR,
        lambda contact_id: SignInRequested(contact_id=contact_id),
    )


@retry_on_conflict
def decide_sign_in(ports: Ports, fact: Fact) -> str:
    """Grant a request if the address is on the VIP list; returns the named outcome.

    A request decided before stays as it is. Without a trustworthy list nothing is granted.
    `ListUnavailableError` only for a failed read, `RetryLaterError` while she is being forgotten: a
    later attempt may succeed.
    """
    requested = body_as(fact, SignInRequested)
    contact = ports.repository.get(Contact, contact_id=requested.contact_id)
    # The contact of a sponsor's first request is kept; refusing a repeat of it would erase it.
    if contact is None or has_followed(ports, fact, FactName.SIGN_IN_GRANTED):
        return "decided_already"
    campaign = current_campaign(ports, fact.campaign)
    digests = digests_of(ports, campaign, contact.address)
    try:
        vip = find_vip(ports, campaign, digests)
    except ListUnavailableError as error:
        if error.is_transient:
            raise
        return _refuse(ports, fact, contact, SignInReason.LIST_UNAVAILABLE)
    if vip.found is None:
        return _refuse(ports, fact, contact, SignInReason.NOT_ON_VIP_LIST, vip)
    objections = oppositions_to(ports, campaign.brand.id, digests.values)
    if _objects(objections):
        return _refuse(ports, fact, contact, SignInReason.OPPOSED, vip)
    sponsor = _sponsor_of(ports, campaign, digests)
    if sponsor is None:
        return _grant_new_sponsor(ports, fact, campaign, contact, digests, objections, vip)
    return _grant_known_sponsor(ports, fact, campaign, contact, sponsor, vip)


def _refuse(
    ports: Ports,
    fact: Fact,
    contact: Contact,
    reason: SignInReason,
    vip: Membership | None = None,
) -> str:
    list_version = vip.version if vip else None
    body = SignInRefused(verdict=REFUSED, reason=reason, list_version=list_version)
    end_request(ports, fact, contact, body)
    return reason


def _grant_known_sponsor(
    ports: Ports,
    fact: Fact,
    campaign: Campaign,
    contact: Contact,
    sponsor: Sponsor,
    vip: Membership,
) -> str:
    last = ports.repository.get(SignInLink, sponsor_id=sponsor.sponsor_id)
    reason = reason_to_wait(last, ports.clock())
    if reason:
        return _refuse(ports, fact, contact, reason, vip)
    complete, beside = complete_sponsor(ports, campaign, sponsor)
    if complete != sponsor:
        beside = [Replace(complete), *beside]
    granted = _granted_fact(ports, fact, contact, sponsor, vip)
    linked = _linked(ports, campaign, sponsor, contact, last)
    ports.repository.commit(*linked, *beside, facts=[granted])
    return "granted"


def _linked(
    ports: Ports, campaign: Campaign, sponsor: Sponsor, contact: Contact, last: SignInLink | None
) -> list[Change]:
    """The link that is about to be mailed. What was typed is there until it ends."""
    link = next_link(campaign, sponsor.sponsor_id, contact.contact_id, last, ports.clock())
    kept = Replace(replace(contact, ends_at=max(contact.ends_at, link.valid_until)))
    return [kept, Replace(link) if last else Insert(link)]


def _objects(objections: Sequence[Opposition]) -> bool:
    """Whether the person wants no mail of the brand: nobody else may ask for one to her either."""
    return any(one.scope is OppositionScope.ALL for one in objections)


def _sponsor_of(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Sponsor | None:
    known = digests.values
    claims = sponsor_claims_on(ports, campaign.id, known)
    # The exact form goes before the alias form, in whatever order they were read.
    nearest = min(claims, key=lambda claim: known.index(claim.digest), default=None)
    found = ports.repository.get(Sponsor, sponsor_id=nearest.sponsor_id) if nearest else None
    if found and found.is_erased:
        # Her claims go last: once they have, she is somebody new.
        raise RetryLaterError(WaitsFor.AN_ERASURE)
    return found


def _grant_new_sponsor(
    ports: Ports,
    fact: Fact,
    campaign: Campaign,
    contact: Contact,
    digests: AddressDigests,
    objections: Sequence[Opposition],
    vip: Membership,
) -> str:
    sponsor = new_sponsor(
        campaign,
        contact,
        digests,
        sponsor_id=ports.codes.identifier(),
        link_code=ports.codes.link_code(),
        vip_list_version=vip.version,
        now=ports.clock(),
        traces=traces_for(ports, campaign, contact.address),
    )
    sponsor = with_used_up_before(sponsor, objections)
    ports.repository.commit(
        Insert(sponsor),
        *map(Insert, sponsor_claims(sponsor, digests.values)),
        Insert(link_of(sponsor)),
        *_linked(ports, campaign, sponsor, contact, None),
        facts=[_granted_fact(ports, fact, contact, sponsor, vip, is_first=True)],
    )
    return "granted"


def _granted_fact(
    ports: Ports,
    fact: Fact,
    contact: Contact,
    sponsor: Sponsor,
    vip: Membership,
    *,
    is_first: bool = False,
) -> Fact:
    body = SignInGranted(
        is_first=is_first,
        contact_id=contact.contact_id,
        sponsor_id=sponsor.sponsor_id,
        verdict=ELIGIBLE,
        list_version=vip.version,
    )
    return contact_fact(ports, contact, fact.correlation, body)
