"""Behind the stream: facts to counts, journal and metrics."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.fact_metrics import count_facts
from chalicelib.invocations import BatchAnswer, Event, each_of_stream
from chalicelib.services.operations.project import project as project_facts


def project(event: Event, *_: object) -> BatchAnswer:
    """Facts to counts, journal and metrics."""

    return each_of_stream(event, lambda facts: count_facts(project_facts(bootstrap.ports(), facts)))
