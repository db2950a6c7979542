"""By schedule: what each campaign's journal is, to a bucket of its own."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.invocations import isolated, scheduled
from chalicelib.observability import log
from chalicelib.services.operations.root import write_roots


def root(*_: object) -> None:
    """What each campaign's journal is, to where nobody who writes the journal can change it."""

    def run() -> None:
        with isolated() as isolation:
            for campaign in write_roots(bootstrap.ports(), isolation):
                log("root written", campaign=campaign)

    scheduled("root", run)
