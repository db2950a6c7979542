"""Behind the queue of what is due: stretches of agendas."""

from __future__ import annotations

from chalicelib import bootstrap, events
from chalicelib.invocations import BatchAnswer, Event, each_message, not_handled
from chalicelib.observability import log
from chalicelib.services.operations.due import work_off


def due(event: Event, *_: object) -> BatchAnswer:
    """Stretches of agendas: closed invitations, expired vouchers, kept orders, undecided
    invitations to be queued again, referrals to re-key.
    """

    def work(message: events.Message) -> None:
        stretch = events.stretch_in(message.body)
        done = work_off(bootstrap.ports(), stretch, not_handled)
        log("worked off", correlation=None, agenda=stretch.agenda, scope=stretch.scope, **done)

    return each_message(event, work, "due")
