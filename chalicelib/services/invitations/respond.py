"""The referee's answer: look at the offer, confirm, decline, or oppose.

Looking changes nothing. A repeated answer is answered the same. Confirming asks the customer list
again: who has become a customer since the invitation was sent is no newcomer (law 3). It also
claims the referee under the keys that have come in force since the invitation was decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain import tokens
from chalicelib.domain.addresses import AddressDigests, display_name
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.eligibility import ELIGIBLE, REFUSED, all_digests
from chalicelib.domain.facts import FOUND_ON_LATER_LIST, Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState, ended, is_answerable
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Sponsor, Token, TokenPurpose
from chalicelib.domain.referrals import Referral
from chalicelib.services.errors import FieldProblem, InvalidError, OverError, UnavailableError
from chalicelib.services.facts import invitation_fact, new_fact
from chalicelib.services.lookups import (
    claims_on,
    current_campaign,
    digests_of,
    find_customer,
    oppositions_to,
)
from chalicelib.services.operations.rekey import completed_sponsor, missing_claims
from chalicelib.services.ports import (
    Change,
    Insert,
    ListUnavailableError,
    Membership,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict


@dataclass(frozen=True)
class Offer:
    """What the referee's page shows."""

    invitation: Invitation
    campaign: Campaign
    sponsor_name: str


def sponsor_name(ports: Ports, sponsor_id: str) -> str | None:
    """The name a sponsor's invitations are signed with; None when the sponsor is erased."""
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id) if sponsor else None
    return (contact.first_name or display_name(contact.address)) if contact else None


def view_offer(ports: Ports, token_text: str) -> Offer:
    """The offer behind an invitation's token. `OverError`."""
    invitation = _invitation_of(ports, token_text)
    confirmed = invitation.state is InvitationState.CONFIRMED
    name = sponsor_name(ports, invitation.sponsor_id)
    if name is None or not (confirmed or is_answerable(invitation, ports.clock())):
        raise OverError("invitation")
    return Offer(invitation, current_campaign(ports, invitation.campaign), name)


@retry_on_conflict
def confirm(
    ports: Ports, token_text: str, terms_version: str, marketing_consent: bool
) -> tuple[Referral, bool]:
    """Make the referral; returns it and whether this call made it.

    `OverError`; `InvalidError` when other terms than those in force were accepted;
    `UnavailableError` when no trustworthy customer list is in force, and nothing has changed.
    """
    invitation = _invitation_of(ports, token_text)
    if invitation.referral_id:
        return _referral(ports, invitation.referral_id), False
    contact = _answerable_contact(ports, invitation)
    campaign = current_campaign(ports, invitation.campaign)
    if terms_version != campaign.terms.version:
        raise InvalidError([FieldProblem("terms_version", "not_in_force")])
    digests = digests_of(ports, campaign, contact.address)
    claims = _claims(ports, invitation, digests)
    customers = _customers(ports, campaign, digests)
    if customers.found:
        _close_for_customer(ports, invitation, contact, customers)
        raise OverError("invitation")
    sponsor, completing = _sponsor(ports, campaign, invitation)
    referral = _made(ports, campaign, invitation, sponsor, digests, customers, marketing_consent)
    confirmed = replace(
        ended(invitation, InvitationState.CONFIRMED, referral.confirmed_at),
        referral_id=referral.referral_id,
    )
    ports.repository.commit(
        *(Replace(confirmed), Insert(referral), *claims, *completing),
        facts=[_confirmed(ports, referral)],
    )
    return referral, True


@retry_on_conflict
def decline(ports: Ports, token_text: str) -> str:
    """Decline; the address is erased in the same transaction. Returns the correlation id.

    `OverError`.
    """
    invitation = _invitation_of(ports, token_text)
    if invitation.state is InvitationState.DECLINED:
        return invitation.correlation
    _answerable_contact(ports, invitation)
    ports.repository.commit(*_declined(ports, invitation), facts=[_no(ports, invitation)])
    return invitation.correlation


@retry_on_conflict
def unsubscribe(ports: Ports, token_text: str) -> None:
    """Record that the bearer must not be written to again; an unanswered invitation is declined
    with it.

    An unknown token is nobody's: there is nothing to do and nothing to tell.
    """
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if token is None or token.used_at or token.digests is None:
        return
    campaign = current_campaign(ports, token.campaign)
    now = ports.clock()
    changes: list[Change] = [Replace(replace(token, used_at=now))]
    digests = all_digests(token.digests)
    recorded = {one.digest for one in oppositions_to(ports, campaign.brand.id, digests)}
    changes += [
        Insert(Opposition(brand=campaign.brand.id, digest=digest, recorded_at=now))
        for digest in digests
        if digest not in recorded
    ]
    facts = [_opposed(ports, token)]
    invitation = _unanswered(ports, token)
    if invitation:
        changes += _declined(ports, invitation)
        facts.append(_no(ports, invitation))
    ports.repository.commit(*changes, facts=facts)


def _unanswered(ports: Ports, token: Token) -> Invitation | None:
    if token.invitation_id is None:
        return None
    invitation = ports.repository.get(
        Invitation, sponsor_id=token.sponsor_id, invitation_id=token.invitation_id
    )
    return invitation if invitation and is_answerable(invitation, ports.clock()) else None


def _invitation_of(ports: Ports, token_text: str) -> Invitation:
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if not tokens.is_usable(token, TokenPurpose.INVITATION, ports.clock()):
        raise OverError("token")
    if token is None or token.invitation_id is None:
        raise OverError("token")
    invitation = ports.repository.get(
        Invitation, sponsor_id=token.sponsor_id, invitation_id=token.invitation_id
    )
    if invitation is None:
        raise OverError("invitation")
    return invitation


def _answerable_contact(ports: Ports, invitation: Invitation) -> Contact:
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    if contact is None or not is_answerable(invitation, ports.clock()):
        raise OverError("invitation")
    return contact


def _claims(ports: Ports, invitation: Invitation, digests: AddressDigests) -> list[Change]:
    """The claims that are missing under the keys in force now.

    `OverError` when another invitation has the referee: they have one sponsor (law 1).
    """
    values = all_digests(digests)
    claimed = claims_on(ports, invitation.campaign, values)
    if any(claim.invitation_id != invitation.invitation_id for claim in claimed):
        raise OverError("invitation")
    own = RefereeClaim(
        campaign=invitation.campaign,
        digest="",
        sponsor_id=invitation.sponsor_id,
        invitation_id=invitation.invitation_id,
    )
    return missing_claims(own, values, claimed)


def _customers(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    try:
        return find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        raise UnavailableError("customer list") from error


def _close_for_customer(
    ports: Ports, invitation: Invitation, contact: Contact, customers: Membership
) -> None:
    closed = ended(invitation, InvitationState.EXPIRED, ports.clock())
    fact = invitation_fact(
        ports,
        FactName.INVITATION_EXPIRED,
        invitation,
        verdict=REFUSED,
        reason="became_customer",
        customers_version=customers.version,
        **{FOUND_ON_LATER_LIST: "yes"},
    )
    ports.repository.commit(Replace(closed), Remove(contact), facts=[fact])


def _referral(ports: Ports, referral_id: str) -> Referral:
    referral = ports.repository.get(Referral, referral_id=referral_id)
    if referral is None:
        raise OverError("invitation")
    return referral


def _sponsor(
    ports: Ports, campaign: Campaign, invitation: Invitation
) -> tuple[Sponsor, list[Change]]:
    """The sponsor, known under every key in force, and what that changes: mostly nothing."""
    sponsor = ports.repository.get(Sponsor, sponsor_id=invitation.sponsor_id)
    if sponsor is None:
        raise OverError("invitation")
    whole, beside = completed_sponsor(ports, campaign, sponsor)
    return whole, [Replace(whole), *beside] if whole != sponsor else []


def _made(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    sponsor: Sponsor,
    digests: AddressDigests,
    customers: Membership,
    marketing_consent: bool,
) -> Referral:
    return Referral(
        referral_id=ports.codes.identifier(),
        campaign=campaign.id,
        sponsor_id=sponsor.sponsor_id,
        invitation_id=invitation.invitation_id,
        contact_id=invitation.contact_id,
        sponsor_digest=sponsor.digests.for_client,
        referee=digests,
        confirmed_at=ports.clock(),
        campaign_version=campaign.version,
        customers_version=customers.version,
        terms_version=campaign.terms.version,
        marketing_consent=marketing_consent,
        correlation=invitation.correlation,
    )


def _confirmed(ports: Ports, referral: Referral) -> Fact:
    return new_fact(
        ports,
        FactName.REFERRAL_CONFIRMED,
        campaign=referral.campaign,
        subject=referral.referral_id,
        correlation=referral.correlation,
        ids={
            "sponsor": referral.sponsor_id,
            "invitation": referral.invitation_id,
            "referral": referral.referral_id,
        },
        campaign_version=referral.campaign_version,
        customers_version=referral.customers_version,
        verdict=ELIGIBLE,
        marketing_consent="yes" if referral.marketing_consent else "no",
        terms_version=referral.terms_version,
    )


def _declined(ports: Ports, invitation: Invitation) -> list[Change]:
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    declined = Replace(ended(invitation, InvitationState.DECLINED, ports.clock()))
    return [declined, Remove(contact)] if contact else [declined]


def _no(ports: Ports, invitation: Invitation) -> Fact:
    return invitation_fact(ports, FactName.INVITATION_DECLINED, invitation)


def _opposed(ports: Ports, token: Token) -> Fact:
    return new_fact(
        ports,
        FactName.OPPOSITION_RECORDED,
        campaign=token.campaign,
        subject=token.invitation_id or token.sponsor_id,
        correlation=ports.codes.identifier(),
        ids={"sponsor": token.sponsor_id},
    )
