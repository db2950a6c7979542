"""Files of changes: every change in exactly one, in the order of its voucher (law 5).

A part takes its changes out of the table. How numbered files are written is in `numbered_files.py`.

A change waits until the export of its voucher is written, because the client must know a code
before it reads what became of it. It holds up no change of another voucher. For each file what
waits is read twice, however many parts the file has and however many changes wait for their export.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind, VoucherChange
from chalicelib.domain.changes_files import (
    CHANGE_COLUMNS,
    ChangesFile,
    ChangesPart,
    ChangesSequence,
    changes_path,
    changes_subject,
    next_changes_part,
)
from chalicelib.domain.exports import Export, ExportSequence, ExportState
from chalicelib.domain.fact_bodies import ChangesWritten
from chalicelib.domain.facts import Fact
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import new_fact
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.numbered_files import FILE_ROWS, WaitingSeries
from chalicelib.services.ports import BATCH_LIMIT, Failure, OnFailure, Ports
from chalicelib.services.waiting_changes import waiting_changes


def write_changes(
    ports: Ports,
    campaign: Campaign,
    on_failure: OnFailure = raised,
    *,
    until: datetime | None = None,
    file_rows: int = FILE_ROWS,
) -> list[ChangesFile]:
    """Complete the campaign's open file of changes, then write others of at most `file_rows`
    changes, until none can be written or it is `until`; returns the written files.

    A change that cannot be read, or whose voucher cannot, goes to `on_failure` and stays behind.
    """
    changes = _Changes(ports, campaign.id, file_rows, Isolation(on_failure))
    return changes.write_all(until)


class _Changes(WaitingSeries[ChangesFile, ChangesPart, VoucherChange]):
    """The files of changes of a campaign."""

    file_kind = ChangesFile
    part_kind = ChangesPart
    sequence_kind = ChangesSequence
    waiting_kind = VoucherChange
    columns = CHANGE_COLUMNS
    kind_column = "change"
    kinds = ChangeKind
    counted_as = "changes"

    def ready(self) -> Iterable[VoucherChange]:
        return _ready(self.ports, self.campaign_id, self.file_rows, self.isolation)

    def part_of(
        self, file: ChangesFile, waiting: Sequence[VoucherChange]
    ) -> tuple[ChangesFile, ChangesPart]:
        return next_changes_part(file, waiting)

    def path(self, number: int) -> str:
        return changes_path(self.campaign_id, number)

    def written_fact(self, file: ChangesFile) -> Fact:
        subject = changes_subject(file)
        body = ChangesWritten(number=file.number, count=file.rows)
        return new_fact(
            self.ports, body, campaign=file.campaign, subject=subject, correlation=subject
        )


def _ready(ports: Ports, campaign_id: str, most: int, isolation: Isolation) -> list[VoucherChange]:
    """The changes that can be written now, earliest first, at most `most`.

    They are read once, then once more: a change may be stored behind the place already read, and a
    later one of the same voucher before it. The later one must not overtake it, so none of that
    voucher is written now. Whatever is stored after that is later than what was found. Nor is any
    of a voucher with a change that cannot be read.
    """
    read: set[str] = set()
    unread: set[str] = set()

    def note(failure: Failure) -> None:
        unread.add(failure.name)
        isolation.note(failure)

    found = waiting_changes(ports, campaign_id, note)
    ready = list(islice(_of_known_codes(ports, campaign_id, found, read, isolation), most))
    behind: set[str] = set()
    for change in waiting_changes(ports, campaign_id, note) if ready else ():
        if change.position > ready[-1].position:
            break
        if change.position not in read:
            behind.add(change.code_key)
    return [
        change
        for change in ready
        if change.code_key not in behind and change.voucher_id not in unread
    ]


def _of_known_codes(
    ports: Ports,
    campaign_id: str,
    waiting: Iterator[VoucherChange],
    read: set[str],
    isolation: Isolation,
) -> Iterator[VoucherChange]:
    """The waiting changes of vouchers whose export is written; adds what it passes to `read`."""
    last_written = _last_written_export(ports, campaign_id)
    while batch := list(islice(waiting, BATCH_LIMIT)):
        read.update(change.position for change in batch)
        exported = {
            voucher.code_key
            for voucher in _vouchers_of(ports, batch, isolation)
            if voucher.export is not None and voucher.export <= last_written
        }
        yield from (change for change in batch if change.code_key in exported)


def _vouchers_of(
    ports: Ports, changes: Sequence[VoucherChange], isolation: Isolation
) -> list[Voucher]:
    """The vouchers of these changes that can be read."""
    keys = [{"code_key": change.code_key} for change in changes]
    try:
        return ports.repository.get_many(Voucher, keys)
    except Exception:  # one of them cannot be read: each by itself
        found: list[Voucher] = []
        for change in changes:
            with isolation.of(Voucher.__name__, change.voucher_id):
                found += ports.repository.get_many(Voucher, [{"code_key": change.code_key}])
        return found


def _last_written_export(ports: Ports, campaign_id: str) -> int:
    """The number of the last export that is written: one is opened after the one before it."""
    sequence = ports.repository.get(ExportSequence, campaign=campaign_id)
    if sequence is None:
        return 0
    export = ports.repository.get(Export, campaign=campaign_id, number=sequence.number)
    is_written = export is not None and export.state is ExportState.WRITTEN
    return sequence.number if is_written else sequence.number - 1
