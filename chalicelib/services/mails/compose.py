"""What each mail says, to whom, and under which key: a draft, made from a fact just before it is
sent.

Tokens are made here, at the last moment; only their hashes are kept, by the lease. A draft is None
when there is nothing to send any more: the contact is erased, the invitation answered or over, the
voucher spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chalicelib.domain import tokens
from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import (
    Channel,
    Decision,
    Invitation,
    InvitationState,
    ended,
    is_answerable,
)
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Token, TokenPurpose
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, is_live
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    InvitationMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
)
from chalicelib.services.errors import NotYetError
from chalicelib.services.facts import invitation_fact
from chalicelib.services.invitations.respond import sponsor_name
from chalicelib.services.lookups import current_campaign, digests_of, find_customer
from chalicelib.services.ports import ListUnavailableError, Ports, Remove, Replace


@dataclass(frozen=True)
class Sender:
    """Where mails come from and where their links lead. `origin` without a trailing slash."""

    address: str
    origin: str


@dataclass(frozen=True)
class Draft:
    """A mail about to be leased: its key, its content, and the tokens its links carry."""

    mail_id: str
    contact: Contact
    campaign: Campaign
    content: AnyMail
    correlation: str
    tokens: tuple[Token, ...] = ()
    unsubscribe_url: str | None = None
    digests: AddressDigests | None = None
    ids: dict[str, str] = field(default_factory=dict)


def draft_for(ports: Ports, sender: Sender, fact: Fact) -> Draft | None:
    """The mail that follows from `fact`. `NotYetError` when it must wait for a trustworthy list."""
    return _DRAFTS[FactName(fact.name)](ports, sender, fact)


def _texts(campaign: Campaign) -> CampaignTexts:
    return CampaignTexts(
        brand_name=campaign.brand.name,
        brand_colour=campaign.brand.colour,
        title=campaign.title,
        offer=campaign.offer,
        sponsor_offer=campaign.sponsor_offer,
        terms_url=campaign.terms.url,
        contact=campaign.brand.contact,
        locales=campaign.locales,
    )


def _sign_in(ports: Ports, sender: Sender, fact: Fact) -> Draft | None:
    contact = ports.repository.get(Contact, contact_id=fact.ids["contact"])
    if contact is None:
        return None
    campaign = current_campaign(ports, fact.campaign)
    text = ports.codes.token()
    token = Token(
        token_hash=tokens.hashed(text),
        purpose=TokenPurpose.SIGN_IN,
        campaign=campaign.id,
        sponsor_id=fact.ids["sponsor"],
        ends_at=ports.clock() + tokens.SIGN_IN_LASTS,
    )
    content = SignInMail(
        campaign=_texts(campaign),
        first_name=contact.first_name,
        link=f"{sender.origin}/sponsor/?campaign={campaign.id}#token={text}",
        expires_minutes=int(tokens.SIGN_IN_LASTS.total_seconds() // 60),
    )
    return Draft(
        mail_id=f"sign_in-{contact.contact_id}",
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=fact.correlation,
        tokens=(token,),
        ids={"sponsor": fact.ids["sponsor"]},
    )


def _invitation(ports: Ports, sender: Sender, fact: Fact) -> Draft | None:
    invitation = ports.repository.get(
        Invitation, sponsor_id=fact.ids["sponsor"], invitation_id=fact.ids["invitation"]
    )
    if invitation is None or invitation.state is not InvitationState.RECEIVED:
        return None
    if not is_answerable(invitation, ports.clock()):
        return None
    mail_id = f"invitation-{invitation.invitation_id}"
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    sponsor = sponsor_name(ports, invitation.sponsor_id)
    if contact is None or sponsor is None:
        return None
    campaign = current_campaign(ports, invitation.campaign)
    digests = digests_of(ports, campaign, contact.address)
    # A mail that was leased may have left: it is too late to refuse.
    leased = ports.repository.get(Mail, mail_id=mail_id)
    if leased is None and _became_customer(ports, campaign, invitation, contact, digests):
        return None
    answer, answer_text = _token(ports, campaign, invitation, TokenPurpose.INVITATION, digests)
    no, no_text = _token(ports, campaign, invitation, TokenPurpose.UNSUBSCRIBE, digests)
    kind = InvitationMail if invitation.channel is Channel.EMAIL else SignUpMail
    content = kind(
        campaign=_texts(campaign),
        first_name=contact.first_name,
        sponsor_name=sponsor,
        link=f"{sender.origin}/referee/?campaign={campaign.id}#token={answer_text}",
        closes_on=campaign.local_date(invitation.closes_at),
        unsubscribe_link=f"{sender.origin}/unsubscribe/#token={no_text}",
    )
    return Draft(
        mail_id=mail_id,
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=invitation.correlation,
        tokens=(answer, no),
        digests=digests,
        unsubscribe_url=f"{sender.origin}/v1/unsubscribe/{no_text}",
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
    )


def _became_customer(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    contact: Contact,
    digests: AddressDigests,
) -> bool:
    """Law 3 at the last moment: a list may have come in force since the decision."""
    try:
        customers = find_customer(ports, campaign, digests)
    except ListUnavailableError as error:
        raise NotYetError("customer list") from error
    if customers.found is None:
        return False
    decision = Decision(
        reason="became_customer",
        decided_at=ports.clock(),
        campaign_version=campaign.version,
        customers_version=customers.version,
    )
    refused = invitation_fact(
        ports,
        FactName.INVITATION_REFUSED,
        invitation,
        verdict=decision.verdict,
        reason=decision.reason,
        channel=invitation.channel.value,
        campaign_version=decision.campaign_version,
        customers_version=decision.customers_version,
    )
    closed = ended(invitation, InvitationState.REFUSED, ports.clock())
    ports.repository.commit(
        Replace(replace(closed, decision=decision)), Remove(contact), facts=[refused]
    )
    return True


def _token(
    ports: Ports,
    campaign: Campaign,
    invitation: Invitation,
    purpose: TokenPurpose,
    digests: AddressDigests,
) -> tuple[Token, str]:
    text = ports.codes.token()
    token = Token(
        token_hash=tokens.hashed(text),
        purpose=purpose,
        campaign=campaign.id,
        sponsor_id=invitation.sponsor_id,
        invitation_id=invitation.invitation_id,
        digests=digests,
        ends_at=campaign.contact_ends_at(),
    )
    return token, text


def _voucher(ports: Ports, sender: Sender, fact: Fact) -> Draft | None:
    reward = ports.repository.get(
        Reward,
        referral_id=fact.ids["referral"],
        rule=str(fact.details["rule"]),
        rung=int(fact.details["rung"] or 0),
    )
    voucher = ports.repository.get(Voucher, code=reward.code) if reward and reward.code else None
    if voucher is None or not is_live(voucher):
        return None
    contact = ports.repository.get(Contact, contact_id=voucher.contact_id)
    if contact is None:
        return None
    campaign = current_campaign(ports, voucher.campaign)
    kind = RewardMail if voucher.holder is HolderRole.SPONSOR else VoucherMail
    content = kind(
        campaign=_texts(campaign),
        first_name=contact.first_name,
        code=voucher.printed,
        value_minor=voucher.value_minor,
        currency=voucher.currency,
        minimum_basket_minor=voucher.minimum_basket_minor or None,
        valid_until=campaign.local_date(voucher.valid_until),
        rung=voucher.rung or None,
    )
    return Draft(
        mail_id=f"voucher-{voucher.voucher_id}",
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=voucher.correlation,
        digests=digests_of(ports, campaign, contact.address),
        ids={"voucher": voucher.voucher_id},
    )


_DRAFTS: dict[FactName, Callable[[Ports, Sender, Fact], Draft | None]] = {
    FactName.SIGN_IN_GRANTED: _sign_in,
    FactName.INVITATION_ACCEPTED: _invitation,
    FactName.VOUCHER_ISSUED: _voucher,
    FactName.VOUCHER_ACKNOWLEDGED: _voucher,
}
