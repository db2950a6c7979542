"""Files of changes: every change in exactly one, in the order of its voucher (law 5).

A part takes its changes out of the table. How numbered files are written is in `numbered_files.py`.

A change waits until the export of its voucher is written, because the client must know a code
before it reads what became of it. It holds up no change of another voucher. A run reads twice what
waits, however many parts it writes and however many changes wait for their export.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import (
    ChangesFile,
    ChangesPart,
    ChangesSequence,
    changes_path,
    changes_subject,
    next_changes_part,
)
from chalicelib.domain.exports import Export, ExportSequence, ExportState, export_name
from chalicelib.domain.fact_bodies import ChangesWritten
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.changes import changes_file, changes_manifest
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import BATCH_LIMIT, Insert, Ports, Remove
from chalicelib.services.vouchers.numbered_files import Part, Series

FILE_ROWS = 50_000  # written in one piece from memory; more wait for the next run


def write_changes(ports: Ports, campaign: Campaign) -> ChangesFile | None:
    """Complete the campaign's open file of changes, or open one if changes can be written; returns
    the written file, or None.
    """
    return _Changes(ports, campaign.id).write_next()


class _Changes(Series[ChangesFile, ChangesPart]):
    """The files of changes of a campaign."""

    file_kind = ChangesFile
    part_kind = ChangesPart
    sequence_kind = ChangesSequence
    most_rows = FILE_ROWS

    def __init__(self, ports: Ports, campaign_id: str) -> None:
        super().__init__(ports, campaign_id)
        # What this run writes, in parts; None: to be read.
        self._parts: deque[list[VoucherChange]] | None = None
        self._later_parts: deque[list[VoucherChange]] = deque()

    def is_waiting(self) -> bool:
        self._parts = self._read_parts()
        return bool(self._parts)

    def _read_parts(self) -> deque[list[VoucherChange]]:
        ready = _ready(self.ports, self.campaign_id, self.most_rows)
        starts = range(0, len(ready), self.part_rows)
        return deque(ready[start : start + self.part_rows] for start in starts)

    def next_part(self, file: ChangesFile) -> Part[ChangesFile] | None:
        parts = self._read_parts() if self._parts is None else self._parts
        # If the part meets another run, which may have written some of them, they are read again.
        self._parts = None
        if not parts:
            return None
        changes = parts.popleft()
        self._later_parts = parts
        grown, part = next_changes_part(file, changes)
        return Part(grown, [Insert(part), *map(Remove, changes)])

    def part_added(self) -> None:
        self._parts = self._later_parts

    def content(self, parts: Sequence[ChangesPart]) -> bytes:
        return changes_file(parts)

    def manifest(
        self, file: ChangesFile, parts: Sequence[ChangesPart], content: bytes, sealed_at: datetime
    ) -> bytes:
        name = export_name(file.number)
        return changes_manifest(number=name, parts=parts, content=content, generated_at=sealed_at)

    def path(self, number: int) -> str:
        return changes_path(self.campaign_id, number)

    def written_fact(self, file: ChangesFile) -> Fact:
        subject = changes_subject(file)
        body = ChangesWritten(number=file.number, count=file.rows)
        return new_fact(
            self.ports, body, campaign=file.campaign, subject=subject, correlation=subject
        )


def _ready(ports: Ports, campaign_id: str, most: int | None) -> list[VoucherChange]:
    """The changes that can be written now, earliest first, at most `most`.

    They are read once, then once more: a change may be stored behind the place already read, and a
    later one of the same voucher before it. The later one must not overtake it, so none of that
    voucher is written now. Whatever is stored after that is later than what was found.
    """
    read: set[str] = set()
    ready = list(islice(_of_known_codes(ports, campaign_id, read), most))
    behind: set[str] = set()
    for change in ports.repository.within(VoucherChange, campaign=campaign_id) if ready else ():
        if change.position > ready[-1].position:
            break
        if change.position not in read:
            behind.add(change.code_key)
    return [change for change in ready if change.code_key not in behind]


def _of_known_codes(ports: Ports, campaign_id: str, read: set[str]) -> Iterator[VoucherChange]:
    """The waiting changes of vouchers whose export is written; adds what it passes to `read`."""
    last_written = _last_written_export(ports, campaign_id)
    waiting = ports.repository.within(VoucherChange, campaign=campaign_id)
    while batch := list(islice(waiting, BATCH_LIMIT)):
        read.update(change.position for change in batch)
        keys = [{"code_key": change.code_key} for change in batch]
        exported = {
            voucher.code_key
            for voucher in ports.repository.get_many(Voucher, keys)
            if voucher.export is not None and voucher.export <= last_written
        }
        yield from (change for change in batch if change.code_key in exported)


def _last_written_export(ports: Ports, campaign_id: str) -> int:
    """The number of the last export that is written: one is opened after the one before it."""
    sequence = ports.repository.get(ExportSequence, campaign=campaign_id)
    if sequence is None:
        return 0
    export = ports.repository.get(Export, campaign=campaign_id, number=sequence.number)
    is_written = export is not None and export.state is ExportState.WRITTEN
    return sequence.number if is_written else sequence.number - 1
