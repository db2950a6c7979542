"""Replacing refused vouchers later: those that waited for a code (`reconcile`), and those refused
too often, once ops have settled the cause with the client (`tandem voucher replace`).
"""

from __future__ import annotations

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.isolation import raised
from chalicelib.services.issuing import ReplacementOutcome, replace_voucher
from chalicelib.services.ports import Agenda, CommandPorts, OnFailure, Replace
from chalicelib.services.retry import retry_on_conflict


def refused_vouchers(
    ports: CommandPorts, campaign_id: str, on_failure: OnFailure = raised
) -> list[Voucher]:
    """The refused vouchers of a campaign that nothing has replaced, those that end first first. One
    that cannot be read goes to `on_failure`.
    """
    refused = ports.repository.agenda(Voucher, Agenda.REFUSED, on_failure=on_failure)
    return [voucher for voucher in refused if voucher.campaign == campaign_id]


@retry_on_conflict
def replace_refused(
    ports: CommandPorts, campaign: Campaign, code_key: str, *, by: str | None = None
) -> ReplacementOutcome:
    """Replace a refused voucher if there is a code for it; returns what became of it.

    `by` is the AWS principal who has decided that it is replaced however often codes were refused.
    """
    voucher = ports.repository.get(Voucher, code_key=code_key)
    if voucher is None:
        return ReplacementOutcome.NOT_OWED
    replacement = replace_voucher(ports, campaign, voucher, by=by)
    if replacement.outcome is ReplacementOutcome.REPLACED:
        ports.repository.commit(
            Replace(replacement.refused), *replacement.changes, facts=replacement.facts
        )
    return replacement.outcome
