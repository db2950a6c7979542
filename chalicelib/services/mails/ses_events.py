"""Events of the sender about earlier mails: accepted, bounced, complained about.

They also settle a send without an answer: a mail that is still leased was sent after all. A bounced
invitation is closed and its address erased; a complaint counts as an opposition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.domain import mails
from chalicelib.domain.fact_bodies import InvitationBounced, InvitationDeclined, MailComplained
from chalicelib.domain.invitations import InvitationState, is_answerable
from chalicelib.domain.mails import Mail
from chalicelib.services.digests import new_oppositions
from chalicelib.services.facts import mail_fact
from chalicelib.services.lookups import current_campaign, invitation_in
from chalicelib.services.moves import close_invitation, mark_mail_sent
from chalicelib.services.ports import Change, Ports, Replace
from chalicelib.services.retry import retry_on_conflict


@dataclass(frozen=True)
class MailEvent:
    """One event of the sender about one of our mails."""

    kind: Literal["sent", "bounced", "complained"]
    mail_id: str
    provider_id: str


def settle_mail(ports: Ports, event: MailEvent) -> str:
    """Act on an event; returns the named outcome. Repeated events change nothing."""
    mail = ports.repository.get(Mail, mail_id=event.mail_id)
    if mail is None:
        return "not_ours"
    # Any event means that the mail was sent.
    mark_mail_sent(ports, event.mail_id, event.provider_id)
    if event.kind == "bounced":
        return _bounced(ports, mail)
    if event.kind == "complained":
        return _complained(ports, mail.mail_id)
    return "sent"


@retry_on_conflict
def _bounced(ports: Ports, mail: Mail) -> str:
    invitation = invitation_in(ports, mail)
    if invitation is None or not is_answerable(invitation, ports.clock()):
        return "bounced_already" if invitation else "bounced"
    closed = close_invitation(ports, invitation, InvitationState.BOUNCED)
    bounced = mail_fact(ports, mail, InvitationBounced.of(invitation, mail))
    ports.repository.commit(*closed, facts=[bounced])
    return "bounced"


@retry_on_conflict
def _complained(ports: Ports, mail_id: str) -> str:
    mail = ports.repository.get(Mail, mail_id=mail_id)
    if mail is None or mail.complained_at:
        return "complained_already"
    now = ports.clock()
    changes: list[Change] = [Replace(mails.complained(mail, now))]
    if mail.digests:
        campaign = current_campaign(ports, mail.campaign)
        changes += new_oppositions(ports, campaign, mail.digests.values)
    facts = [mail_fact(ports, mail, MailComplained.of(mail))]
    invitation = invitation_in(ports, mail)
    if invitation and is_answerable(invitation, now):
        changes += close_invitation(ports, invitation, InvitationState.DECLINED)
        facts.append(mail_fact(ports, mail, InvitationDeclined.of(invitation, mail.mail_id)))
    ports.repository.commit(*changes, facts=facts)
    return "complained"
