"""Composing mails: the content, recipient and key of a draft, made from a fact just before sending.

Tokens are created here, at the last moment; only their hashes are stored, with the lease. Every
mail has one by which its recipient objects to further ones. There is no draft (None) when nothing
is to be sent any more: the contact is erased, the invitation answered or closed, the voucher no
longer live, or its holder wants no mail at all. A link to sign in, or to her data, is sent to who
asks for it, whatever she has objected to.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain import invitations, mails, tokens
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import own_digest
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.fact_bodies import (
    InvitationAccepted,
    MailToSendAgain,
    PrivacyLinkGranted,
    ReferralConfirmed,
    RewardRevoked,
    SignInGranted,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
    body_of,
    invitation_decided,
)
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import (
    Channel,
    Invitation,
    InvitationState,
    is_answerable,
    within_campaign,
)
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.privacy import Wish
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.mails.contexts import InvitationMail, PrivacyMail, SignInMail, SignUpMail
from chalicelib.services.digests import digests_of
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.facts import invitation_fact
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.lookups import (
    claims_on,
    current_campaign,
    find_customer,
    is_opposed,
    privacy_link,
    release_in,
    sponsor_claims_on,
    sponsor_contact,
)
from chalicelib.services.mails.campaign_texts import offer_mail, texts_of
from chalicelib.services.mails.compose_vouchers import (
    confirmed,
    released_voucher,
    revoked_voucher,
    voucher_that_ends,
)
from chalicelib.services.mails.draft import Draft, Objection, Sender
from chalicelib.services.moves import freed_claims
from chalicelib.services.ports import Ports, Remove, Replace


def draft_for(ports: Ports, sender: Sender, fact: Fact) -> Draft | None:
    """The mail that follows from `fact`. `RetryLaterError` when it must wait for a trustworthy
    list.
    """
    match body_of(fact):
        case SignInGranted() as granted:
            return _sign_in(ports, sender, granted, fact)
        case PrivacyLinkGranted() as granted:
            return _privacy_link(ports, sender, granted, fact)
        case InvitationAccepted() as accepted:
            return _invitation(ports, sender, accepted)
        case ReferralConfirmed() as body:
            return confirmed(ports, sender, body)
        case VoucherIssued() | VoucherAcknowledged() as released:
            return released_voucher(ports, sender, released)
        case RewardRevoked() as revoked:
            return revoked_voucher(ports, sender, revoked)
        case VoucherEndsSoon() as ends:
            return voucher_that_ends(ports, sender, ends)
        case MailToSendAgain(mail_id=mail_id):
            mail = ports.repository.get(Mail, mail_id=mail_id)
            return released_voucher(ports, sender, release_in(ports, mail)) if mail else None
        case _:
            raise LookupError(f"no mail follows from {fact.name}")


def _sign_in(ports: Ports, sender: Sender, granted: SignInGranted, fact: Fact) -> Draft | None:
    contact = ports.repository.get(Contact, contact_id=granted.contact_id)
    link = ports.repository.get(SignInLink, sponsor_id=granted.sponsor_id)
    # Used, replaced or stopped since: nothing is mailed any more.
    if contact is None or link is None or link.contact_id != granted.contact_id:
        return None
    campaign, now = current_campaign(ports, fact.campaign), ports.clock()
    text, stop_text = ports.codes.token(), ports.codes.token()
    token = tokens.sign_in_token(text, link, now)
    objection = Objection(ports.codes.token(), sender.origin)
    digests = digests_of(ports, campaign, contact.address)
    content = SignInMail(
        campaign=texts_of(ports, campaign, sender),
        first_name=contact.first_name,
        link=f"{sender.origin}/sponsor/?campaign={campaign.id}&lang={contact.locale}#token={text}",
        expires_minutes=int((token.ends_at - now).total_seconds() // 60),
        stop_link=f"{sender.origin}/sign-in-stop/?campaign={campaign.id}#token={stop_text}",
        unsubscribe_link=objection.link,
    )
    return Draft(
        mail_id=mails.sign_in_mail(contact.contact_id),
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=fact.correlation,
        tokens=(
            token,
            tokens.sign_in_stop_token(stop_text, link, now),
            tokens.unsubscribe_token(
                objection.text, campaign, digests, now, sponsor_id=granted.sponsor_id
            ),
        ),
        digests=digests,
        unsubscribe_url=objection.url,
        ids={"sponsor": granted.sponsor_id},
    )


def _privacy_link(
    ports: Ports, sender: Sender, granted: PrivacyLinkGranted, fact: Fact
) -> Draft | None:
    contact = ports.repository.get(Contact, contact_id=granted.contact_id)
    if contact is None:
        return None
    campaign, now = current_campaign(ports, fact.campaign), ports.clock()
    digests = digests_of(ports, campaign, contact.address)
    link = privacy_link(ports, campaign, own_digest(digests))
    # Replaced or stopped since, or a wish of hers confirmed: nothing is mailed any more.
    if link is None or link.contact_id != contact.contact_id:
        return None
    text, stop_text = ports.codes.token(), ports.codes.token()
    own = AddressDigests.of(contact.address, [ports.keys.own()])
    token = tokens.privacy_token(text, granted.wish, contact, own)
    objection = Objection(ports.codes.token(), sender.origin)
    content = PrivacyMail(
        campaign=texts_of(ports, campaign, sender),
        first_name=None,
        is_erasure=granted.wish is Wish.ERASE,
        link=f"{sender.origin}/privacy/?campaign={campaign.id}#token={text}",
        expires_hours=round((token.ends_at - now) / timedelta(hours=1)),
        stop_link=f"{sender.origin}/sign-in-stop/?campaign={campaign.id}#token={stop_text}",
        unsubscribe_link=objection.link,
    )
    sponsor_id, invitation_id = _known_as(ports, campaign, digests)
    return Draft(
        mail_id=mails.privacy_mail(contact.contact_id),
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=fact.correlation,
        tokens=(
            token,
            tokens.privacy_stop_token(stop_text, contact, own, now),
            tokens.unsubscribe_token(
                objection.text,
                campaign,
                digests,
                now,
                sponsor_id=sponsor_id,
                invitation_id=invitation_id,
                contact_id=contact.contact_id,
            ),
        ),
        digests=digests,
        unsubscribe_url=objection.url,
    )


def _known_as(ports: Ports, campaign: Campaign, digests: AddressDigests) -> tuple[str, str | None]:
    """The ids that a person's objection is recorded with: of her invitation, which it declines, or
    as a sponsor; none for who is known in another campaign, or for what she said alone.
    """
    invited = claims_on(ports, campaign.id, digests.values)
    if invited:
        return invited[0].sponsor_id, invited[0].invitation_id
    inviting = sponsor_claims_on(ports, campaign.id, digests.values)
    return (inviting[0].sponsor_id if inviting else ""), None


def _invitation(ports: Ports, sender: Sender, fact: InvitationAccepted) -> Draft | None:
    invitation = ports.repository.get(
        Invitation, sponsor_id=fact.sponsor_id, invitation_id=fact.invitation_id
    )
    if invitation is None or invitation.state is not InvitationState.RECEIVED:
        return None
    campaign = current_campaign(ports, invitation.campaign)
    invitation = within_campaign(campaign, invitation)
    if not is_answerable(invitation, ports.clock()):
        return None
    mail_id = mails.invitation_mail(invitation.invitation_id)
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    sponsor = sponsor_contact(ports, invitation.sponsor_id)
    if contact is None or sponsor is None or sponsor.first_name is None:
        return None
    digests = digests_of(ports, campaign, contact.address)
    # A leased mail may have been sent already: it is too late to refuse.
    leased = ports.repository.get(Mail, mail_id=mail_id)
    if leased is None and _refused_since(ports, campaign, invitation, contact, digests):
        return None
    text, objection = ports.codes.token(), Objection(ports.codes.token(), sender.origin)
    is_by_sponsor = invitation.channel is Channel.EMAIL
    content = offer_mail(
        InvitationMail if is_by_sponsor else SignUpMail,
        texts_of(ports, campaign, sender),
        campaign,
        origin=sender.origin,
        locale=contact.locale,
        # Earlier versions kept the name that anybody had typed with a sign-up by link.
        first_name=contact.first_name if is_by_sponsor else None,
        sponsor_name=sponsor.first_name,
        closes_at=invitation.closes_at,
        token=text,
        unsubscribe_link=objection.link,
    )
    return Draft(
        mail_id=mail_id,
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=invitation.correlation,
        tokens=(
            tokens.invitation_token(text, campaign, invitation),
            tokens.unsubscribe_token(
                objection.text,
                campaign,
                digests,
                ports.clock(),
                sponsor_id=invitation.sponsor_id,
                invitation_id=invitation.invitation_id,
            ),
        ),
        digests=digests,
        invitation=invitation,
        unsubscribe_url=objection.url,
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
    )


def _refused_since(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    contact: Contact,
    digests: AddressDigests,
) -> bool:
    """Law 3 and the person's objections, checked again just before sending: both may have changed
    since the decision.
    """
    try:
        customers = find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        raise RetryLaterError(WaitsFor.A_LIST) from error
    if is_opposed(ports, campaign, digests.values):
        reason = Reason.OPPOSED
    elif customers.found:
        reason = Reason.BECAME_CUSTOMER
    else:
        return False
    now = ports.clock()
    decision = invitations.new_decision(
        campaign, reason, customers_version=customers.version, now=now
    )
    refused = invitations.refused(invitation, decision, now)
    fact = invitation_fact(ports, refused, invitation_decided(refused))
    freed = freed_claims(ports, invitation, digests)
    ports.repository.commit(Replace(refused), Remove(contact), *freed, facts=[fact])
    return True
