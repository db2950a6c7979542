"""Large files whose receipt is not written yet."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.files.parts import FileInParts, staged_in
from chalicelib.services.isolation import Isolation
from chalicelib.services.ports import Agenda, PartOfFile, Ports

FINISHED_AFTER = timedelta(minutes=15)
UNFINISHED_AFTER = timedelta(hours=3)


def find_unfinished(ports: Ports, isolation: Isolation) -> int:
    """How many files have waited too long for their receipt. Where no part is left to be handled,
    one is queued again, because the worker that writes the receipt may have been killed.
    """
    now = ports.clock()
    unfinished = 0
    for file in ports.repository.agenda(
        FileInParts, Agenda.FILES, until=now - FINISHED_AFTER, on_failure=isolation.note
    ):
        with isolation.of(FileInParts.__name__, file.file_id):
            if not ports.files.paths(staged_in(file)):
                ports.queues.put_parts([PartOfFile(file.campaign, file.file_id, 1)])
            unfinished += file.received_at <= now - UNFINISHED_AFTER
    return unfinished
