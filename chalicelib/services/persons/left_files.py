"""The files of `out/` that have a digest of a person, and until when each of them is there.

Files are not rewritten: the client has them, or is about to load them. So the receipt of an erasure
names each with its last day. What ends them is in `domain/files/ends.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from chalicelib.domain.consents_files import ConsentsPart, consents_path
from chalicelib.domain.erasure import FileLeft
from chalicelib.domain.exports import Export, ExportState, export_path
from chalicelib.domain.files.ends import AFTER_ACKNOWLEDGEMENT, AFTER_WRITTEN
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, is_live
from chalicelib.services.file_ports import EARLIEST
from chalicelib.services.persons.find import Person
from chalicelib.services.ports import Ports
from chalicelib.services.written_files import files_of, import_of


class LeftFiles:
    """What was noted of a person's files, and of her vouchers that keep their worth."""

    def __init__(self, ports: Ports, person: Person) -> None:
        self._ports, self._person = ports, person
        self._last_days: dict[str, date | None] = {}
        self._live: set[str] = set()

    @property
    def live_vouchers(self) -> int:
        """How many of her vouchers keep their worth."""
        return len(self._live)

    def __iter__(self) -> Iterator[FileLeft]:
        return (FileLeft(path, day) for path, day in sorted(self._last_days.items()))

    def note(self) -> None:
        """Look at what was found of her by now."""
        names = self._person.names
        for entity in self._person.found:
            match entity:
                case Voucher() if names.hold(entity):
                    if is_live(entity):
                        self._live.add(entity.voucher_id)
                    self.note_export(entity)
                case Referral():
                    self._note_tables(entity)
                case ConsentsPart():  # also one whose rows a run before this one has changed
                    path = f"{consents_path(entity.campaign, entity.number)}.csv.gz"
                    self._last_days[path] = self._last_day(entity.campaign, entity.ends_at)
                case _:
                    pass

    def note_export(self, voucher: Voucher) -> None:
        """The file of the export that a voucher of hers is in."""
        if voucher.export is None:
            return
        export = self._ports.repository.get(
            Export, campaign=voucher.campaign, number=voucher.export
        )
        if export is None or export.state is ExportState.OPEN:
            return  # its file will have the random id
        path = export_path(export.campaign, export.number)
        is_encrypted = export.is_encrypted
        files = {files_of(path, is_encrypted=is_encrypted)[0]}
        if export.state is ExportState.WRITTEN:
            found = {one.path for one in self._ports.files.written_since(path, EARLIEST)}
            files = found & {
                *files,
                import_of(path, is_encrypted=is_encrypted),
            }  # none: they have ended
        loaded = export.acknowledged_at
        last = self._last_day(export.campaign, loaded + AFTER_ACKNOWLEDGEMENT) if loaded else None
        self._last_days |= dict.fromkeys(files, last)

    def _note_tables(self, referral: Referral) -> None:
        """Each table since the confirmation; and one that may be being written now."""
        kept = AFTER_WRITTEN["referrals"]
        folder = f"out/{referral.campaign}/referrals/"
        for one in self._ports.files.written_since(folder, referral.confirmed_at):
            self._last_days[one.path] = self._last_day(referral.campaign, one.at + kept)

    def _last_day(self, campaign: str, end: datetime) -> date:
        # Runs an hour apart remove what has ended.
        ended = max(end, self._ports.clock()) + timedelta(hours=1)
        return self._person.by_id[campaign].local_date(ended)
