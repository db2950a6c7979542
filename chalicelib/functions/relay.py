"""Behind the stream: facts to the queues of the work they trigger."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.domain.facts import Fact
from chalicelib.invocations import BatchAnswer, Event, each_of_stream
from chalicelib.services.operations.relay import relay as relay_facts


def relay(event: Event, *_: object) -> BatchAnswer:
    """Facts to the queues of the work they trigger."""

    def work(facts: list[Fact]) -> None:
        relay_facts(bootstrap.ports(), facts)

    return each_of_stream(event, work)
