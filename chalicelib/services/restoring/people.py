"""What facts about sponsors and referees did: invitations, referrals, oppositions.

An address that came after the moment is lost with its contact; nothing outside the table holds it
(law 9). What an invitation became is brought back where the invitation is there; a referral also
where a digest of the referee is in a file that the client has.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain import invitations
from chalicelib.domain.addresses import AddressDigests, DigestPair
from chalicelib.domain.consents import Consent, ConsentSource, own_digest
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.fact_bodies import (
    ConsentGiven,
    ConsentWithdrawal,
    InvitationAccepted,
    InvitationBounced,
    InvitationDeclined,
    InvitationExpired,
    InvitationReceived,
    InvitationRefused,
    InvitationSent,
    LinkRenewed,
    LinkStopped,
    OppositionRecorded,
    ReferralConfirmed,
    SignInGranted,
    SignInRefused,
    SignInsResumed,
    SignInsStopped,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import (
    Channel,
    Decision,
    Invitation,
    InvitationState,
    is_undecided,
)
from chalicelib.domain.links import with_new_link
from chalicelib.domain.mails import Mail, invitation_mail
from chalicelib.domain.people import Contact, Sponsor, link_of, referee_claims, sponsor_claims
from chalicelib.domain.referrals import Referral
from chalicelib.domain.sign_ins import SignInLink, stop_of_mails
from chalicelib.services.consent_words import given_changes, withdrawal_changes
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.lookups import claims_on
from chalicelib.services.moves import close_invitation, link_changes, stored_stop
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace
from chalicelib.services.restoring.work import LOST, UnfoundedError, Work

UNKNOWN_ADDRESS = "***"

_CLOSED = {
    InvitationDeclined: InvitationState.DECLINED,
    InvitationBounced: InvitationState.BOUNCED,
    InvitationExpired: InvitationState.EXPIRED,
}


def people_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about people did, as far as it is not there; None for any other fact.

    `UnfoundedError`.
    """
    ports = work.at(fact)
    match body:
        case SignInGranted():
            return _granted(work, fact, body)
        case SignInRefused():
            contact = ports.repository.get(Contact, contact_id=fact.subject)
            return [Remove(contact)] if contact else []
        case SignInsStopped(sponsor_id=sponsor_id):
            return _stopped(work, fact, sponsor_id)
        case SignInsResumed(sponsor_id=sponsor_id):
            link = ports.repository.get(SignInLink, sponsor_id=sponsor_id)
            return [Remove(link)] if link and link.is_stop else []
        case InvitationReceived():
            _invitation(work, body.sponsor_id, body.invitation_id)
            return []
        case InvitationAccepted() | InvitationRefused():
            return _decided(work, fact, body)
        case InvitationSent():
            return _sent(work, fact, body)
        case InvitationDeclined() | InvitationBounced() | InvitationExpired():
            return _closed(work, fact, body)
        case ReferralConfirmed():
            return _confirmed(work, fact, body)
        case OppositionRecorded():
            return _opposed(work, fact, body)
        case ConsentGiven() | ConsentWithdrawal():
            return _consent(work, fact, body)
        case LinkStopped(sponsor_id=sponsor_id, problems=problems):
            sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
            if sponsor is None:
                raise UnfoundedError(sponsor_id)
            return [Replace(replace(sponsor, link_problems=max(sponsor.link_problems, problems)))]
        case LinkRenewed(sponsor_id=sponsor_id):
            return _renewed(work, fact, sponsor_id)
        case _:
            return None


def _invitation(work: Work, sponsor_id: str, invitation_id: str) -> Invitation:
    found = work.ports.repository.get(
        Invitation, sponsor_id=sponsor_id, invitation_id=invitation_id
    )
    if found is None:
        raise UnfoundedError(invitation_id)
    return found


# --- invitations ----------------------------------------------------------------------------------


def _decided(work: Work, fact: Fact, body: InvitationAccepted | InvitationRefused) -> list[Change]:
    ports = work.at(fact)
    invitation = _invitation(work, body.sponsor_id, body.invitation_id)
    if not is_undecided(invitation):
        return []
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    decision = Decision(
        reason=body.reason,
        decided_at=fact.at,
        campaign_version=body.campaign_version,
        customers_version=body.customers_version,
        vips_version=body.vips_version,
    )
    if isinstance(body, InvitationRefused):
        refused = Replace(invitations.refused(invitation, decision, fact.at))
        return [refused, Remove(contact)] if contact else [refused]
    claims = _claims(ports, work, invitation, _digests(ports, work, contact))
    return [Replace(invitations.accepted(invitation, decision)), *claims]


def _digests(ports: Ports, work: Work, contact: Contact | None) -> AddressDigests | None:
    return digests_of(ports, work.campaign, contact.address) if contact else None


def _claims(
    ports: Ports, work: Work, invitation: Invitation, digests: AddressDigests | None
) -> list[Change]:
    """The claims on the referee that are missing. `UnfoundedError` when another invitation has one:
    it was made since the restore, so the work was not stopped.
    """
    values = digests.values if digests else ()
    claimed = claims_on(ports, work.campaign.id, values)
    if any(claim.invitation_id != invitation.invitation_id for claim in claimed):
        raise UnfoundedError(invitation.invitation_id)
    known = {claim.digest for claim in claimed}
    missing = [digest for digest in values if digest not in known]
    sponsor_id, invitation_id = invitation.sponsor_id, invitation.invitation_id
    claims = referee_claims(work.campaign.id, sponsor_id, invitation_id, missing)
    return [Insert(claim) for claim in claims]


def _sent(work: Work, fact: Fact, body: InvitationSent) -> list[Change]:
    invitation = _invitation(work, body.sponsor_id, body.invitation_id)
    if invitation.state is not InvitationState.RECEIVED:
        return []
    return [Replace(invitations.sent(invitation, fact.at))]


def _closed(
    work: Work, fact: Fact, body: InvitationDeclined | InvitationBounced | InvitationExpired
) -> list[Change]:
    """Last of all, because the address is erased with it: the claims that came with the decision
    (law 2), the digests of its mail and an objection (law 9) are made from that.
    """
    invitation = _invitation(work, body.sponsor_id, body.invitation_id)
    if not work.is_lenient:
        raise UnfoundedError(body.invitation_id)
    return close_invitation(work.at(fact), invitation, _CLOSED[type(body)])


# --- referrals ------------------------------------------------------------------------------------


def _confirmed(work: Work, fact: Fact, body: ReferralConfirmed) -> list[Change]:
    ports = work.at(fact)
    sponsor = ports.repository.get(Sponsor, sponsor_id=body.sponsor_id)
    if sponsor is None and body.sponsor_id in work.digests:
        raise UnfoundedError(body.sponsor_id)
    stored = ports.repository.get(
        Invitation, sponsor_id=body.sponsor_id, invitation_id=body.invitation_id
    )
    invitation = stored or _lost_invitation(work, fact, body)
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    digests = _digests(ports, work, contact) or _known_digest(work, body.referral_id)
    referral = Referral(
        referral_id=body.referral_id,
        campaign=fact.campaign,
        sponsor_id=body.sponsor_id,
        invitation_id=invitation.invitation_id,
        contact_id=invitation.contact_id,
        # A sponsor who is lost is nobody any more, as one who was erased: the referee stays.
        sponsor_digest=sponsor.digests.for_client if sponsor else "",
        referee=digests,
        confirmed_at=fact.at,
        campaign_version=body.campaign_version,
        customers_version=body.customers_version,
        terms_version=body.terms_version,
        marketing_consent=body.marketing_consent,
        correlation=fact.correlation,
        address_gone=contact is None,
    )
    claims = _claims(ports, work, invitation, digests)
    if stored is None:
        return [Insert(referral), Insert(invitation), *claims]
    confirmed = invitations.confirmed(stored, body.referral_id, fact.at)
    return [Insert(referral), Replace(confirmed), *claims]


def _lost_invitation(work: Work, fact: Fact, body: ReferralConfirmed) -> Invitation:
    """An invitation that came after the moment, as far as its confirmation says what it was."""
    decision = Decision(
        reason=Reason.ELIGIBLE,
        decided_at=fact.at,
        campaign_version=body.campaign_version,
        customers_version=body.customers_version,
    )
    return Invitation(
        invitation_id=body.invitation_id,
        campaign=fact.campaign,
        sponsor_id=body.sponsor_id,
        contact_id=f"{LOST}{body.invitation_id}",
        channel=Channel.EMAIL,
        masked=UNKNOWN_ADDRESS,
        locale=work.campaign.locales[0],
        state=InvitationState.CONFIRMED,
        received_at=fact.at,
        closes_at=work.campaign.closes_at(fact.at),
        campaign_version=body.campaign_version,
        correlation=fact.correlation,
        decision=decision,
        ended_at=fact.at,
        referral_id=body.referral_id,
    )


def _known_digest(work: Work, holder_id: str) -> AddressDigests:
    """The digest of a holder that a file of the client has. `UnfoundedError` when none has it."""
    known = work.digests.get(holder_id)
    if known is None:
        raise UnfoundedError(holder_id)
    digest, key_id = known
    # The alias form is not in a file; the exact one stands for it, and is a claim of this person.
    return AddressDigests((DigestPair(key_id, digest, digest, work.campaign.digests.algorithm),))


# --- sponsors -------------------------------------------------------------------------------------


def _granted(work: Work, fact: Fact, body: SignInGranted) -> list[Change]:
    """A sponsor who signed in for the first time after the moment, if the request or a digest in a
    file is there. Otherwise the next sign-in makes another sponsor.
    """
    if work.ports.repository.get(Sponsor, sponsor_id=body.sponsor_id):
        return []
    contact = work.ports.repository.get(Contact, contact_id=body.contact_id)
    digests = _digests(work.ports, work, contact) or _known_digest(work, body.sponsor_id)
    sponsor = Sponsor(
        sponsor_id=body.sponsor_id,
        campaign=fact.campaign,
        contact_id=body.contact_id,
        digests=digests,
        link_code=work.ports.codes.link_code(),
        locale=work.campaign.locales[0],
        created_at=fact.at,
        vip_list_version=body.list_version or 0,
        counts_revoked=False,
    )
    claims = sponsor_claims(sponsor, digests.values)
    return [Insert(sponsor), *map(Insert, claims), Insert(link_of(sponsor))]


def _renewed(work: Work, fact: Fact, sponsor_id: str) -> list[Change]:
    """The link from before it ends again; the code that replaced it is nowhere but in the table."""
    ports = work.at(fact)
    sponsor = ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    if sponsor is None:
        raise UnfoundedError(sponsor_id)
    if sponsor.link_made_at and sponsor.link_made_at >= fact.at:
        return []
    renewed = with_new_link(work.campaign, sponsor, ports.codes.link_code(), fact.at)
    return link_changes(ports, sponsor, renewed)


def _stopped(work: Work, fact: Fact, sponsor_id: str) -> list[Change]:
    """Sign-in mails stay stopped for as long as they would have been."""
    link = work.ports.repository.get(SignInLink, sponsor_id=sponsor_id)
    return [stored_stop(stop_of_mails(fact.campaign, sponsor_id, link, fact.at))]


def _consent(work: Work, fact: Fact, body: ConsentGiven | ConsentWithdrawal) -> list[Change]:
    """A word given to us, as far as it is not there; one of the client's comes back with its file,
    which is processed again. `UnfoundedError` while nobody knows whose it is.
    """
    ports = work.at(fact)
    sponsor_id, invitation_id = body.sponsor_id, body.invitation_id
    digests = _known_digests(work, sponsor_id, invitation_id) if sponsor_id else None
    if digests is None:
        if body.source is ConsentSource.CLIENT:
            return []
        raise UnfoundedError(body.consent_id)
    brand, digest = work.campaign.brand.id, own_digest(digests)
    stored = ports.repository.get(Consent, brand=brand, digest=digest)
    consent = stored or Consent(
        brand=brand, digest=digest, consent_id=body.consent_id, campaign=fact.campaign
    )
    if isinstance(body, ConsentGiven):
        return given_changes(work.campaign, consent, digests, body, fact.at)
    return withdrawal_changes(work.campaign, consent, digests, body.source, fact.at)


def _known_digests(work: Work, sponsor_id: str, invitation_id: str | None) -> AddressDigests | None:
    """Those of a referee, or without an invitation of the sponsor. `UnfoundedError`."""
    if invitation_id is not None:
        return _referee_digests(work, sponsor_id, invitation_id)
    sponsor = work.ports.repository.get(Sponsor, sponsor_id=sponsor_id)
    return sponsor.digests if sponsor else None


def _opposed(work: Work, fact: Fact, body: OppositionRecorded) -> list[Change]:
    """The oppositions under every digest that is known of the person."""
    invitation_id = fact.subject if fact.subject != body.sponsor_id else None
    sponsor_id = body.sponsor_id
    digests = _known_digests(work, sponsor_id, invitation_id) if sponsor_id else None
    if digests is None:
        raise UnfoundedError(fact.subject)
    return new_oppositions(work.at(fact), work.campaign, digests, body.scope)


def _referee_digests(work: Work, sponsor_id: str, invitation_id: str) -> AddressDigests | None:
    """The digests of who was invited, also of one whose address was erased since."""
    repository = work.ports.repository
    invitation = _invitation(work, sponsor_id, invitation_id)
    contact = repository.get(Contact, contact_id=invitation.contact_id)
    mail = repository.get(Mail, mail_id=invitation_mail(invitation_id))
    referral = repository.get(Referral, referral_id=invitation.referral_id or "")
    known = (
        _digests(work.ports, work, contact),
        mail.digests if mail else None,
        referral.referee if referral else None,
    )
    return next(filter(None, known), None)
