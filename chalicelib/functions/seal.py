"""By schedule: what is counted becomes files of the journal."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.invocations import scheduled
from chalicelib.observability import count, failed, log, warn
from chalicelib.services.operations.seal import seal as seal_journal


def seal(*_: object) -> None:
    """What is counted becomes files of the journal."""

    def run() -> None:
        sealed = seal_journal(bootstrap.ports())
        log("sealed", correlation=None, parts=sealed.parts, lines=sealed.lines)
        for digest in sealed.altered:
            warn("bundle missing or altered", bundle=digest)
        for part, error in sealed.unreadable.items():
            failed(error, "part unreadable", correlation=None, part=part)
        for campaign, error in sealed.failed.items():
            failed(error, "campaign failed", correlation=campaign)
        left = len(sealed.altered) + len(sealed.unreadable) + len(sealed.failed)
        count("NotHandled", left)

    scheduled("seal", run)
