"""Writing voucher files: every voucher in exactly one export, and an export never changes (law 5).

    open ── part, part, … ── sealed ── file and manifest written ── written

A part is one transaction: its rows, their vouchers (each at the revision read, and not yet in an
export), the export's counters, and the fact. The file is made from the stored parts alone, so every
attempt writes the same bytes, and only if there is no file yet. After a kill at any point, the next
run continues where this one stopped. Only one number is open at a time: the next one is opened
after it is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import (
    Export,
    ExportPart,
    ExportSequence,
    ExportState,
    export_name,
    export_path,
    next_export,
    next_part,
    sealed,
    written,
)
from chalicelib.domain.fact_bodies import ExportWritten, VouchersExported
from chalicelib.domain.files.exports import manifest_json, voucher_file
from chalicelib.domain.vouchers import Voucher, exported
from chalicelib.services.facts import export_fact
from chalicelib.services.ports import Agenda, Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

PART_ROWS = 90  # with the part, the export and the fact, below the 100 items of a transaction


def export_vouchers(ports: Ports, campaign: Campaign) -> Export | None:
    """Complete the campaign's open export, or open one if vouchers wait; returns the written
    export, or None.
    """
    export = _open(ports, campaign)
    if export is None:
        return None
    while export.state is ExportState.OPEN:
        rows_before = export.rows
        export = _add_part(ports, campaign, export.number)
        if export.rows == rows_before:
            if not export.rows:
                return None
            export = _seal(ports, campaign, export.number)
    return _write(ports, campaign, export.number)


@retry_on_conflict
def _open(ports: Ports, campaign: Campaign) -> Export | None:
    sequence = ports.repository.get(ExportSequence, campaign=campaign.id)
    if sequence:
        current = _current(ports, campaign, sequence.number)
        if current.state is not ExportState.WRITTEN:
            return current
    if next(_waiting(ports, campaign), None) is None:
        return None
    numbered, opened = next_export(sequence, campaign.id, ports.clock())
    counter: Change = Replace(numbered) if sequence else Insert(numbered)
    ports.repository.commit(counter, Insert(opened))
    return opened


def _current(ports: Ports, campaign: Campaign, number: int) -> Export:
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export is None:
        raise LookupError(f"export {number} of {campaign.id} was opened but is not there")
    return export


def _waiting(ports: Ports, campaign: Campaign) -> Iterator[Voucher]:
    """Vouchers in no export yet. The agenda may lag, so each is read again by its key."""
    for entry in ports.repository.agenda(Voucher, Agenda.UNEXPORTED, campaign.id):
        voucher = ports.repository.get(Voucher, code_key=entry.code_key)
        if voucher and voucher.export is None:
            yield voucher


@retry_on_conflict
def _add_part(ports: Ports, campaign: Campaign, number: int) -> Export:
    export = _current(ports, campaign, number)
    vouchers = list(islice(_waiting(ports, campaign), PART_ROWS))
    if export.state is not ExportState.OPEN or not vouchers:
        return export
    grown, part = next_part(export, vouchers)
    moved = [Replace(exported(voucher, number)) for voucher in vouchers]
    body = VouchersExported(export=number, count=len(vouchers))
    ports.repository.commit(
        Insert(part), Replace(grown), *moved, facts=[export_fact(ports, export, body)]
    )
    return grown


@retry_on_conflict
def _seal(ports: Ports, campaign: Campaign, number: int) -> Export:
    export = _current(ports, campaign, number)
    if export.state is not ExportState.OPEN:
        return export
    closed = sealed(export, ports.clock())
    ports.repository.commit(Replace(closed))
    return closed


@retry_on_conflict
def _write(ports: Ports, campaign: Campaign, number: int) -> Export:
    export = _current(ports, campaign, number)
    if export.state is ExportState.WRITTEN or export.sealed_at is None:
        return export
    parts = list(ports.repository.within(ExportPart, campaign=campaign.id, number=number))
    content = voucher_file(parts)
    manifest = manifest_json(
        export=export_name(number),
        parts=parts,
        content=content,
        generated_at=export.sealed_at,
    )
    path = export_path(campaign.id, number)
    ports.files.write_once(f"{path}.csv.gz", content, content_type="application/gzip")
    ports.files.write_once(f"{path}.manifest.json", manifest, content_type="application/json")
    done = written(export, hashlib.sha256(content).hexdigest(), ports.clock())
    fact = export_fact(ports, export, ExportWritten(export=number, count=export.rows))
    ports.repository.commit(Replace(done), facts=[fact])
    return done
