"""Mails that were leased, or asked for again, and of which nothing has been heard since.

One that must arrive is queued again, by the fact that it follows from; the guards of `send_mail`
make a repeat harmless. An invitation is not sent twice (law 2): it waits for an event of SES. After
a day each is given up. `reconcile` hands them out, `due` works on them one by one.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain import mails
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.mails import UNSETTLED, Mail, MailProblem
from chalicelib.services.facts import facts_around
from chalicelib.services.moves import mark_mail_failed
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Key, Ports

LEASED_AFTER = timedelta(minutes=15)
_MAIL_QUEUES = {Queue.MAIL, Queue.REQUESTED_MAIL}


def settle_overdue(ports: Ports, key: Key[Mail]) -> bool:
    """Give an overdue mail up, or queue it again; False when there is nothing to do."""
    mail = ports.repository.read(key).get(key)
    if mail is None or mail.state not in UNSETTLED:
        return False
    if mail.leased_at > ports.clock() - LEASED_AFTER:
        return False
    if mails.is_overdue(mail, ports.clock()):
        mark_mail_failed(ports, mail.mail_id, MailProblem.UNCONFIRMED, MailProblem.UNCONFIRMED)
        return True
    causes = _causes(ports, mail)
    relay(ports, causes)
    return bool(causes)


def _causes(ports: Ports, mail: Mail) -> list[Fact]:
    """The fact that a mail follows from; none for an invitation, which is not sent again."""
    # The facts of a sign-in are stored under its contact, those of a voucher under the voucher.
    subject = mail.ids.get("voucher", mail.contact_id)
    # A mail without the time was leased by 0.2.0: its fact is found whatever the hours.
    facts = facts_around(ports, subject, mail.caused_at or mail.leased_at)
    return [fact for fact in facts if _MAIL_QUEUES.intersection(queues_of(fact))][:1]
