"""Sending mails: lease, send, mark (law 2).

    lease (insert the mail item) ── send ── mark sent
        │                            ├─ certainly not sent: the lease is removed,
        │                            │  the queue tries again
        │                            └─ unknown: see below
        └─ killed here: the lease stays

The sender has no idempotency token, so a send without an answer may have happened. An invitation is
sent at most once: a leased one is never sent again; the sender's own events show whether it was
sent (`ses_events`), and after a day its age settles it (`reconcile`). A voucher is sent at least
once: after `LEASE` the mail is sent again, because a duplicate is better than none; one that did
not arrive is sent again when ops ask for it (`resend`). A mail's key is made of what it is about,
so two facts for one voucher or one request still make one mail.

The content comes from `compose`. Only the hashes of a mail's tokens are stored, with the lease.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain import mails
from chalicelib.domain.fact_bodies import InvitationAccepted, body_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.mails import AT_MOST_ONCE, Mail, MailProblem, MailState
from chalicelib.domain.tokens import heard_until
from chalicelib.mails.message import compose
from chalicelib.mails.render import render
from chalicelib.services.errors import RetryLaterError, SenderBusyError, WaitsFor
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails.compose import draft_for
from chalicelib.services.mails.draft import Draft, Sender
from chalicelib.services.moves import mark_mail_failed, mark_mail_sent
from chalicelib.services.ports import Change, ConflictError, Insert, Ports, Remove, Replace
from chalicelib.services.protection import hold, release, stop_and_held

LEASE = timedelta(minutes=5)

_ENDED = {MailState.SENT, MailState.FAILED}


def send_mail(ports: Ports, sender: Sender, fact: Fact) -> str:
    """Send the mail that follows from `fact`; returns the named outcome.

    `RetryLaterError` when the queue must deliver the fact again: the sender was busy, or another
    attempt at a mail that must arrive may still be running.
    """
    draft = draft_for(ports, sender, fact)
    body = body_of(fact)
    if not isinstance(body, InvitationAccepted):
        return _send(ports, sender, draft, fact)
    stop, held = stop_and_held(ports, body, fact.campaign)
    if stop and draft and draft.invitation:
        hold(ports, draft.invitation, fact, held)
        return "held"
    outcome = _send(ports, sender, draft, fact)
    if held:
        release(ports, held)
    return outcome


def _send(ports: Ports, sender: Sender, draft: Draft | None, fact: Fact) -> str:
    if draft is None:
        return "nothing_to_send"
    recipient = draft.contact.address.sendable
    # Before the lease: a mail that cannot be composed must not look as if it might have been sent.
    message = _message(ports, sender, draft, recipient)
    leased = _lease(ports, draft, caused_at=fact.at)
    if leased is None:
        return "sent_already"
    try:
        provider_id = ports.mailer.send(message, recipient=recipient, mail_id=draft.mail_id)
    except MailNotSentError as error:
        return _handle_not_sent(ports, draft, leased, error)
    except MailUncertainError as error:
        if leased.mail.mail_kind in AT_MOST_ONCE:
            return "uncertain"
        raise RetryLaterError(WaitsFor.AN_ANSWER_OF_THE_SENDER) from error
    mark_mail_sent(ports, draft.mail_id, provider_id)
    return "sent"


@dataclass(frozen=True)
class _Leased:
    """A leased mail, and what was stored before it, if anything."""

    mail: Mail
    before: Mail | None

    def released(self) -> Change:
        """What ends the lease of a mail that was certainly not sent: all is as it was before."""
        if self.before is None:
            return Remove(self.mail)
        return Replace(replace(self.before, revision=self.mail.revision))


def _lease(ports: Ports, draft: Draft, *, caused_at: datetime) -> _Leased | None:
    now = ports.clock()
    mail = Mail(
        mail_id=draft.mail_id,
        mail_kind=draft.content.kind,
        campaign=draft.campaign.id,
        contact_id=draft.contact.contact_id,
        state=MailState.LEASED,
        leased_at=now,
        ends_at=heard_until(draft.campaign, now),
        correlation=draft.correlation,
        digests=draft.digests,
        ids=draft.ids,
        caused_at=caused_at,
    )
    stored = ports.repository.get(Mail, mail_id=draft.mail_id)
    if stored is None:
        lease: Change = Insert(mail)
    elif stored.mail_kind in AT_MOST_ONCE or stored.state in _ENDED:
        return None
    elif not mails.may_be_leased(stored, LEASE, now):
        raise RetryLaterError(WaitsFor.OTHER_WORK)
    else:
        lease = Replace(mails.leased_again(stored, mail))
    try:
        ports.repository.commit(lease, *(Insert(token) for token in draft.tokens))
    except ConflictError as error:
        raise RetryLaterError(WaitsFor.OTHER_WORK) from error
    return _Leased(replace(mail, revision=(stored.revision if stored else 0) + 1), stored)


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


def _handle_not_sent(ports: Ports, draft: Draft, leased: _Leased, error: MailNotSentError) -> str:
    if not error.final:
        unused_tokens = [Remove(replace(token, revision=1)) for token in draft.tokens]
        ports.repository.commit(leased.released(), *unused_tokens)
        raise SenderBusyError from error
    mark_mail_failed(ports, draft.mail_id, MailProblem.REFUSED, error.reason)
    return "refused_by_sender"
