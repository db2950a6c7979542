"""Behind the stream: facts to the queues of the work they trigger."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.invocations import BatchAnswer, Event, each_of_stream
from chalicelib.observability import count
from chalicelib.services.operations.relay import relay as relay_facts


def relay(event: Event, *_: object) -> BatchAnswer:
    """Facts to the queues of the work they trigger."""

    return each_of_stream(
        event, lambda facts: count("FactRelayed", relay_facts(bootstrap.ports(), facts))
    )
