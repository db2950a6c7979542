"""Mails that were leased, or asked for again, and of which nothing has been heard since.

One that must arrive is queued again, by the fact that it follows from; the guards of `send_mail`
make a repeat harmless. An invitation is not sent twice (law 2): it waits for an event of SES. After
a day each is given up. `reconcile` hands them out, `due` works on them one by one.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain import mails
from chalicelib.domain.mails import AT_MOST_ONCE, UNSETTLED, Mail, MailProblem
from chalicelib.services.mail_causes import causes_of
from chalicelib.services.moves import mark_mail_failed
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Key, Ports

LEASED_AFTER = timedelta(minutes=15)


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
    # Of several facts one is enough; an invitation is not sent again.
    causes = [] if mail.mail_kind in AT_MOST_ONCE else causes_of(ports, mail)[:1]
    relay(ports, causes)
    return bool(causes)
