"""Exports and files of rows as the client has them: no number is used again (law 5).

What is in a file of `out/` is in a part of that number, row by row, whether the table knows its
voucher or not; so the number is taken, and the next file gets the next one. Vouchers of an export
that was never written are put into it in any order: nobody has seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from chalicelib.domain.changes_files import ChangesFile, ChangesPart, ChangesSequence, changes_path
from chalicelib.domain.codes import candidates
from chalicelib.domain.consents_files import (
    PART_KEPT,
    ConsentsFile,
    ConsentsPart,
    ConsentsSequence,
    consents_path,
)
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import (
    Export,
    ExportPart,
    ExportSequence,
    ExportState,
    FileSequence,
    NumberedFile,
    acknowledged,
    export_path,
    next_part,
    sealed,
    written,
)
from chalicelib.domain.fact_bodies import (
    ChangesWritten,
    ConsentsWritten,
    ExportWritten,
    VouchersExported,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.files.writing import sha256_of
from chalicelib.domain.vouchers import Voucher, exported
from chalicelib.services.facts import export_fact
from chalicelib.services.isolation import read_apart
from chalicelib.services.ports import (
    Agenda,
    Change,
    Insert,
    OnFailure,
    Ports,
    Remove,
    Replace,
)
from chalicelib.services.restoring.outside import Row
from chalicelib.services.restoring.work import UnfoundedError, Work, left_alone
from chalicelib.services.waiting_changes import waiting_changes, waiting_words
from chalicelib.services.written_files import files_of

F = TypeVar("F", bound=NumberedFile)

EXPORTED_AT_ONCE = 90  # rows of a part, each with its voucher
CHANGED_AT_ONCE = 90  # rows of a part, each with the change that leaves the table


def export_changes(work: Work, fact: Fact, body: FactBody) -> list[Change] | None:
    """What a fact about exports did; None for any other fact. `UnfoundedError`."""
    match body:
        case VouchersExported(export=number, count=count):
            return _exported(work, fact, number, count)
        case ExportWritten(export=number):
            return _written(work, fact, number)
        case _:
            return None


def _exported(work: Work, fact: Fact, number: int, count: int) -> list[Change]:
    export = _export(work, number, fact.at)
    rows = work.outside.exports.get(number)
    if rows is None:
        return _chosen(work, export, count)
    some = rows[export.rows : export.rows + count]
    vouchers, unread = _vouchers(work, some)
    if len(vouchers) + len(unread) < len(some):
        raise UnfoundedError(str(number))
    return _with_rows(work, export, some, vouchers)


def _export(work: Work, number: int, opened_at: datetime) -> Export:
    stored = work.ports.repository.get(Export, campaign=work.campaign.id, number=number)
    return stored or Export(
        campaign=work.campaign.id, number=number, state=ExportState.OPEN, opened_at=opened_at
    )


def _vouchers(work: Work, rows: Sequence[Row]) -> tuple[list[Voucher], set[str]]:
    """The vouchers of rows, as far as the table has them; and the ids of those that it has and that
    cannot be read.
    """
    ids = {key: row["voucher"] for row in rows for key in candidates(row["code"])}
    keys = [{"code_key": key} for key in ids]
    found, failed = read_apart(keys, partial(work.ports.repository.get_many, Voucher))
    unread = {ids[one["code_key"]] for one in failed}
    return [voucher for voucher in found if voucher.voucher_id in ids.values()], unread


def _with_rows(
    work: Work, export: Export, rows: Sequence[Row], vouchers: Iterable[Voucher]
) -> list[Change]:
    """One more part of an export: rows as the client has them, and the vouchers that are in it."""
    grown = replace(export, parts=export.parts + 1, rows=export.rows + len(rows))
    part = ExportPart(
        campaign=export.campaign,
        number=export.number,
        part=grown.parts,
        codes=tuple(candidates(row["code"])[0] for row in rows),
        columns=tuple(rows[0]) if rows else (),
        rows=tuple(tuple(row.values()) for row in rows),
    )
    moved = [Replace(exported(voucher, export.number)) for voucher in vouchers]
    return [Insert(part), *moved, *_numbered(work, export, grown)]


def _numbered(work: Work, before: Export, export: Export) -> list[Change]:
    """The export, and the sequence at its number or a later one."""
    stored: Change = Replace(export) if before.revision else Insert(export)
    return [stored, _sequence(work, ExportSequence, export.number)]


def _sequence(work: Work, kind: type[FileSequence], number: int) -> Change:
    """The sequence at a number, or where it is if that is a later one."""
    campaign = work.campaign.id
    stored = work.ports.repository.get(kind, campaign=campaign)
    if stored is None:
        return Insert(kind(campaign=campaign, number=number))
    return Replace(replace(stored, number=max(stored.number, number)))


def _chosen(work: Work, export: Export, count: int) -> list[Change]:
    """Vouchers for an export that was not written when the table was lost."""
    elsewhere = work.outside.rows
    waiting = (
        voucher
        for voucher in work.ports.repository.agenda(
            Voucher, Agenda.UNEXPORTED, export.campaign, on_failure=left_alone
        )
        if voucher.voucher_id not in elsewhere
    )
    chosen = list(islice(waiting, count))
    if len(chosen) < count:
        raise UnfoundedError(str(export.number))
    grown, part = next_part(export, chosen)
    moved = [Replace(exported(voucher, export.number)) for voucher in chosen]
    return [Insert(part), *moved, *_numbered(work, export, grown)]


def _written(work: Work, fact: Fact, number: int) -> list[Change]:
    """Written as the client has it; rows that are in no part yet come with other facts, or last."""
    if number not in work.outside.exports:
        raise UnfoundedError(str(number))
    export = _export(work, number, fact.at)
    path = export_path(export.campaign, number)
    closed = sealed(export, fact.at) if export.state is ExportState.OPEN else export
    return _numbered(work, export, _as_in_out(work, closed, path, fact))


def _as_in_out(work: Work, file: F, path: str, fact: Fact) -> F:
    """The sealed file, written as the client has it."""
    is_encrypted = _is_encrypted(work, path)
    content = b"".join(work.ports.files.read(files_of(path, is_encrypted=is_encrypted)[0]))
    named = replace(file, is_encrypted=is_encrypted)
    return written(named, sha256_of(content), fact.at)


def _is_encrypted(work: Work, path: str) -> bool:
    """Whether the file that is there is encrypted, whatever the campaign says by now."""
    return files_of(path, is_encrypted=True)[0] in work.ports.files.paths(path)


def complete_exports(work: Work, unplaced: Iterable[Fact]) -> list[str]:
    """Take the rows of every export into its parts, whatever facts say of it; `unplaced` are facts
    of exports that were brought back without. Returns the ids of vouchers that only a file knows.
    """
    known: dict[int, int] = {}
    for fact in unplaced:
        if isinstance(body := work.body(fact), VouchersExported):
            known[body.export] = known.get(body.export, 0) + body.count
    return [
        voucher
        for number in sorted(work.outside.exports)
        for voucher in _complete(work, number, known.get(number, 0))
    ]


def _complete(work: Work, number: int, known: int) -> list[str]:
    """The export stays `sealed` until its next run, which finds the file and notes that."""
    rows, unknown = work.outside.exports[number], list[str]()
    export = _export(work, number, work.ports.clock())
    while export.rows < len(rows):
        some = rows[export.rows : export.rows + EXPORTED_AT_ONCE]
        vouchers, unread = _vouchers(work, some)
        unknown += {row["voucher"] for row in some} - {one.voucher_id for one in vouchers} - unread
        changes = _with_rows(work, export, some, vouchers)
        new = max(0, len(some) - known)
        known = max(0, known - len(some))
        body = VouchersExported(export=number, count=new)
        facts = [export_fact(work.ports, export, body)] if new else []
        work.ports.repository.commit(*changes, facts=facts)
        export = _export(work, number, work.ports.clock())
    if export.state is ExportState.OPEN:
        is_encrypted = _is_encrypted(work, export_path(export.campaign, number))
        closed = sealed(export, work.ports.clock(), is_encrypted=is_encrypted)
        work.ports.repository.commit(*_numbered(work, export, closed))
    return unknown


def close_exports(work: Work) -> None:
    """Note the client's answer of every export of which each voucher has one. An acknowledgement
    that is processed again may be refused for what became of its codes since.
    """
    repository, campaign = work.ports.repository, work.campaign.id
    for export in list(repository.within(Export, campaign=campaign)):
        if export.acknowledged_at:
            continue
        parts = repository.within(ExportPart, campaign=campaign, number=export.number)
        keys = [{"code_key": code} for part in parts for code in part.codes]
        vouchers, unread = read_apart(keys, partial(repository.get_many, Voucher))
        if unread:
            continue  # nobody knows whether that one has
        answers = [one.acknowledged_at or one.refused_reason for one in vouchers]
        if vouchers and all(answer is not None for answer in answers):
            answered = max((at for one in vouchers if (at := one.acknowledged_at)), default=None)
            at = answered or export.written_at or work.ports.clock()
            repository.commit(Replace(acknowledged(export, at)))


# --- files of changes and of consents -------------------------------------------------------------


@dataclass(frozen=True)
class _Kind(Generic[F]):
    """A kind of files of rows: how it is stored, and what waits for one."""

    file: type[F]
    part: Callable[..., Entity]
    sequence: type[FileSequence]
    path: Callable[[str, int], str]
    waiting: Callable[[Ports, str, OnFailure], Iterable[Entity]]
    same: Sequence[str]

    def cells(self, entity: Entity) -> tuple[str, ...]:
        """What tells a waiting row from others, as its file has it."""
        return tuple(_text(getattr(entity, _FIELDS.get(name, name))) for name in self.same)


_FIELDS = {"voucher": "voucher_id"}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value or "")


_CHANGES = _Kind(
    ChangesFile,
    ChangesPart,
    ChangesSequence,
    changes_path,
    waiting_changes,
    ("voucher", "change", "order_id"),
)


def _consents(work: Work) -> _Kind[ConsentsFile]:
    part = partial(ConsentsPart, ends_at=work.ports.clock() + PART_KEPT)
    same = ("digest", "state", "at")
    return _Kind(ConsentsFile, part, ConsentsSequence, consents_path, waiting_words, same)


def complete_changes(work: Work) -> None:
    """Take the rows of every file of changes into its parts; the changes leave the table."""
    _complete_rows(work, _CHANGES, work.outside.changes)


def complete_consents(work: Work) -> None:
    """Take the rows of every file of consents into its parts; the words leave the table."""
    _complete_rows(work, _consents(work), work.outside.consents)


def rows_written(work: Work, fact: Fact, body: ChangesWritten | ConsentsWritten) -> list[Change]:
    """The file as written, after its rows were completed. `UnfoundedError`."""
    if isinstance(body, ChangesWritten):
        return _rows_written(work, _CHANGES, fact, body.number, work.outside.changes)
    return _rows_written(work, _consents(work), fact, body.number, work.outside.consents)


def _rows_written(
    work: Work, kind: _Kind[F], fact: Fact, number: int, found: Mapping[int, list[Row]]
) -> list[Change]:
    if number not in found:
        raise UnfoundedError(str(number))
    path = kind.path(work.campaign.id, number)
    return [Replace(_as_in_out(work, _file(work, kind, number), path, fact))]


def _complete_rows(work: Work, kind: _Kind[F], found: Mapping[int, list[Row]]) -> None:
    for number, rows in sorted(found.items()):
        file = _file(work, kind, number)
        while file.rows < len(rows):
            some = rows[file.rows : file.rows + CHANGED_AT_ONCE]
            work.ports.repository.commit(*_with_part(work, kind, file, some))
            file = _file(work, kind, number)
        if file.state is ExportState.OPEN:
            is_encrypted = _is_encrypted(work, kind.path(work.campaign.id, number))
            closed = sealed(file, work.ports.clock(), is_encrypted=is_encrypted)
            work.ports.repository.commit(Replace(closed) if file.revision else Insert(closed))


def _file(work: Work, kind: _Kind[F], number: int) -> F:
    stored = work.ports.repository.get(kind.file, campaign=work.campaign.id, number=number)
    return stored or kind.file(
        campaign=work.campaign.id,
        number=number,
        state=ExportState.OPEN,
        opened_at=work.ports.clock(),
    )


def _with_part(work: Work, kind: _Kind[F], file: F, rows: Sequence[Row]) -> list[Change]:
    grown = replace(file, parts=file.parts + 1, rows=file.rows + len(rows))
    part = kind.part(
        campaign=file.campaign,
        number=file.number,
        part=grown.parts,
        columns=tuple(rows[0]),
        rows=tuple(tuple(row.values()) for row in rows),
    )
    stored: Change = Replace(grown) if file.revision else Insert(grown)
    return [
        Insert(part),
        stored,
        _sequence(work, kind.sequence, file.number),
        *_leaving(work, kind, rows),
    ]


def _leaving(work: Work, kind: _Kind[F], rows: Sequence[Row]) -> list[Change]:
    """The waiting rows that these report, the earliest of several alike."""
    waiting: dict[tuple[str, ...], list[Entity]] = {}
    for one in kind.waiting(work.ports, work.campaign.id, left_alone):
        waiting.setdefault(kind.cells(one), []).append(one)
    found = (waiting.get(tuple(row[name] for name in kind.same), []) for row in rows)
    return [Remove(alike.pop(0)) for alike in found if alike]
