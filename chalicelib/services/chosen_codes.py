"""The code of a voucher that is issued: minted, or one of the client's own."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.codes import canonical, format_code
from chalicelib.domain.vouchers import SpareCode
from chalicelib.services.errors import RetryLaterError, WaitsFor
from chalicelib.services.ports import Change, CommandPorts, Remove
from chalicelib.services.spare_codes import choose_spare_code


@dataclass(frozen=True)
class ChosenCode:
    """A code, the key it is found by, and the spare code used, if any."""

    key: str
    code: str
    spent: SpareCode | None = None

    @property
    def changes(self) -> list[Change]:
        """What using it changes beside the voucher."""
        return [Remove(self.spent)] if self.spent else []


def code_for(
    ports: CommandPorts, campaign_id: str, name: str, template: VoucherTemplate
) -> ChosenCode:
    """A code for a voucher of the template `name`. `RetryLaterError` when none is left."""
    if template.codes == "minted":
        key = ports.codes.voucher_code()
        return ChosenCode(key, format_code(template.prefix, key))
    spare = choose_spare_code(ports, campaign_id, name)
    if spare is None:
        raise RetryLaterError(WaitsFor.CODES)
    return ChosenCode(canonical(spare.code), spare.code, spare)
