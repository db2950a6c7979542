"""Voucher files: every voucher in exactly one export (law 5).

A part moves its vouchers into the export, each at the revision read and not yet in one, and writes
the fact. How numbered files are written is in `numbered_files.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.domain.campaign.file import Campaign
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
from chalicelib.domain.files.exports import manifest_json, voucher_file
from chalicelib.domain.vouchers import Voucher, exported
from chalicelib.services.facts import export_fact
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.ports import Agenda, Insert, OnFailure, Ports, Replace
from chalicelib.services.vouchers.numbered_files import Part, Series


def export_vouchers(
    ports: Ports, campaign: Campaign, on_failure: OnFailure = raised
) -> Export | None:
    """Complete the campaign's open export, or open one if vouchers wait; returns the written
    export, or None. A voucher that cannot be exported goes to `on_failure` and stays behind.
    """
    return _Exports(ports, campaign.id, Isolation(on_failure)).write_next()


class _Exports(Series[Export, ExportPart]):
    """The exports of a campaign."""

    file_kind = Export
    part_kind = ExportPart
    sequence_kind = ExportSequence

    def __init__(self, ports: Ports, campaign_id: str, isolation: Isolation) -> None:
        super().__init__(ports, campaign_id)
        self._isolation = isolation

    def is_waiting(self) -> bool:
        return next(self._waiting(), None) is not None

    def _waiting(self) -> Iterator[Voucher]:
        """Vouchers in no export yet."""
        return self.ports.repository.agenda(
            Voucher, Agenda.UNEXPORTED, self.campaign_id, on_failure=self._isolation.note
        )

    def _exportable(self, file: Export) -> Iterator[Voucher]:
        """Those of which a row can be made."""
        for voucher in self._waiting():
            row = None
            with self._isolation.of(Voucher.__name__, voucher.voucher_id):
                row = next_part(file, [voucher]), exported(voucher, file.number)
            if row:
                yield voucher

    def next_part(self, file: Export) -> Part[Export] | None:
        vouchers = list(islice(self._exportable(file), self.part_rows))
        if not vouchers:
            return None
        grown, part = next_part(file, vouchers)
        moved = [Replace(exported(voucher, file.number)) for voucher in vouchers]
        body = VouchersExported(export=file.number, count=len(vouchers))
        return Part(grown, [Insert(part), *moved], [export_fact(self.ports, file, body)])

    def content(self, parts: Sequence[ExportPart]) -> bytes:
        return voucher_file(parts)

    def manifest(
        self, file: Export, parts: Sequence[ExportPart], content: bytes, sealed_at: datetime
    ) -> bytes:
        name = export_name(file.number)
        return manifest_json(export=name, parts=parts, content=content, generated_at=sealed_at)

    def path(self, number: int) -> str:
        return export_path(self.campaign_id, number)

    def written_fact(self, file: Export) -> Fact:
        return export_fact(self.ports, file, ExportWritten(export=file.number, count=file.rows))
