"""What the sender tells afterwards: it took the mail, it bounced, somebody complained.

These events settle a send that was not answered: a mail that is still leased has left after all. A
bounced invitation is over and its address erased; a complaint counts as an opposition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.domain.eligibility import all_digests
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState, ended, is_answerable
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Opposition
from chalicelib.services.facts import mail_fact
from chalicelib.services.lookups import current_campaign
from chalicelib.services.mails.send import invitation_of, mark_sent
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace
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
    # Whatever the event says, the mail has left.
    mark_sent(ports, event.mail_id, event.provider_id)
    if event.kind == "bounced":
        return _bounced(ports, mail)
    if event.kind == "complained":
        return _complained(ports, mail)
    return "sent"


@retry_on_conflict
def _bounced(ports: Ports, mail: Mail) -> str:
    invitation = invitation_of(ports, mail)
    if invitation is None or not is_answerable(invitation, ports.clock()):
        return "bounced_already" if invitation else "bounced"
    bounced = mail_fact(ports, FactName.INVITATION_BOUNCED, mail)
    ports.repository.commit(*_over(ports, invitation, InvitationState.BOUNCED), facts=[bounced])
    return "bounced"


@retry_on_conflict
def _complained(ports: Ports, told: Mail) -> str:
    mail = ports.repository.get(Mail, mail_id=told.mail_id)
    if mail is None or mail.complained_at:
        return "complained_already"
    now = ports.clock()
    brand = current_campaign(ports, mail.campaign).brand.id
    changes: list[Change] = [Replace(replace(mail, complained_at=now))]
    changes += [
        Insert(Opposition(brand=brand, digest=digest, recorded_at=now))
        for digest in (all_digests(mail.digests) if mail.digests else ())
        if ports.repository.get(Opposition, brand=brand, digest=digest) is None
    ]
    facts = [mail_fact(ports, FactName.MAIL_COMPLAINED, mail)]
    invitation = invitation_of(ports, mail)
    if invitation and is_answerable(invitation, now):
        changes += _over(ports, invitation, InvitationState.DECLINED)
        facts.append(mail_fact(ports, FactName.INVITATION_DECLINED, mail))
    ports.repository.commit(*changes, facts=facts)
    return "complained"


def _over(ports: Ports, invitation: Invitation, state: InvitationState) -> list[Change]:
    contact = ports.repository.get(Contact, contact_id=invitation.contact_id)
    over = Replace(ended(invitation, state, ports.clock()))
    return [over, Remove(contact)] if contact else [over]
