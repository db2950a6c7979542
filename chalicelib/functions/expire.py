"""By schedule: what is due by now goes to the queue of `due`."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.invocations import scheduled
from chalicelib.observability import log
from chalicelib.services.operations.expire import expire as hand_out_due


def expire(*_: object) -> None:
    """What is due by now, into the queue of `due`."""

    def run() -> None:
        log("handed out", messages=hand_out_due(bootstrap.ports()))

    scheduled("expire", run)
