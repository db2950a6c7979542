"""Voucher files: every voucher in exactly one export (law 5).

A part moves its vouchers into the export, each at the revision read and not yet in one, and writes
the fact. How numbered files are written is in `numbered_files.py`.

A run exports what was issued before it began, and reads the agenda once for all its exports. The
index may still list vouchers that are in an export already, for as long as it lags: each costs one
read by its key and is passed over, so a run reads n vouchers in n / 100 calls whatever the index
says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.layouts import ExportsLayout
from chalicelib.domain.exports import (
    Export,
    ExportPart,
    ExportSequence,
    export_name,
    export_path,
    next_part,
)
from chalicelib.domain.fact_bodies import ExportWritten, VouchersExported
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.exports import Sums, import_file, manifest_json, voucher_file
from chalicelib.domain.files.writing import Encrypted
from chalicelib.domain.vouchers import Voucher, exported
from chalicelib.services.encryption import OTHERS_ENDED_AFTER
from chalicelib.services.facts import export_fact
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.numbered_files import FILE_ROWS, Part, Series
from chalicelib.services.ports import Agenda, Insert, OnFailure, Ports, Replace
from chalicelib.services.written_files import stored_as, write_import


def export_vouchers(
    ports: Ports,
    campaign: Campaign,
    on_failure: OnFailure = raised,
    *,
    until: datetime | None = None,
    file_rows: int = FILE_ROWS,
) -> list[Export]:
    """Complete the campaign's open export, then write others of at most `file_rows` vouchers, until
    none waits that was issued by now, or it is `until`; returns the written exports.

    A voucher that cannot be exported goes to `on_failure` and stays behind.
    """
    layout = campaign.files.exports if campaign.files else None
    exports = _Exports(ports, campaign.id, file_rows, Isolation(on_failure), layout)
    return exports.write_all(until)


def is_left_unwritten(ports: Ports, export: Export) -> bool:
    """Whether nothing of a sealed export is in `out/`, and nobody is at it who has sealed it."""
    return (
        export.sealed_at is not None
        and ports.clock() >= export.sealed_at + OTHERS_ENDED_AFTER
        and not stored_as(ports.files, export_path(export.campaign, export.number))
    )


class _Exports(Series[Export, ExportPart]):
    """The exports of a campaign."""

    file_kind = Export
    part_kind = ExportPart
    sequence_kind = ExportSequence

    def __init__(
        self,
        ports: Ports,
        campaign_id: str,
        file_rows: int,
        isolation: Isolation,
        layout: ExportsLayout | None = None,
    ) -> None:
        super().__init__(ports, campaign_id, file_rows)
        self._layout = layout
        self._isolation = isolation
        self._agenda = ports.repository.agenda(
            Voucher,
            Agenda.UNEXPORTED,
            campaign_id,
            until=ports.clock(),
            on_failure=isolation.note,
        )
        # Of the file that was made last, for its manifest: parts are read once for both.
        self._sums = Sums()
        # Read, and in no part yet.
        self._read: deque[Voucher] = deque()
        # In the part that is not committed yet.
        self._tried: list[Voucher] = []

    def is_waiting(self) -> bool:
        self._read.extend(islice(self._agenda, 1))
        return bool(self._read)

    def next_part(self, file: Export, most: int) -> Part[Export] | None:
        self._read.extendleft(reversed(self._still_waiting()))
        self._tried = list(islice(self._exportable(file), most))
        if not self._tried:
            return None
        grown, part = next_part(file, self._tried)
        moved = [Replace(exported(voucher, file.number)) for voucher in self._tried]
        body = VouchersExported(export=file.number, count=len(moved))
        return Part(grown, [Insert(part), *moved], [export_fact(self.ports, file, body)])

    def part_added(self) -> None:
        self._tried = []

    def _still_waiting(self) -> Sequence[Voucher]:
        """Those of a part that met another commit which are in no export, as they are now."""
        keys = [{"code_key": voucher.code_key} for voucher in self._tried]
        found = self.ports.repository.get_many(Voucher, keys) if keys else ()
        now = {voucher.code_key: voucher for voucher in found if voucher.export is None}
        return [now[one.code_key] for one in self._tried if one.code_key in now]

    def _exportable(self, file: Export) -> Iterator[Voucher]:
        """Those of which a row can be made."""
        while self.is_waiting():
            voucher = self._read.popleft()
            row = None
            with self._isolation.of(Voucher.__name__, voucher.voucher_id):
                row = next_part(file, [voucher]), exported(voucher, file.number)
            if row:
                yield voucher

    def content(self, parts: Iterable[ExportPart]) -> bytes:
        file = voucher_file(parts)
        self._sums = file.sums
        return file.content

    def manifest(
        self,
        file: Export,
        parts: Iterable[ExportPart],
        content: bytes,
        encrypted: Encrypted | None,
        sealed_at: datetime,
    ) -> bytes:
        return manifest_json(
            export=export_name(file.number),
            sums=self._sums,
            content=content,
            generated_at=sealed_at,
            imported=self._write_import(file, parts, content),
            encrypted=encrypted,
        )

    def _write_import(
        self, file: Export, parts: Iterable[ExportPart], table: bytes
    ) -> bytes | None:
        """Write what the client imports elsewhere, after the export itself, and for whom that is: a
        number that another export was written under gets none. It is there once the manifest is.
        """
        if self._layout is None:
            return None
        content = import_file(parts, self._layout.columns)
        envelope = self.envelope() if file.is_encrypted else None
        path, beside = self.path(file.number), envelope and envelope.beside(table)
        return write_import(self.ports.files, path, content, beside)

    def path(self, number: int) -> str:
        return export_path(self.campaign_id, number)

    def written_fact(self, file: Export) -> Fact:
        return export_fact(self.ports, file, ExportWritten(export=file.number, count=file.rows))
