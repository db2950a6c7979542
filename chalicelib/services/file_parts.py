"""Large files in parts: each a message, handled by itself, and one receipt of them all.

    hand_out    the file has been read to its end: its parts are staged, then it is recorded, then a
                message is sent for each part
    work_off    a part is handled; what it came to is stored, and it is no longer staged
    finish      when no part is staged any more: the receipt, made of the stored results

A part may come twice, late, or in any order: its result is stored once, rows are guarded by their
own keys, and what is staged says what is left, so the worker of the last part writes the receipt.
Where somebody was killed, the same message does the rest; `reconcile` queues one again where none
is left, and parts that wait for long (`unfinished_files.py`). A row that cannot be handled stops no
other: the part keeps what was done, and the next delivery tries that row alone. Nothing with a
plain address is staged: such rows are refused when the file is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from chalicelib.domain.files.consents import consent_of
from chalicelib.domain.files.orders import order_of
from chalicelib.domain.files.own_codes import duplicates
from chalicelib.domain.files.parts import (
    READING,
    Area,
    FileInParts,
    HandledPart,
    part_at,
    result_of,
    staged_content,
    staged_in,
    staged_path,
    staged_rows,
    tally_of,
)
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.files.receipt import Receipt, processed_receipt
from chalicelib.services.consents.ingest_consents import consent_work
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.isolation import Isolation
from chalicelib.services.lookups import current_campaign
from chalicelib.services.orders.record_many import order_work
from chalicelib.services.ports import ConflictError, Insert, OnFailure, PartOfFile, Ports, Replace
from chalicelib.services.receipts import write_receipt
from chalicelib.services.row_groups import Parts
from chalicelib.services.row_work import RowWork
from chalicelib.services.vouchers.acknowledge import ack_work, answers_of, close_export
from chalicelib.services.vouchers.ingest_codes import code_work
from chalicelib.services.watch import note_orders

# Of a function's fifteen minutes; what is left then has a message of its own.
WORKED_FOR = timedelta(minutes=9)
FAILING_AT_ONCE = 10  # then it is probably not the rows: the rest is left to the next delivery


Numbered = tuple[int, Any]
WorkOn = Callable[[Sequence[Numbered], Tally], Iterator[RowWork]]


class PartLeftError(RetryLaterError):
    """Some rows of a part could not be handled; those that could be are not tried again."""


# --- handing out --------------------------------------------------------------------------------


def hand_out(ports: Ports, file: FileInParts, tally: Tally, parts: Parts) -> FileInParts:
    """Record a file and queue its parts; once it is recorded, only those that are still staged.

    `tally` is what reading it came to. Parts are staged where nobody else stages any, and the
    record says where: of two workers, the parts of one are handled.
    """
    recorded = _recorded(ports, file) or _stage(ports, file, tally, parts)
    staged = ports.files.paths(staged_in(recorded))
    ports.queues.put_parts(
        [PartOfFile(recorded.campaign, recorded.file_id, part_at(path)) for path in staged]
    )
    return recorded


def _recorded(ports: Ports, file: FileInParts) -> FileInParts | None:
    return ports.repository.get(FileInParts, campaign=file.campaign, file_id=file.file_id)


def _stage(ports: Ports, file: FileInParts, tally: Tally, parts: Parts) -> FileInParts:
    file = replace(file, folder=ports.codes.identifier(), parts=0)
    for rows in parts:
        file = replace(file, parts=file.parts + 1)
        path = staged_path(file, file.parts)
        ports.files.write(path, staged_content(rows), content_type="application/gzip")
    try:
        ports.repository.commit(Insert(file), Insert(result_of(file, READING, tally)))
    except ConflictError:
        for path in ports.files.paths(staged_in(file)):
            ports.files.remove(path)
        recorded = _recorded(ports, file)
        if recorded is None:
            raise
        return recorded
    return file


# --- one part -----------------------------------------------------------------------------------


def work_off(ports: Ports, part: PartOfFile, on_failure: OnFailure) -> Receipt | None:
    """Handle a part, or what is left of it; returns the receipt if it was the last one.

    `PartLeftError` when rows are left that could not be handled.
    """
    file = ports.repository.get(FileInParts, campaign=part.campaign, file_id=part.file_id)
    if file is None:
        return None  # its receipt was written long ago
    isolation = Isolation(on_failure)
    handled = _Work(ports, file, part, isolation).done_after(_handled(ports, part))
    if isolation.failed or isolation.left:
        # Rows that fail are named one by one; others only met somebody at the same thing.
        raise PartLeftError(WaitsFor.ROWS if isolation.failed else WaitsFor.OTHER_WORK)
    if not handled.is_complete:
        ports.queues.put_parts([part])
        return None
    ports.files.remove(staged_path(file, part.part))
    return finish(ports, file)


def _handled(ports: Ports, part: PartOfFile) -> HandledPart | None:
    return ports.repository.get(
        HandledPart, campaign=part.campaign, file_id=part.file_id, part=part.part
    )


@dataclass
class _Work:
    """The work on one part, as far as it goes in one delivery."""

    ports: Ports
    file: FileInParts
    part: PartOfFile
    isolation: Isolation

    def done_after(self, before: HandledPart | None) -> HandledPart:
        """What the part has come to, stored; `before` is what earlier deliveries came to."""
        try:
            content = b"".join(self.ports.files.read(staged_path(self.file, self.part.part)))
        except FileMissingError:
            return self._of_another_worker()
        rows, work_on = _work_on(self.ports, self.file, staged_rows(content))
        tally = tally_of(before) if before else Tally()
        position, left = self._done(rows, work_on, tally, before)
        result = result_of(
            self.file,
            self.part.part,
            tally,
            position=position,
            left=tuple(left),
            is_complete=position == len(rows) and not left,
        )
        stored = Replace(replace(result, revision=before.revision)) if before else Insert(result)
        try:
            self.ports.repository.commit(stored)
        except ConflictError:
            return self._of_another_worker()
        return result

    def _of_another_worker(self) -> HandledPart:
        """What another worker has stored for the part meanwhile."""
        handled = _handled(self.ports, self.part)
        if handled is None or not handled.is_complete:
            raise PartLeftError(WaitsFor.OTHER_WORK)
        return handled

    def _done(
        self, rows: Sequence[Numbered], work_on: WorkOn, tally: Tally, before: HandledPart | None
    ) -> tuple[int, list[int]]:
        """Do what is left before anything new; up to where it went, and the lines left before."""
        position = before.position if before else 0
        lines = frozenset(before.left if before else ())
        again = [row for row in rows[:position] if row[0] in lines]
        until = self.ports.clock() + WORKED_FOR
        left: list[int] = []
        held: set[str] = set()
        tried = failed = 0
        with self.isolation.of("part", f"{self.file.file_id}:{self.part.part}"):
            for work in work_on([*again, *rows[position:]], tally):
                if failed >= FAILING_AT_ONCE or self.ports.clock() >= until:
                    break
                # Later rows of an order wait for those that are left.
                if work.owner in held or not self._is_done(work):
                    failed += work.owner not in held and tried >= len(again)
                    held.add(work.owner)
                    left.append(work.line)
                tried += 1
        left += [line for line, _ in again[tried:]]
        return position + max(0, tried - len(again)), left

    def _is_done(self, work: RowWork) -> bool:
        before = self.isolation.failed + self.isolation.left
        with self.isolation.of("row", f"{self.file.file_id}:{work.line}"):
            work.do()
        return self.isolation.failed + self.isolation.left == before


def _work_on(
    ports: Ports, file: FileInParts, staged: Sequence[Any]
) -> tuple[list[Numbered], WorkOn]:
    """The numbered rows of a part, and what is done with some of them."""
    campaign = current_campaign(ports, file.campaign)
    match file.area:
        case Area.ORDERS:
            return list(map(order_of, staged)), partial(order_work, ports, campaign)
        case Area.CODES:
            codes = [(line, code) for line, code in staged]
            return codes, partial(code_work, ports, campaign, file.about, duplicates(codes))
        case Area.ACKS:
            answers = answers_of(ports, campaign, int(file.about), staged)
            return answers, partial(ack_work, ports, campaign)
        case Area.CONSENTS:
            return list(map(consent_of, staged)), partial(consent_work, ports, campaign)


# --- the whole file -----------------------------------------------------------------------------


def finish(ports: Ports, file: FileInParts) -> Receipt | None:
    """Write the receipt, and do what follows from the whole file; None while some of it is left.

    The worker that removes the last staged part sees that none is left. Two may see it: both write
    the same.
    """
    if file.finished_at or ports.files.paths(staged_in(file)):
        return None
    tally = _whole(ports, file)
    if tally is None:
        return None
    receipt = processed_receipt(
        tally,
        file=file.file,
        dropped_at=file.dropped_at,
        received_at=file.received_at,
        sha256=file.sha256,
        quarantined=file.quarantined,
        name_withheld=file.name_withheld,
    )
    if file.area is Area.ACKS:
        close_export(ports, file.campaign, int(file.about))
    if file.area is Area.ORDERS and receipt.status != "refused":
        note_orders(ports, file.campaign, file.dropped_at)
    write_receipt(ports.files, file.campaign, receipt)
    with suppress(ConflictError):  # another worker has noted it, or `reconcile` does, in an hour
        ports.repository.commit(Replace(replace(file, finished_at=ports.clock())))
    return receipt


def _whole(ports: Ports, file: FileInParts) -> Tally | None:
    """What the whole file came to; None while a result is missing."""
    tally = Tally()
    complete = 0
    results = ports.repository.within(HandledPart, campaign=file.campaign, file_id=file.file_id)
    for result in results:
        tally.add(tally_of(result))
        complete += result.is_complete
    return tally if complete == file.parts + 1 else None
