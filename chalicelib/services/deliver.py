"""Sending mails: lease, send, mark (law 2).

    lease (insert the mail item) ── send ── mark sent
        │                            ├─ certainly not taken: the lease is given back, the queue
        tries again │                            └─ nobody can tell: see below └─ killed here: the
        lease stays

The sender has no idempotency token, so a send that was not answered may have happened. An
invitation is sent at most once: an open lease is never sent again; the sender's own events settle
it (`settle_mail`). A voucher is sent at least once: after `LEASE` the mail goes out again rather
than never. A mail's key is made of what it is about, so two facts for one voucher or one request
still make one mail.

Tokens are made here, at the last moment, and only their hashes are stored: in the transaction of
the lease.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chalicelib.domain import tokens
from chalicelib.domain.addresses import sendable
from chalicelib.domain.campaign import Campaign, HolderRole
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import ended, is_answerable
from chalicelib.domain.model import (
    Channel,
    Contact,
    Fact,
    Invitation,
    InvitationState,
    Mail,
    MailState,
    Reward,
    Token,
    TokenPurpose,
    Voucher,
)
from chalicelib.domain.vouchers import is_live
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    InvitationMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
)
from chalicelib.mails.message import compose
from chalicelib.mails.render import render
from chalicelib.services.answer import sponsor_name
from chalicelib.services.errors import NotYetError
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    ListUnavailableError,
    MailNotTakenError,
    MailUncertainError,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.steps import decided_again, digests_of, happened, known_campaign

LEASE = timedelta(minutes=5)
AT_MOST_ONCE = frozenset({"invitation", "sign_up"})


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
    ids: dict[str, str] = field(default_factory=dict)


def deliver(ports: Ports, sender: Sender, fact: Fact) -> str:
    """Send the mail that follows from `fact`; returns the named outcome.

    `NotYetError` when the queue must bring the fact again: the sender was busy, or another attempt
    at a mail that must arrive may still be under way.
    """
    draft = _DRAFTS[FactName(fact.name)](ports, sender, fact)
    if draft is None:
        return "nothing_to_send"
    mail = _lease(ports, draft)
    if mail is None:
        return "sent_already"
    try:
        provider_id = ports.mailer.send(
            _message(ports, sender, draft),
            recipient=sendable(draft.contact.address),
            mail_id=draft.mail_id,
        )
    except MailNotTakenError as error:
        return _not_taken(ports, draft, mail, error)
    except MailUncertainError as error:
        if mail.mail_kind in AT_MOST_ONCE:
            return "uncertain"
        raise NotYetError("mail") from error
    mark_sent(ports, mail.mail_id, provider_id)
    return "sent"


def _lease(ports: Ports, draft: Draft) -> Mail | None:
    now = ports.clock()
    mail = Mail(
        mail_id=draft.mail_id,
        mail_kind=draft.content.kind,
        campaign=draft.campaign.campaign,
        contact_id=draft.contact.contact_id,
        state=MailState.LEASED,
        leased_at=now,
        ends_at=draft.campaign.contact_ends_at(),
        correlation=draft.correlation,
        ids=draft.ids,
    )
    stored = ports.repository.get(Mail, mail_id=draft.mail_id)
    if stored is None:
        first: Change = Insert(mail)
    elif stored.state is not MailState.LEASED or stored.mail_kind in AT_MOST_ONCE:
        return None
    elif now - stored.leased_at < LEASE:
        raise NotYetError("mail is leased")
    else:
        first = Replace(replace(mail, revision=stored.revision))
    try:
        ports.repository.commit(first, *(Insert(token) for token in draft.tokens))
    except ConflictError as error:
        raise NotYetError("mail was leased by another") from error
    return replace(mail, revision=(stored.revision if stored else 0) + 1)


def _message(ports: Ports, sender: Sender, draft: Draft) -> bytes:
    message = compose(
        render(draft.content, draft.contact.locale),
        sender=sender.address,
        sender_name=draft.campaign.brand.name,
        recipient=draft.contact.address,
        mail_id=draft.mail_id,
        date=ports.clock(),
        unsubscribe_url=draft.unsubscribe_url,
        reply_to=draft.campaign.brand.contact,
    )
    return bytes(message)


def _not_taken(ports: Ports, draft: Draft, mail: Mail, error: MailNotTakenError) -> str:
    if not error.final:
        tokens_made = [Remove(replace(token, revision=1)) for token in draft.tokens]
        ports.repository.commit(Remove(mail), *tokens_made)
        raise NotYetError("the sender is busy") from error
    _mark_failed(ports, mail.mail_id, error.reason)
    return "refused_by_sender"


@decided_again
def _mark_failed(ports: Ports, mail_id: str, reason: str) -> None:
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state is not MailState.LEASED:
        return
    changes: list[Change] = [Replace(replace(mail, state=MailState.FAILED))]
    facts = [_about(ports, FactName.MAIL_FAILED, mail, reason=reason)]
    invitation = invitation_of(ports, mail)
    if invitation and invitation.state is InvitationState.RECEIVED:
        contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
        changes.append(Replace(ended(invitation, InvitationState.BOUNCED, ports.clock())))
        changes += [Remove(contact)] if contact else []
        facts.append(_about(ports, FactName.INVITATION_BOUNCED, mail, reason=reason))
    ports.repository.commit(*changes, facts=facts)


@decided_again
def mark_sent(ports: Ports, mail_id: str, provider_id: str) -> None:
    """Note that a leased mail has left, and its invitation with it; once."""
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state is not MailState.LEASED:
        return
    now = ports.clock()
    sent = replace(mail, state=MailState.SENT, sent_at=now, provider_id=provider_id)
    changes: list[Change] = [Replace(sent)]
    facts = [_about(ports, FactName.MAIL_SENT, mail, kind=mail.mail_kind)]
    invitation = invitation_of(ports, mail)
    if invitation:
        facts.append(_about(ports, FactName.INVITATION_SENT, mail, kind=mail.mail_kind))
        if invitation.state is InvitationState.RECEIVED:
            state = replace(invitation, state=InvitationState.SENT, sent_at=now)
            changes.append(Replace(state))
    ports.repository.commit(*changes, facts=facts)


def invitation_of(ports: Ports, mail: Mail) -> Invitation | None:
    """The invitation a mail carries, None for any other mail."""
    if "invitation" not in mail.ids:
        return None
    return ports.repository.get(
        Invitation, sponsor_id=mail.ids["sponsor"], invitation_id=mail.ids["invitation"]
    )


def _about(ports: Ports, name: FactName, mail: Mail, **details: str | int | None) -> Fact:
    return happened(
        ports,
        name,
        campaign=mail.campaign,
        subject=mail.ids.get("invitation", mail.mail_id),
        correlation=mail.correlation,
        ids={**mail.ids, "mail": mail.mail_id},
        **details,
    )


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
    campaign = known_campaign(ports, fact.campaign)
    text = ports.codes.token()
    token = Token(
        token_hash=tokens.hashed(text),
        purpose=TokenPurpose.SIGN_IN,
        campaign=campaign.campaign,
        sponsor_id=fact.ids["sponsor"],
        ends_at=ports.clock() + tokens.SIGN_IN_LASTS,
    )
    content = SignInMail(
        campaign=_texts(campaign),
        first_name=contact.first_name,
        link=f"{sender.origin}/sponsor/?campaign={campaign.campaign}#token={text}",
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
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    sponsor = sponsor_name(ports, invitation.sponsor_id)
    if contact is None or sponsor is None:
        return None
    campaign = known_campaign(ports, invitation.campaign)
    if _became_customer(ports, campaign, invitation, contact):
        return None
    answer, answer_text = _token(ports, campaign, contact, invitation, TokenPurpose.INVITATION)
    no, no_text = _token(ports, campaign, contact, invitation, TokenPurpose.UNSUBSCRIBE)
    kind = InvitationMail if invitation.channel is Channel.EMAIL else SignUpMail
    content = kind(
        campaign=_texts(campaign),
        first_name=contact.first_name,
        sponsor_name=sponsor,
        link=f"{sender.origin}/referee/?campaign={campaign.campaign}#token={answer_text}",
        closes_on=campaign.local_date(invitation.closes_at),
        unsubscribe_link=f"{sender.origin}/unsubscribe/#token={no_text}",
    )
    return Draft(
        mail_id=f"invitation-{invitation.invitation_id}",
        contact=contact,
        campaign=campaign,
        content=content,
        correlation=invitation.correlation,
        tokens=(answer, no),
        unsubscribe_url=f"{sender.origin}/v1/unsubscribe/{no_text}",
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
    )


def _became_customer(
    ports: Ports, campaign: Campaign, invitation: Invitation, contact: Contact
) -> bool:
    """Law 3 at the last moment: a list may have come in force since the decision."""
    try:
        customers = ports.lists.find(
            "customers",
            campaign.campaign,
            campaign.lists.customers.max_age_days,
            digests_of(ports, campaign, contact.address),
        )
    except ListUnavailableError as error:
        raise NotYetError("customers") from error
    if customers.found is None:
        return False
    refused = happened(
        ports,
        FactName.INVITATION_REFUSED,
        campaign=invitation.campaign,
        subject=invitation.invitation_id,
        correlation=invitation.correlation,
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
        reason="became_customer",
        channel=invitation.channel.value,
        customers_version=customers.version,
    )
    closed = ended(invitation, InvitationState.REFUSED, ports.clock())
    ports.repository.commit(Replace(closed), Remove(contact), facts=[refused])
    return True


def _token(
    ports: Ports,
    campaign: Campaign,
    contact: Contact,
    invitation: Invitation | None,
    purpose: TokenPurpose,
    sponsor_id: str = "",
) -> tuple[Token, str]:
    text = ports.codes.token()
    token = Token(
        token_hash=tokens.hashed(text),
        purpose=purpose,
        campaign=campaign.campaign,
        sponsor_id=invitation.sponsor_id if invitation else sponsor_id,
        invitation_id=invitation.invitation_id if invitation else None,
        digests=digests_of(ports, campaign, contact.address),
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
    campaign = known_campaign(ports, voucher.campaign)
    no, no_text = _token(
        ports, campaign, contact, None, TokenPurpose.UNSUBSCRIBE, sponsor_id=voucher.holder_id
    )
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
        tokens=(no,),
        unsubscribe_url=f"{sender.origin}/v1/unsubscribe/{no_text}",
        ids={"voucher": voucher.voucher_id},
    )


_DRAFTS: dict[FactName, Callable[[Ports, Sender, Fact], Draft | None]] = {
    FactName.SIGN_IN_GRANTED: _sign_in,
    FactName.INVITATION_ACCEPTED: _invitation,
    FactName.VOUCHER_ISSUED: _voucher,
    FactName.VOUCHER_ACKNOWLEDGED: _voucher,
}
