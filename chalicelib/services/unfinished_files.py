"""Large files whose receipt is not written yet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.files.parts import FileInParts, is_to_be_queued, part_at, staged_in
from chalicelib.services.isolation import Isolation
from chalicelib.services.ports import Agenda, ConflictError, PartOfFile, Ports, Replace

FINISHED_AFTER = timedelta(minutes=15)
UNFINISHED_AFTER = timedelta(hours=3)


def find_unfinished(ports: Ports, isolation: Isolation) -> int:
    """How many files have waited too long for their receipt. Where no part is left to be handled,
    one is queued again, because the worker that writes the receipt may have been killed; of a file
    that has waited too long, all that are left, once a day, because their messages may be lost.
    """
    now = ports.clock()
    unfinished = 0
    for file in ports.repository.agenda(
        FileInParts, Agenda.FILES, until=now - FINISHED_AFTER, on_failure=isolation.note
    ):
        is_unfinished = file.received_at <= now - UNFINISHED_AFTER
        with isolation.of(FileInParts.__name__, file.file_id):
            left = [part_at(path) for path in ports.files.paths(staged_in(file))]
            if not left:
                _queue(ports, file, [1])
            elif is_unfinished and is_to_be_queued(file, now):
                _queue(ports, file, left)
                # After that: if this run is killed in between, the next one queues them again.
                with suppress(ConflictError):  # a worker has noted that it is finished
                    ports.repository.commit(Replace(replace(file, queued_at=now)))
            unfinished += is_unfinished
    return unfinished


def _queue(ports: Ports, file: FileInParts, parts: Sequence[int]) -> None:
    ports.queues.put_parts([PartOfFile(file.campaign, file.file_id, part) for part in parts])
