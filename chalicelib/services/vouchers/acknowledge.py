"""The client's acknowledgement of an export: the tills know its vouchers, their mails may be sent.

It arrives as a file (`ingest_ack`), empty or with the codes that the client refuses. All of it is
checked before the first voucher is answered. A large export is answered in parts along those it is
stored in, each with the refusals of its own vouchers. A refused voucher is replaced in the
transaction that records the refusal; one that has to wait for a code is replaced by a later run of
`reconcile`.
"""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain import exports, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.codes import candidates
from chalicelib.domain.exports import Export, ExportPart, ExportState, export_path
from chalicelib.domain.fact_bodies import VoucherRefusedRepeatedly, voucher_answered
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.acks import RefusedCode, refused_codes
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.writing import plain_lines
from chalicelib.domain.vouchers import (
    Voucher,
    VoucherState,
    is_answered,
    is_live,
)
from chalicelib.services.cipher_ports import NotDecryptableError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.issuing import ReplacementOutcome, replace_voucher
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.row_groups import PART_ROWS, Parts, is_large
from chalicelib.services.row_work import RowWork, do_each
from chalicelib.services.written_files import files_of, import_of

ACKNOWLEDGED, REFUSED, ALREADY = "acknowledged", "refused", "already"
REFUSED_BY_CLIENT = "refused_by_client"
_AT_ONCE = PART_ROWS // 90  # parts of an export, of at most 90 vouchers, that one of ours answers


@dataclass(frozen=True)
class Answer:
    """The client's word on one voucher of an export."""

    code_key: str
    refused_reason: str | None = None


def ingest_ack(
    ports: Ports, campaign: Campaign, number: int | None, *, plain: Iterable[bytes], tally: Tally
) -> Parts | None:
    """Apply the acknowledgement of an export; that of a large one is returned in parts.
    `FileRefusedError`.

    Refused whole for any wrong line: an unknown code may be a misspelt one, and the mail of the
    voucher that was meant would be sent.
    """
    export = _exported(ports, campaign, number)
    if is_large(export.rows):
        return _in_parts(ports, export, list(refused_codes(plain, tally)), tally)
    codes = [code for part in _parts_of(ports, export) for code in part.codes]
    refused = _refused(ports, list(refused_codes(plain, tally)), frozenset(codes), tally)
    do_each(ack_work(ports, campaign, _answers(codes, refused), tally))
    close_export(ports, export.campaign, export.number)
    return None


def _exported(ports: Ports, campaign: Campaign, number: int | None) -> Export:
    """The export of that number, whose file is there. `FileRefusedError`."""
    if number is None:
        raise FileRefusedError("not_an_export_name")
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export is None or not _is_there(ports, export):
        raise FileRefusedError("unknown_export")
    return export


def _parts_of(ports: Ports, export: Export) -> Iterator[ExportPart]:
    return ports.repository.within(ExportPart, campaign=export.campaign, number=export.number)


def _is_there(ports: Ports, export: Export) -> bool:
    """Whether the client may have read the export: it may, before the exporter has noted that the
    file is written, and even if the exporter was killed before that. A file of that number with
    other vouchers is not this export (`services/written_files.py`).
    """
    if export.state is not ExportState.SEALED:
        return export.state is ExportState.WRITTEN
    path = export_path(export.campaign, export.number)
    file = files_of(path, is_encrypted=export.is_encrypted)[0]
    try:
        chunks = ports.files.read(file)
        plain = ports.cipher().decrypted(chunks) if export.is_encrypted else chunks
        return _has_rows_of(plain_lines(plain), _parts_of(ports, export))
    except (FileMissingError, NotDecryptableError, UnicodeDecodeError, zlib.error, csv.Error):
        return False


def _has_rows_of(lines: Iterator[str], parts: Iterable[ExportPart]) -> bool:
    """Whether a file has the rows of these parts, as far as both have a column."""
    header = next(csv.reader([next(lines, "")]))
    stored = csv.reader(lines)
    for part in parts:
        for row in part.rows:
            cells = dict(zip(part.columns, row, strict=True))
            found = zip(header, next(stored, ()), strict=False)
            if "code" not in header or any(cells.get(name, one) != one for name, one in found):
                return False
    return next(stored, None) is None


def _refused(
    ports: Ports,
    refusals: Sequence[tuple[int, RefusedCode]],
    exported: Collection[str],
    tally: Tally,
) -> dict[str, str]:
    """The reasons of the refused vouchers of an export, by code key. `FileRefusedError`."""
    found = {
        line: next((one for one in candidates(refusal.code) if one in exported), None)
        for line, refusal in refusals
    }
    acknowledged = _acknowledged(ports, filter(None, found.values()))
    refused: dict[str, str] = {}
    problems = Tally()
    for line, refusal in refusals:
        code = found[line]
        if code is None:
            problems.reject(line, "code_not_in_export")
        elif code in acknowledged:
            problems.reject(line, "code_acknowledged_already")
        else:
            refused[code] = refusal.reason
    tally.add(problems)
    if tally.rejected:
        raise FileRefusedError(tally.errors[0].reason, tally.errors[0].line)
    return refused


def _acknowledged(ports: Ports, codes: Iterable[str]) -> set[str]:
    """The codes that the client has acknowledged before: their mails may have been sent. A used one
    counts as acknowledged even where it is refused, so the same file may say so again.
    """
    found = ports.repository.get_many(Voucher, [{"code_key": code} for code in codes])
    return {
        one.code_key
        for one in found
        if one.acknowledged_at and one.state is not VoucherState.REDEEMED
    }


def _in_parts(
    ports: Ports, export: Export, refusals: Sequence[tuple[int, RefusedCode]], tally: Tally
) -> Parts:
    """Which parts of the export a part is for, then what is refused of them."""
    places = _places(ports, export, refusals) if refusals else {}
    refused = _refused(ports, refusals, places, tally)
    by_part: dict[int, list[str]] = {}
    for code, reason in refused.items():
        by_part.setdefault(places[code], []).append(json.dumps([code, reason]))
    return (
        [json.dumps([first, first + _AT_ONCE]), *_refused_in(by_part, first)]
        for first in range(1, export.parts + 1, _AT_ONCE)
    )


def _refused_in(by_part: Mapping[int, Sequence[str]], first: int) -> Iterator[str]:
    for part in range(first, first + _AT_ONCE):
        yield from by_part.get(part, ())


def _places(
    ports: Ports, export: Export, refusals: Iterable[tuple[int, RefusedCode]]
) -> dict[str, int]:
    """In which part of the export those codes are that some line may mean."""
    meant = {code for _, refusal in refusals for code in candidates(refusal.code)}
    return {
        code: part.part for part in _parts_of(ports, export) for code in part.codes if code in meant
    }


def answers_of(
    ports: Ports, campaign: Campaign, number: int, staged: Sequence[Sequence[Any]]
) -> list[tuple[int, Answer]]:
    """The answers that a part stands for."""
    first, end = staged[0]
    refused = {str(code): str(reason) for code, reason in staged[1:]}
    parts = ports.repository.get_many(
        ExportPart,
        [{"campaign": campaign.id, "number": number, "part": part} for part in range(first, end)],
    )
    in_order = sorted(parts, key=lambda one: one.part)
    return _answers([code for part in in_order for code in part.codes], refused)


def _answers(codes: Iterable[str], refused: Mapping[str, str]) -> list[tuple[int, Answer]]:
    return [(number, Answer(code, refused.get(code))) for number, code in enumerate(codes, 1)]


def ack_work(
    ports: Ports, campaign: Campaign, numbered: Iterable[tuple[int, Answer]], tally: Tally
) -> Iterator[RowWork]:
    """The recording of answers. A voucher acknowledged or refused before stays as it is, so a
    repeat changes nothing. Each voucher is counted in the effects of `tally`.
    """
    for number, answer in numbered:
        record = partial(_answer, ports, campaign, answer, tally)
        yield RowWork(number, answer.code_key, record)


def _answer(ports: Ports, campaign: Campaign, answer: Answer, tally: Tally) -> None:
    tally.note(_record_answer(ports, campaign, answer.code_key, answer.refused_reason))


@retry_on_conflict
def _record_answer(
    ports: Ports, campaign: Campaign, code_key: str, refused_reason: str | None
) -> str:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or is_answered(voucher):
        return ALREADY
    # A voucher that was used is known to the tills, whatever the acknowledgement says.
    if refused_reason is None or voucher.state is VoucherState.REDEEMED:
        answered = vouchers.acknowledged(voucher, ports.clock())
        fact = voucher_fact(ports, answered, voucher_answered(answered))
        ports.repository.commit(Replace(answered), facts=[fact])
        return ACKNOWLEDGED
    _refuse(ports, campaign, voucher, refused_reason)
    return REFUSED


def _refuse(ports: Ports, campaign: Campaign, voucher: Voucher, reason: str) -> None:
    """Record the refusal and, in the same transaction, issue what replaces the voucher."""
    refused = vouchers.refused(voucher, reason)
    facts: list[Fact] = [voucher_fact(ports, refused, voucher_answered(refused))]
    changes: list[Change] = []
    if is_live(refused):
        # The client's own text may hold anything; what is published is a word of ours.
        refused, change = with_change(
            refused, ChangeKind.REFUSED, ports.clock(), reason=REFUSED_BY_CLIENT
        )
        changes.append(Insert(change))
    replacement = replace_voucher(ports, campaign, refused)
    if replacement.outcome is ReplacementOutcome.REFUSED_REPEATEDLY:
        body = VoucherRefusedRepeatedly.of(refused, replacement.refusals)
        facts.append(voucher_fact(ports, refused, body))
    ports.repository.commit(
        Replace(replacement.refused),
        *changes,
        *replacement.changes,
        facts=[*facts, *replacement.facts],
    )


def _files_of(ports: Ports, export: Export) -> list[str]:
    path = export_path(export.campaign, export.number)
    campaign = ports.campaigns.get(export.campaign)
    is_imported = campaign and campaign.files and campaign.files.exports
    is_encrypted = export.is_encrypted
    imported = [import_of(path, is_encrypted=is_encrypted)] if is_imported else []
    return [*files_of(path, is_encrypted=is_encrypted), *imported]


@retry_on_conflict
def close_export(ports: Ports, campaign_id: str, number: int) -> None:
    """Note that the whole export is acknowledged, and lock its files until they end. They are
    locked first: a run that is killed in between does both again.
    """
    export = ports.repository.get(Export, campaign=campaign_id, number=number)
    if export and export.acknowledged_at is None:
        for path in _files_of(ports, export):
            ports.files.lock_again(path)
        ports.repository.commit(Replace(exports.acknowledged(export, ports.clock())))
