"""What the client is expected to do and has not, and what ops stopped or must resume: for the
dashboard and for `reconcile`.

Acknowledgements and order files are looked at when asked; the client's own codes are counted by
`reconcile` alone (`count_codes`), because there may be many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.exports import Export
from chalicelib.domain.watch import (
    CodesLeft,
    LastFile,
    codes_needed,
    is_unacknowledged,
    orders_are_missing,
    with_own_codes,
)
from chalicelib.services.ports import Agenda, Change, CommandPorts, Insert, Ports, Replace
from chalicelib.services.protection import stop_of
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.spare_codes import count_spare_codes

ORDERS = "orders"
# Counted further only where the campaign file asks for more.
CODES_COUNTED = 20_000


class Watch(StrEnum):
    """What is watched. The values are published."""

    ACKNOWLEDGEMENTS = "acknowledgements"
    ORDERS = "orders"
    CODES = "codes"
    INVITATIONS = "invitations"


@dataclass(frozen=True)
class Watched:
    """The state of one thing that is watched.

    `since`: when the oldest export without an acknowledgement was written, when the last order file
    was dropped, when the codes of `template` were counted; `left`: how many there were, of exports
    how many wait. Invitations are there only while they are stopped.
    """

    watch: Watch
    overdue: bool
    since: datetime | None = None
    template: str | None = None
    left: int | None = None


def watched(ports: CommandPorts, campaign: Campaign) -> Iterator[Watched]:
    """Everything that is watched in a campaign."""
    yield _acknowledgements(ports, campaign)
    yield _orders(ports, campaign)
    stop = stop_of(ports, campaign.id)
    if stop:
        yield Watched(Watch.INVITATIONS, overdue=True, since=stop.stopped_at)
    if with_own_codes(campaign):
        yield from _codes(ports, campaign)


def _acknowledgements(ports: CommandPorts, campaign: Campaign) -> Watched:
    waiting = list(ports.repository.agenda(Export, Agenda.UNACKNOWLEDGED, campaign.id))
    if not waiting:
        return Watched(Watch.ACKNOWLEDGEMENTS, overdue=False, left=0)
    overdue = is_unacknowledged(campaign, waiting[0], ports.clock())
    oldest = waiting[0].written_at
    return Watched(Watch.ACKNOWLEDGEMENTS, overdue, oldest, left=len(waiting))


def _orders(ports: CommandPorts, campaign: Campaign) -> Watched:
    last = ports.repository.get(LastFile, campaign=campaign.id, area=ORDERS)
    overdue = orders_are_missing(campaign, last, ports.clock())
    return Watched(Watch.ORDERS, overdue, last.dropped_at if last else None)


def _codes(ports: CommandPorts, campaign: Campaign) -> Iterator[Watched]:
    is_open = campaign.is_open(ports.clock())
    for codes in ports.repository.within(CodesLeft, campaign=campaign.id):
        if codes.template in with_own_codes(campaign):
            overdue = is_open and codes.is_low
            yield Watched(Watch.CODES, overdue, codes.counted_at, codes.template, codes.left)


@retry_on_conflict
def note_orders(ports: Ports, campaign_id: str, dropped_at: datetime) -> None:
    """Note that an order file took effect; files may be handled in another order than dropped."""
    last = ports.repository.get(LastFile, campaign=campaign_id, area=ORDERS)
    if last is None:
        noted: Change = Insert(LastFile(campaign=campaign_id, area=ORDERS, dropped_at=dropped_at))
    elif last.dropped_at < dropped_at:
        noted = Replace(replace(last, dropped_at=dropped_at))
    else:
        return
    ports.repository.commit(noted)


def count_codes(ports: Ports, campaign: Campaign) -> None:
    """Count the client's own codes that are left, by template."""
    templates = with_own_codes(campaign)
    if not templates or not campaign.is_open(ports.clock()):
        return
    counts = ports.repository.counts(campaign.id)
    today = campaign.local_date(ports.clock())
    for name, template in templates.items():
        _store_count(ports, campaign, name, codes_needed(name, template.days_left, counts, today))


@retry_on_conflict
def _store_count(ports: Ports, campaign: Campaign, template: str, needed: int) -> None:
    stored = ports.repository.get(CodesLeft, campaign=campaign.id, template=template)
    counted = CodesLeft(
        revision=stored.revision if stored else 0,
        campaign=campaign.id,
        template=template,
        left=count_spare_codes(ports, campaign.id, template, max(needed, CODES_COUNTED)),
        needed=needed,
        counted_at=ports.clock(),
    )
    ports.repository.commit(Replace(counted) if stored else Insert(counted))
