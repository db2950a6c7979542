"""The accounts of a campaign's vouchers, folded from the stored parts of its files.

They start from the last statement, so a run reads the files of some weeks, not of years. A part
has exactly the rows of its file, and the keys of its codes, which exports of earlier versions need:
they have no column `voucher`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes_files import ChangesFile, ChangesPart, ChangesSequence
from chalicelib.domain.exports import (
    Export,
    ExportPart,
    ExportSequence,
    ExportState,
    NumberedFile,
)
from chalicelib.domain.files.numbered import rows_of_parts
from chalicelib.domain.files.statements import statement_accounts, statement_path
from chalicelib.domain.files.writing import sha256_of
from chalicelib.domain.statements import Account, Books, Row, Statement, folded
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.cipher_ports import NotDecryptableError
from chalicelib.services.ports import Ports
from chalicelib.services.written_files import content_of, files_of


@dataclass(frozen=True)
class Opening:
    """The accounts that a fold starts from, and the statement they are of; None: the beginning."""

    statement: Statement | None = None
    accounts: Mapping[str, Account] = field(default_factory=dict)


@dataclass
class _Progress:
    """How far the files of one kind were read: `last` is the last one with a row of the time asked
    for; the files up to `complete` have rows of that time alone.
    """

    last: int
    complete: int

    def note(self, number: int, *, has_row: bool, is_complete: bool) -> None:
        if has_row:
            self.last = max(self.last, number)
        if is_complete and self.complete == number - 1:
            self.complete = number


@dataclass(frozen=True)
class Reading:
    """Books, and how far the files were read for them."""

    books: Books
    exports: _Progress
    changes: _Progress


def last_export(ports: Ports, campaign: Campaign) -> Export | None:
    """The last export, None before the first one."""
    sequence = ports.repository.get(ExportSequence, campaign=campaign.id)
    number = sequence.number if sequence else 0
    return ports.repository.get(Export, campaign=campaign.id, number=number)


def last_changes(ports: Ports, campaign: Campaign) -> ChangesFile | None:
    """The last file of changes, None before the first one."""
    sequence = ports.repository.get(ChangesSequence, campaign=campaign.id)
    number = sequence.number if sequence else 0
    return ports.repository.get(ChangesFile, campaign=campaign.id, number=number)


def is_settled(file: NumberedFile | None) -> bool:
    """Whether everything that was added to numbered files is in `out/`."""
    return file is None or file.state is ExportState.WRITTEN or not file.rows


def last_opening(ports: Ports, campaign: Campaign) -> Opening:
    """The accounts of the last statement; the beginning before the first one."""
    written = list(ports.repository.within(Statement, campaign=campaign.id))
    if not written:
        return Opening()
    statement = written[-1]
    accounts = _stated(ports, statement)
    if accounts is None:
        accounts = read_books(ports, campaign, Opening(), statement.until).books.accounts
    return Opening(statement, accounts)


def _stated(ports: Ports, statement: Statement) -> Mapping[str, Account] | None:
    """The accounts in a statement's file; None when the file is not the one that was written,
    or not to be read any more.

    They are then folded from the beginning: it takes longer and gives the same.
    """
    path = statement_path(statement.campaign, statement.month)
    content = content_of(ports.files, files_of(path, is_encrypted=statement.is_encrypted)[0])
    if content is None or sha256_of(content) != statement.sha256:
        return None
    if statement.is_encrypted:
        try:
            content = ports.cipher().decrypt(content)
        except NotDecryptableError:
            return None
    return {account.voucher: account for account in statement_accounts(content)}


def read_books(
    ports: Ports, campaign: Campaign, opening: Opening, until: datetime | None = None
) -> Reading:
    """The accounts after `opening` and everything in the files since, before `until`."""
    base = opening.statement
    exports = _Progress(base.exports if base else 0, base.exports_complete if base else 0)
    changes = _Progress(base.changes if base else 0, base.changes_complete if base else 0)
    since = base.until if base else None
    books = folded(
        _in_time(_exports(ports, campaign, exports), "issued_at", exports, since, until),
        _in_time(_changes(ports, campaign, changes), "at", changes, since, until),
        opening.accounts,
    )
    return Reading(books, exports, changes)


def _exports(ports: Ports, campaign: Campaign, read: _Progress) -> Iterator[tuple[int, list[Row]]]:
    last = last_export(ports, campaign)
    for number in range(read.complete + 1, (last.number if last else 0) + 1):
        parts = ports.repository.within(ExportPart, campaign=campaign.id, number=number)
        yield number, [row for part in parts for row in _export_rows(ports, part)]


def _export_rows(ports: Ports, part: ExportPart) -> list[Row]:
    rows: list[dict[str, str]] = [dict(zip(part.columns, row, strict=True)) for row in part.rows]
    if "voucher" in part.columns:
        return list(rows)
    keys = [{"code_key": code} for code in part.codes]
    stored = ports.repository.get_many(Voucher, keys)
    ids = {voucher.code_key: voucher.voucher_id for voucher in stored}
    # Without a voucher in the table, its code stands for it: the reconciliation reports it.
    return [
        row | {"voucher": ids.get(code, code)} for code, row in zip(part.codes, rows, strict=True)
    ]


def _changes(ports: Ports, campaign: Campaign, read: _Progress) -> Iterator[tuple[int, list[Row]]]:
    last = last_changes(ports, campaign)
    for number in range(read.complete + 1, (last.number if last else 0) + 1):
        parts = ports.repository.within(ChangesPart, campaign=campaign.id, number=number)
        yield number, list(rows_of_parts(list(parts)))


def _in_time(
    files: Iterator[tuple[int, list[Row]]],
    column: str,
    read: _Progress,
    since: datetime | None,
    until: datetime | None,
) -> Iterator[Row]:
    """The rows from `since` on and before `until`; notes in `read` how far they go."""
    for number, rows in files:
        times = [datetime.fromisoformat(row[column]) for row in rows]
        in_time = [
            row
            for row, at in zip(rows, times, strict=True)
            if (since is None or at >= since) and (until is None or at < until)
        ]
        read.note(
            number,
            has_row=bool(in_time),
            is_complete=until is None or all(at < until for at in times),
        )
        yield from in_time
