"""Writing files of changes: every change in exactly one, in the order of its voucher (law 5).

    open ── part, part, … ── sealed ── file and manifest written ── written

A part is one transaction: its rows, the changes that leave the table, the file's counters. The file
is made from the stored parts alone, so every attempt writes the same bytes, and only if there is no
file yet. After a kill at any point, the next run continues where this one stopped.

A change waits until the export of its voucher is written, because the client must know a code
before it reads what became of it. It holds up no change of another voucher.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import (
    ChangesFile,
    ChangesPart,
    ChangesSequence,
    changes_path,
    changes_subject,
    next_changes_file,
    next_changes_part,
)
from chalicelib.domain.exports import (
    Export,
    ExportSequence,
    ExportState,
    export_name,
    sealed,
    written,
)
from chalicelib.domain.fact_bodies import ChangesWritten
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.changes import changes_file, changes_manifest
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import new_fact
from chalicelib.services.ports import (
    Change,
    ConflictError,
    Insert,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

PART_ROWS = 90  # with the part and the file, below the 100 items of a transaction
FILE_ROWS = 50_000  # written in one piece from memory; more wait for the next run


def write_changes(ports: Ports, campaign: Campaign) -> ChangesFile | None:
    """Complete the campaign's open file of changes, or open one if changes can be written; returns
    the written file, or None.
    """
    file = _open(ports, campaign)
    if file is None:
        return None
    while file.state is ExportState.OPEN:
        rows_before = file.rows
        file = _add_part(ports, campaign, file.number)
        if file.rows == rows_before or file.rows >= FILE_ROWS:
            if not file.rows:
                return None
            file = _seal(ports, campaign, file.number)
    return _write(ports, campaign, file.number)


@retry_on_conflict
def _open(ports: Ports, campaign: Campaign) -> ChangesFile | None:
    sequence = ports.repository.get(ChangesSequence, campaign=campaign.id)
    if sequence:
        current = _current(ports, campaign, sequence.number)
        if current.state is not ExportState.WRITTEN:
            return current
    if not _ready(ports, campaign):
        return None
    numbered, opened = next_changes_file(sequence, campaign.id, ports.clock())
    counter: Change = Replace(numbered) if sequence else Insert(numbered)
    ports.repository.commit(counter, Insert(opened))
    return opened


def _current(ports: Ports, campaign: Campaign, number: int) -> ChangesFile:
    file = ports.repository.get(ChangesFile, campaign=campaign.id, number=number)
    if file is None:
        raise LookupError(f"changes {number} of {campaign.id} were opened but are not there")
    return file


def _ready(ports: Ports, campaign: Campaign) -> list[VoucherChange]:
    """The changes that can be written now, earliest first, as many as fit in a part.

    `ConflictError` when a change was stored behind the place already read, and a later one of the
    same voucher after it: read in one go, the later one would overtake it.
    """
    read: set[str] = set()
    ready = list(islice(_of_known_codes(ports, campaign, read), PART_ROWS))
    if not ready:
        return ready
    vouchers = {change.code_key for change in ready}
    for change in ports.repository.within(VoucherChange, campaign=campaign.id):
        if change.position > ready[-1].position:
            break
        if change.position not in read and change.code_key in vouchers:
            raise ConflictError("a change was stored meanwhile")
    return ready


def _of_known_codes(ports: Ports, campaign: Campaign, read: set[str]) -> Iterator[VoucherChange]:
    """The waiting changes of vouchers whose export is written; adds what it passes to `read`."""
    last_written = _last_written_export(ports, campaign)
    waiting = ports.repository.within(VoucherChange, campaign=campaign.id)
    while batch := list(islice(waiting, PART_ROWS)):
        read.update(change.position for change in batch)
        keys = [{"code_key": change.code_key} for change in batch]
        exported = {
            voucher.code_key
            for voucher in ports.repository.get_many(Voucher, keys)
            if voucher.export is not None and voucher.export <= last_written
        }
        yield from (change for change in batch if change.code_key in exported)


def _last_written_export(ports: Ports, campaign: Campaign) -> int:
    """The number of the last export that is written: one is opened after the one before it."""
    sequence = ports.repository.get(ExportSequence, campaign=campaign.id)
    if sequence is None:
        return 0
    export = ports.repository.get(Export, campaign=campaign.id, number=sequence.number)
    is_written = export is not None and export.state is ExportState.WRITTEN
    return sequence.number if is_written else sequence.number - 1


@retry_on_conflict
def _add_part(ports: Ports, campaign: Campaign, number: int) -> ChangesFile:
    file = _current(ports, campaign, number)
    if file.state is not ExportState.OPEN:
        return file
    ready = _ready(ports, campaign)
    if not ready:
        return file
    grown, part = next_changes_part(file, ready)
    ports.repository.commit(Insert(part), Replace(grown), *map(Remove, ready))
    return grown


@retry_on_conflict
def _seal(ports: Ports, campaign: Campaign, number: int) -> ChangesFile:
    file = _current(ports, campaign, number)
    if file.state is not ExportState.OPEN:
        return file
    closed = sealed(file, ports.clock())
    ports.repository.commit(Replace(closed))
    return closed


@retry_on_conflict
def _write(ports: Ports, campaign: Campaign, number: int) -> ChangesFile:
    file = _current(ports, campaign, number)
    if file.state is ExportState.WRITTEN or file.sealed_at is None:
        return file
    parts = list(ports.repository.within(ChangesPart, campaign=campaign.id, number=number))
    content = changes_file(parts)
    manifest = changes_manifest(
        number=export_name(number), parts=parts, content=content, generated_at=file.sealed_at
    )
    path = changes_path(campaign.id, number)
    ports.files.write_once(f"{path}.csv.gz", content, content_type="application/gzip")
    ports.files.write_once(f"{path}.manifest.json", manifest, content_type="application/json")
    done = written(file, hashlib.sha256(content).hexdigest(), ports.clock())
    ports.repository.commit(Replace(done), facts=[_written_fact(ports, file)])
    return done


def _written_fact(ports: Ports, file: ChangesFile) -> Fact:
    subject = changes_subject(file)
    body = ChangesWritten(number=file.number, count=file.rows)
    return new_fact(ports, body, campaign=file.campaign, subject=subject, correlation=subject)
