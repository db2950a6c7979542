"""What the table has of a campaign is removed three years after its last day (`RECORDS_DAYS`).

    last day ── retention_days ── addresses end ── … 3 years ── nothing open? ── pages, some a run

Until then a late report, a redemption, a rollback or a recount may need any of it, and a referee's
claim must outlive every invitation (law 2). So no item of a campaign ends before another: one date,
in the campaign's file, is that of all of them, and moves with the last day by itself.

Nothing is removed while a voucher of the campaign is good or waits for its export, or an order for
the end of its return window. What stays: the campaign's file and versions, the numbers that its
series have come to, the head of its journal, and people's consents, which are the brand's. What a
client reports later is removed a year after that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.changes_files import ChangesSequence
from chalicelib.domain.consents import Consent
from chalicelib.domain.consents_files import ConsentsSequence
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import ExportSequence
from chalicelib.domain.journal import JournalHead
from chalicelib.domain.orders import Order
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.file_ports import EARLIEST
from chalicelib.services.ports import Agenda, Ports, Replace
from chalicelib.services.retry import retry_on_conflict

# What must not begin again (a version, a number, the journal's chain), and what is no campaign's.
STAYS: tuple[type[Entity], ...] = (
    CurrentCampaign,
    CampaignVersion,
    ExportSequence,
    ChangesSequence,
    ConsentsSequence,
    JournalHead,
    Consent,  # of the brand: what a person last said holds beyond the campaign she said it in
)
AGAIN_AFTER = timedelta(days=365)


def end_records(ports: Ports, entry: CurrentCampaign, until: datetime) -> int:
    """Go on with the work until `until`, at least by one page; returns how many items it removed.

    Reads nothing before the campaign's records end, and nothing for a year after they have.
    """
    if not _is_due(entry, ports.clock()) or _is_open(ports, entry.campaign):
        return 0
    _remove_lists(ports, entry.campaign)
    removed, after, is_last = 0, entry.records_after, False
    while not is_last:
        page = ports.repository.remove_page(STAYS, entry.campaign, after)
        removed += page.removed
        after, is_last = page.next, page.next is None
        if ports.clock() >= until:
            break
    _note(ports, entry.campaign, after)
    return removed


@retry_on_conflict
def _note(ports: Ports, campaign: str, after: str | None) -> None:
    """Store how far the work is, with the campaign, which nobody can put again by now."""
    current = ports.repository.get(CurrentCampaign, campaign=campaign)
    if current is not None:
        ended_at = current.records_ended_at if after else ports.clock()
        noted = replace(current, records_after=after, records_ended_at=ended_at)
        ports.repository.commit(Replace(noted))


def _is_due(entry: CurrentCampaign, now: datetime) -> bool:
    if now <= entry.document.records_end_at():
        return False
    return entry.records_ended_at is None or now - entry.records_ended_at >= AGAIN_AFTER


def _is_open(ports: Ports, campaign: str) -> bool:
    """Whether a voucher or an order of the campaign still waits for something."""
    agenda = ports.repository.agenda
    return (
        any(agenda(Voucher, Agenda.UNEXPORTED, campaign))
        or any(one.campaign == campaign for one in agenda(Voucher, Agenda.REFUSED))
        or any(one.campaign == campaign for one in agenda(Voucher, Agenda.EXPIRING))
        or any(one.campaign == campaign for one in agenda(Order, Agenda.RETURN_WINDOW))
    )


def _remove_lists(ports: Ports, campaign: str) -> None:
    for segment in ports.files.written_since(f"lists/{campaign}/", EARLIEST):
        ports.files.erase(segment)
