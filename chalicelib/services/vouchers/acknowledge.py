"""The client's acknowledgement of an export: the tills know its vouchers, their mails may be sent.

It arrives as a file (`ingest_ack`), empty or with the codes that the client refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.domain import exports, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.fact_bodies import voucher_answered
from chalicelib.domain.files.acks import refused_codes
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import UnknownError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.retry import retry_on_conflict


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
    acknowledge(ports, campaign, number, refusals)


def _exported_codes(ports: Ports, campaign: Campaign, number: int) -> list[str]:
    """The codes in a written export. `UnknownError`."""
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export is None or export.state is not ExportState.WRITTEN:
        raise UnknownError("export")
    parts = ports.repository.within(ExportPart, campaign=campaign.id, number=number)
    return [code for part in parts for code in part.codes]


def acknowledge(ports: Ports, campaign: Campaign, number: int, refused: Mapping[str, str]) -> None:
    """Acknowledge every voucher of an export but the `refused` ones (code key → reason).

    A voucher acknowledged or refused before stays as it is, so a repeat changes nothing.
    `UnknownError`.
    """
    for code in _exported_codes(ports, campaign, number):
        _record_answer(ports, code, refused.get(code))
    _close(ports, campaign, number)


def _is_acknowledged(ports: Ports, code_key: str) -> bool:
    """Whether the client has acknowledged the code before: its mail may have been sent."""
    voucher = ports.repository.get(Voucher, code_key=code_key)
    return voucher is not None and voucher.acknowledged_at is not None


@retry_on_conflict
def _record_answer(ports: Ports, code_key: str, refused_reason: str | None) -> None:
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None or voucher.acknowledged_at or voucher.refused_reason is not None:
        return
    if refused_reason is None:
        answered = vouchers.acknowledged(voucher, ports.clock())
    else:
        answered = vouchers.refused(voucher, refused_reason)
    fact = voucher_fact(ports, answered, voucher_answered(answered))
    ports.repository.commit(Replace(answered), facts=[fact])


@retry_on_conflict
def _close(ports: Ports, campaign: Campaign, number: int) -> None:
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export and export.acknowledged_at is None:
        ports.repository.commit(Replace(exports.acknowledged(export, ports.clock())))
