"""The client's acknowledgement of an export: its vouchers are known to the tills, their mails may
leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.vouchers import Voucher, acknowledged
from chalicelib.services.errors import UnknownError
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.retry import retry_on_conflict


def exported_codes(ports: Ports, campaign: Campaign, number: int) -> list[str]:
    """The codes in a written export. `UnknownError`."""
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export is None or export.state is not ExportState.WRITTEN:
        raise UnknownError("export")
    parts = ports.repository.within(ExportPart, campaign=campaign.id, number=number)
    return [code for part in parts for code in part.codes]


def acknowledge(ports: Ports, campaign: Campaign, number: int, refused: Mapping[str, str]) -> None:
    """Acknowledge every voucher of an export but the `refused` ones (code as keyed → reason).

    A voucher acknowledged or refused already stays as it is, so a repeat changes nothing.
    `UnknownError`.
    """
    for code in exported_codes(ports, campaign, number):
        _settle(ports, code, refused.get(code))
    _close(ports, campaign, number)


def matching(typed: str, codes: frozenset[str]) -> str | None:
    """Which of an export's codes the client means."""
    return next((code for code in candidates(typed) if code in codes), None)


def is_acknowledged(ports: Ports, code: str) -> bool:
    """Whether the client has said before that it knows the code: its mail may have left."""
    voucher = ports.repository.get(Voucher, code=code)
    return voucher is not None and voucher.acknowledged_at is not None


@retry_on_conflict
def _settle(ports: Ports, code: str, refused_reason: str | None) -> None:
    voucher = ports.repository.get(Voucher, code=code)
    if voucher is None or voucher.acknowledged_at or voucher.refused_reason is not None:
        return
    if refused_reason is None:
        changed, name = acknowledged(voucher, ports.clock()), FactName.VOUCHER_ACKNOWLEDGED
    else:
        changed, name = replace(voucher, refused_reason=refused_reason), FactName.VOUCHER_REFUSED
    fact = voucher_fact(
        ports,
        name,
        voucher,
        rule=voucher.rule,
        rung=voucher.rung,
        release=voucher.release.value,
        export=voucher.export,
    )
    ports.repository.commit(Replace(changed), facts=[fact])


@retry_on_conflict
def _close(ports: Ports, campaign: Campaign, number: int) -> None:
    export = ports.repository.get(Export, campaign=campaign.id, number=number)
    if export and export.acknowledged_at is None:
        ports.repository.commit(Replace(replace(export, acknowledged_at=ports.clock())))
