"""Sending mails: lease, send, mark (law 2).

    lease (insert the mail item) ── send ── mark sent
        │                            ├─ certainly not taken: the lease is given back,
        │                            │  the queue tries again
        │                            └─ nobody can tell: see below
        └─ killed here: the lease stays

The sender has no idempotency token, so a send that was not answered may have happened. An
invitation is sent at most once: an open lease is never sent again; the sender's own events settle
it (`settle_mail`). A voucher is sent at least once: after `LEASE` the mail goes out again rather
than never. A mail's key is made of what it is about, so two facts for one voucher or one request
still make one mail.

What a mail says is `drafts`' business. Only the hashes of its tokens are stored, with the lease.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.addresses import sendable
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState, ended
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact
from chalicelib.mails.message import compose
from chalicelib.mails.render import render
from chalicelib.services.errors import NotYetError
from chalicelib.services.facts import mail_fact
from chalicelib.services.mails.compose import Draft, Sender, draft_for
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    MailNotTakenError,
    MailUncertainError,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

LEASE = timedelta(minutes=5)
AT_MOST_ONCE = frozenset({"invitation", "sign_up"})


def deliver(ports: Ports, sender: Sender, fact: Fact) -> str:
    """Send the mail that follows from `fact`; returns the named outcome.

    `NotYetError` when the queue must bring the fact again: the sender was busy, or another attempt
    at a mail that must arrive may still be under way.
    """
    draft = draft_for(ports, sender, fact)
    if draft is None:
        return "nothing_to_send"
    recipient = sendable(draft.contact.address)
    # Before the lease: what cannot be composed must not look as if it had been sent.
    message = _message(ports, sender, draft, recipient)
    mail = _lease(ports, draft)
    if mail is None:
        return "sent_already"
    try:
        provider_id = ports.mailer.send(message, recipient=recipient, mail_id=draft.mail_id)
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
        campaign=draft.campaign.id,
        contact_id=draft.contact.contact_id,
        state=MailState.LEASED,
        leased_at=now,
        ends_at=draft.campaign.contact_ends_at(),
        correlation=draft.correlation,
        digests=draft.digests,
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


def _message(ports: Ports, sender: Sender, draft: Draft, recipient: str) -> bytes:
    message = compose(
        render(draft.content, draft.contact.locale),
        sender=sender.address,
        sender_name=draft.campaign.brand.name,
        recipient=recipient,
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


@retry_on_conflict
def _mark_failed(ports: Ports, mail_id: str, reason: str) -> None:
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state is not MailState.LEASED:
        return
    changes: list[Change] = [Replace(replace(mail, state=MailState.FAILED))]
    facts = [mail_fact(ports, FactName.MAIL_FAILED, mail, reason=reason)]
    invitation = invitation_of(ports, mail)
    if invitation and invitation.state is InvitationState.RECEIVED:
        contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
        changes.append(Replace(ended(invitation, InvitationState.BOUNCED, ports.clock())))
        changes += [Remove(contact)] if contact else []
        facts.append(mail_fact(ports, FactName.INVITATION_BOUNCED, mail, reason=reason))
    ports.repository.commit(*changes, facts=facts)


@retry_on_conflict
def mark_sent(ports: Ports, mail_id: str, provider_id: str) -> None:
    """Note that a leased mail has left, and its invitation with it; once."""
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.state is not MailState.LEASED:
        return
    now = ports.clock()
    sent = replace(mail, state=MailState.SENT, sent_at=now, provider_id=provider_id)
    changes: list[Change] = [Replace(sent)]
    facts = [mail_fact(ports, FactName.MAIL_SENT, mail, kind=mail.mail_kind)]
    invitation = invitation_of(ports, mail)
    if invitation:
        facts.append(mail_fact(ports, FactName.INVITATION_SENT, mail, kind=mail.mail_kind))
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
