"""The referee's response: view the offer, confirm, or decline.

Viewing changes nothing. A repeated response has the same result. Confirming asks the customer list
again: somebody who has become a customer since the invitation was sent is not a newcomer (law 3).
It also claims the referee under keys that were added since the invitation was decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain import invitations, tokens
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import ConsentSource, ConsentState, latest_word
from chalicelib.domain.fact_bodies import (
    InvitationDeclined,
    InvitationExpired,
    ReferralConfirmed,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import (
    Channel,
    Invitation,
    InvitationState,
    is_answerable,
    within_campaign,
)
from chalicelib.domain.links import is_first_referee, is_used_up, with_confirmed
from chalicelib.domain.people import (
    Contact,
    Sponsor,
    Token,
    TokenPurpose,
    referee_claims,
)
from chalicelib.domain.referrals import Referral, new_referral
from chalicelib.domain.review import NetworkAnswers
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.consent_words import consent_given, consent_withdrawal, person_of
from chalicelib.services.digests import complete_sponsor, digests_of
from chalicelib.services.errors import FieldProblem, GoneError, InvalidError, UnavailableError
from chalicelib.services.evidence import network_changes, network_key, read_sponsor
from chalicelib.services.facts import invitation_fact, referral_fact
from chalicelib.services.isolation import raised
from chalicelib.services.list_ports import ListUnavailableError, Membership
from chalicelib.services.lookups import (
    claims_on,
    consents_of,
    contact_of,
    current_campaign,
    find_customer,
    known_sponsor,
)
from chalicelib.services.moves import close_invitation
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    Key,
    OnFailure,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.voucher_views import shown_vouchers


@dataclass(frozen=True)
class Offer:
    """What the referee's page shows."""

    invitation: Invitation
    campaign: Campaign
    sponsor_name: str | None  # None: the sponsor is forgotten, or had none in an earlier version
    vouchers: tuple[Voucher, ...] = ()
    has_consented: bool = False


def view_offer(ports: Ports, token_text: str, on_failure: OnFailure = raised) -> Offer:
    """The offer behind an invitation's token. `GoneError`. A voucher that cannot be read goes to
    `on_failure`: the others are shown.
    """
    invitation = _invitation_of(ports, token_text)
    campaign = current_campaign(ports, invitation.campaign)
    is_confirmed = invitation.state is InvitationState.CONFIRMED
    sponsor = known_sponsor(ports, invitation.sponsor_id)
    contact = contact_of(ports, sponsor) if sponsor else None
    sponsor_name = contact.first_name if contact else None
    if not is_confirmed:
        if sponsor is None or contact is None or not is_answerable(invitation, ports.clock()):
            raise GoneError("invitation")
        _require_room(campaign, sponsor, invitation)
    # Who has confirmed keeps what she has, whatever became of who invited her.
    if invitation.referral_id is None:
        return Offer(invitation, campaign, sponsor_name)
    referral = _referral(ports, invitation.referral_id)
    word = latest_word(consents_of(ports, campaign, referral.referee.values))
    return Offer(
        invitation,
        campaign,
        sponsor_name,
        vouchers=shown_vouchers(ports, referral.referral_id, on_failure),
        has_consented=word is not None and word.state is ConsentState.GIVEN,
    )


@retry_on_conflict
def confirm(
    ports: Ports,
    token_text: str,
    terms_version: str,
    marketing_consent: bool,
    network: str | None = None,
) -> tuple[Referral, bool]:
    """Create the referral; returns it and whether this call created it. `network` is the caller's.

    `GoneError`; `InvalidError` when the accepted terms are not the current ones;
    `UnavailableError`, with nothing changed, without a trustworthy customer list.
    """
    invitation = _invitation_of(ports, token_text)
    if invitation.referral_id:
        return _referral(ports, invitation.referral_id), False
    contact = _answerable_contact(ports, token_text, invitation)
    campaign = current_campaign(ports, invitation.campaign)
    if terms_version != campaign.terms.version:
        raise InvalidError([FieldProblem("terms_version", "not_in_force")])
    digests = digests_of(ports, campaign, contact.address)
    claims = _missing_claims(ports, invitation, digests)
    customers = _find_customer(ports, campaign, digests)
    if customers.found:
        _close_for_customer(ports, invitation, customers)
        raise GoneError("invitation")
    at_network = network_key(ports, campaign, invitation.sponsor_id, network)
    sponsor, before, sponsor_changes = _sponsor(ports, campaign, invitation, at_network)
    beside, counted = network_changes(ports, before, at_network, sponsor)
    referral = new_referral(
        campaign,
        invitation,
        sponsor,
        digests,
        referral_id=ports.codes.identifier(),
        customers_version=customers.version,
        marketing_consent=marketing_consent,
        now=ports.clock(),
    )
    confirmed = invitations.confirmed(invitation, referral.referral_id, referral.confirmed_at)
    confirmed = replace(confirmed, answers_beside=beside)
    consented, consent_facts = (
        consent_given(ports, campaign, referral) if marketing_consent else ([], [])
    )
    body = ReferralConfirmed.of(referral, invitation, is_first=is_first_referee(sponsor))
    ports.repository.commit(
        *(Replace(confirmed), Insert(referral), *claims, *sponsor_changes, *consented, *counted),
        facts=[referral_fact(ports, referral, body), *consent_facts],
    )
    return referral, True


@retry_on_conflict
def end_consent(ports: Ports, token_text: str) -> str:
    """Take back the referee's consent to the brand's news; vouchers and their mails stay. Returns
    the correlation id. `GoneError` before a confirmation.
    """
    invitation = _invitation_of(ports, token_text)
    if invitation.referral_id is None:
        raise GoneError("invitation")
    referral = _referral(ports, invitation.referral_id)
    changes, facts = consent_withdrawal(
        ports,
        current_campaign(ports, invitation.campaign),
        person_of(referral, referral.referee),
        ConsentSource.PAGE,
    )
    if changes:
        ports.repository.commit(*changes, facts=facts)
    return invitation.correlation


@retry_on_conflict
def decline(ports: Ports, token_text: str) -> str:
    """Decline; the address is erased in the same transaction. Returns the correlation id.

    `GoneError`.
    """
    invitation = _invitation_of(ports, token_text)
    if invitation.state is InvitationState.DECLINED:
        return invitation.correlation
    _answerable_contact(ports, token_text, invitation)
    closed = close_invitation(ports, invitation, InvitationState.DECLINED)
    ports.repository.commit(*closed, facts=[_declined_fact(ports, invitation)])
    return invitation.correlation


def _invitation_of(ports: Ports, token_text: str) -> Invitation:
    token = ports.repository.get(Token, token_hash=tokens.hashed(token_text))
    if not tokens.is_usable(token, TokenPurpose.INVITATION, ports.clock()):
        raise GoneError("token")
    if token.invitation_id is None:
        raise GoneError("token")
    invitation = ports.repository.get(
        Invitation, sponsor_id=token.sponsor_id, invitation_id=token.invitation_id
    )
    if invitation is None:
        raise GoneError("invitation")
    return within_campaign(current_campaign(ports, invitation.campaign), invitation)


def _answerable_contact(ports: Ports, token_text: str, invitation: Invitation) -> Contact:
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    if not is_answerable(invitation, ports.clock()):
        raise GoneError("invitation")
    if contact is None:
        # An answer between the two reads erased the address: its repeat has its result.
        if _invitation_of(ports, token_text).revision != invitation.revision:
            raise ConflictError(Invitation.__name__)
        raise GoneError("invitation")
    return contact


def _missing_claims(ports: Ports, invitation: Invitation, digests: AddressDigests) -> list[Change]:
    """The claims that are missing under the current keys.

    `GoneError` when another invitation claims the referee: a referee has one sponsor (law 1).
    """
    claimed = claims_on(ports, invitation.campaign, digests.values)
    if any(claim.invitation_id != invitation.invitation_id for claim in claimed):
        raise GoneError("invitation")
    known = {claim.digest for claim in claimed}
    missing = [digest for digest in digests.values if digest not in known]
    claims = referee_claims(
        invitation.campaign, invitation.sponsor_id, invitation.invitation_id, missing
    )
    return [Insert(claim) for claim in claims]


def _find_customer(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Membership:
    try:
        return find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        raise UnavailableError("customers") from error


def _close_for_customer(ports: Ports, invitation: Invitation, customers: Membership) -> None:
    closed = close_invitation(ports, invitation, InvitationState.EXPIRED)
    body = InvitationExpired.became_customer(invitation, customers.version)
    ports.repository.commit(*closed, facts=[invitation_fact(ports, invitation, body)])


def _referral(ports: Ports, referral_id: str) -> Referral:
    referral = ports.repository.get(Referral, referral_id=referral_id)
    if referral is None:
        raise GoneError("invitation")
    return referral


def _sponsor(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    at_network: Key[NetworkAnswers] | None,
) -> tuple[Sponsor, NetworkAnswers | None, list[Change]]:
    """The sponsor with digests under every current key and what the confirmation counts; what was
    read beside it; and the changes this needs, if any.
    """
    sponsor, before = read_sponsor(ports, invitation.sponsor_id, at_network)
    if sponsor is None or sponsor.is_erased:
        raise GoneError("invitation")
    _require_room(campaign, sponsor, invitation)
    complete, beside = complete_sponsor(ports, campaign, sponsor)
    counted = with_confirmed(complete, invitation)
    return counted, before, [Replace(counted), *beside] if counted != sponsor else []


def _require_room(campaign: Campaign, sponsor: Sponsor, invitation: Invitation) -> None:
    """`GoneError` when as many as may have confirmed by the sponsor's links."""
    if invitation.channel is Channel.LINK and is_used_up(campaign, sponsor):
        raise GoneError("link")


def _declined_fact(ports: Ports, invitation: Invitation) -> Fact:
    return invitation_fact(ports, invitation, InvitationDeclined.of(invitation))
