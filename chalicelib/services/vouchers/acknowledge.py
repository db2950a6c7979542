"""The client's acknowledgement of an export: the tills know its vouchers, their mails may be sent.

It arrives as a file (`ingest_ack`), empty or with the codes that the client refuses. A refused
voucher is replaced in the transaction that records the refusal; one that has to wait for a code is
replaced by a later run of `reconcile`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain import exports, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.changes import ChangeKind, with_change
from chalicelib.domain.codes import candidates
from chalicelib.domain.exports import Export, ExportPart, ExportState, export_path
from chalicelib.domain.fact_bodies import VoucherRefusedRepeatedly, voucher_answered
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.acks import refused_codes
from chalicelib.domain.files.exports import voucher_file
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.files.writing import has_same_rows
from chalicelib.domain.vouchers import (
    Voucher,
    VoucherState,
    is_live,
)
from chalicelib.services.errors import UnknownError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Change, Insert, Ports, Replace
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.vouchers.issue import ReplacementOutcome, replace_voucher
from chalicelib.services.written_files import content_of

ACKNOWLEDGED, REFUSED, ALREADY = "acknowledged", "refused", "already"
REFUSED_BY_CLIENT = "refused_by_client"


def ingest_ack(
    ports: Ports, campaign: Campaign, number: int | None, *, plain: Iterable[bytes], tally: Tally
) -> None:
    """Apply the acknowledgement of an export. `FileRefusedError`.

    Refused whole for any wrong line: an unknown code may be a misspelt one, and the mail of the
    voucher that was meant would be sent.
    """
    if number is None:
        raise FileRefusedError("not_an_export_name")
    try:
        codes = frozenset(_exported_codes(ports, campaign, number))
    except UnknownError as error:
        raise FileRefusedError("unknown_export") from error
    refusals: dict[str, str] = {}
    for line, refusal in refused_codes(plain, tally):
        code = next((code for code in candidates(refusal.code) if code in codes), None)
        if code is None:
            tally.reject(line, "code_not_in_export")
        elif _is_acknowledged(ports, code):
            tally.reject(line, "code_acknowledged_already")
        else:
            refusals[code] = refusal.reason
    if tally.rejected:
        raise FileRefusedError(tally.errors[0].reason, tally.errors[0].line)
    acknowledge(ports, campaign, number, refusals, tally)


def _exported_codes(ports: Ports, campaign: Campaign, number: int) -> list[str]:
    """The codes in an export whose file is there. `UnknownError`."""
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    parts = list(ports.repository.within(ExportPart, campaign=campaign.id, number=number))
    if export is None or not _is_there(ports, export, parts):
        raise UnknownError("export")
    return [code for part in parts for code in part.codes]


def _is_there(ports: Ports, export: Export, parts: Sequence[ExportPart]) -> bool:
    """Whether the client may have read the export: it may, before the exporter has noted that the
    file is written, and even if the exporter was killed before that. A file of that number with
    other vouchers is not this export (`services/written_files.py`).
    """
    if export.state is not ExportState.SEALED:
        return export.state is ExportState.WRITTEN
    path = f"{export_path(export.campaign, export.number)}.csv.gz"
    stored = content_of(ports.files, path)
    return stored is not None and has_same_rows(stored, voucher_file(parts))


def acknowledge(
    ports: Ports, campaign: Campaign, number: int, refused: Mapping[str, str], tally: Tally
) -> None:
    """Acknowledge every voucher of an export but the `refused` ones (code key → reason).

    A voucher acknowledged or refused before stays as it is, so a repeat changes nothing. Each
    voucher is counted in the effects of `tally`. `UnknownError`.
    """
    for code in _exported_codes(ports, campaign, number):
        tally.note(_record_answer(ports, campaign, code, refused.get(code)))
    _close(ports, campaign, number)


def _is_acknowledged(ports: Ports, code_key: str) -> bool:
    """Whether the client has acknowledged the code before: its mail may have been sent. A used one
    counts as acknowledged even where it is refused, so the same file may say so again.
    """
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.state is VoucherState.REDEEMED:
        return False
    return voucher.acknowledged_at is not None


@retry_on_conflict
def _record_answer(
    ports: Ports, campaign: Campaign, code_key: str, refused_reason: str | None
) -> str:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.acknowledged_at or voucher.refused_reason is not None:
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


@retry_on_conflict
def _close(ports: Ports, campaign: Campaign, number: int) -> None:
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export and export.acknowledged_at is None:
        ports.repository.commit(Replace(exports.acknowledged(export, ports.clock())))
