"""Behind the queue of what SES says about our mails."""

from __future__ import annotations

from chalicelib import bootstrap, events
from chalicelib.invocations import BatchAnswer, Event, each_message
from chalicelib.observability import log
from chalicelib.services.mails.ses_events import settle_mail


def mail_events(event: Event, *_: object) -> BatchAnswer:
    """Events of SES about our mails."""

    def work(message: events.Message) -> None:
        mail_event = events.mail_event_in(message.body)
        if mail_event is None:
            return
        outcome = settle_mail(bootstrap.ports(), mail_event)
        log("mail event", mail=mail_event.mail_id, event=mail_event.kind, outcome=outcome)

    return each_message(event, work, "mail_events")
