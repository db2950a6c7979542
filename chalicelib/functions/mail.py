"""Behind the queues of mails."""

from __future__ import annotations

from dataclasses import replace

from chalicelib import bootstrap
from chalicelib.domain.effects import Queue, queues_of
from chalicelib.domain.facts import Fact
from chalicelib.invocations import BatchAnswer, Event, each_fact
from chalicelib.pace import NotingMailer, at_least
from chalicelib.services.mails.send import send_mail


def mail(event: Event, *_: object) -> BatchAnswer:
    """Mails, one per message."""

    def work(fact: Fact) -> str:
        ports = bootstrap.ports()
        # By the fact, not by the queue: an earlier version may have put it into the other one.
        if Queue.REQUESTED_MAIL in queues_of(fact):
            return send_mail(ports, bootstrap.sender(), fact)
        # What does not get to the sender, such as a repeat, needs no turn.
        mailer = NotingMailer(ports.mailer)
        with at_least(bootstrap.seconds_for_a_mail(), when=lambda: mailer.was_asked):
            return send_mail(replace(ports, mailer=mailer), bootstrap.sender(), fact)

    return each_fact(event, "mailed", work, "mail")
