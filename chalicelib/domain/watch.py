"""What is overdue in the exchange of files with the client, as its campaign file expects it.

Three things that no event reports, because something did not happen: an export that nobody has
acknowledged, an order file that did not come, own codes that will not last. They are decided here;
`services/watch.py` asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.templates import VoucherTemplate
from chalicelib.domain.effects import ISSUED_OF
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export


@dataclass(frozen=True, kw_only=True)
class LastFile(Entity):
    """When the last file of an area that took effect was dropped."""

    campaign: str
    area: str
    dropped_at: datetime


@dataclass(frozen=True, kw_only=True)
class CodesLeft(Entity):
    """How many of the client's own codes were left for a template when they were last counted, and
    how many `days_left` of the campaign file then asked for.
    """

    campaign: str
    template: str
    left: int
    needed: int
    counted_at: datetime

    @property
    def is_low(self) -> bool:
        """Whether they will not last; without any left, whatever was issued lately."""
        return self.left < max(1, self.needed)


RATE_DAYS = 7


def is_unacknowledged(campaign: Campaign, export: Export, now: datetime) -> bool:
    """Whether a written export has waited too long for the client's acknowledgement."""
    if export.written_at is None or export.acknowledged_at:
        return False
    return now - export.written_at > timedelta(hours=campaign.acknowledge_within)


def orders_are_missing(campaign: Campaign, last: LastFile | None, now: datetime) -> bool:
    """Whether no order file has come for too long while the campaign is open.

    The time before its first day does not count.
    """
    if campaign.orders_expected_every is None or not campaign.is_open(now):
        return False
    begins = campaign.end_of_day(campaign.starts_on - timedelta(days=1))
    since = max(last.dropped_at, begins) if last else begins
    return now - since > timedelta(hours=campaign.orders_expected_every)


def codes_needed(
    template: str, days_left: int, counts: Mapping[date, Mapping[str, int]], today: date
) -> int:
    """The codes that `days_left` days take, at the rate of the last seven local days."""
    first = today - timedelta(days=RATE_DAYS - 1)
    issued = sum(
        names.get(f"{ISSUED_OF}{template}", 0)
        for day, names in counts.items()
        if first <= day <= today
    )
    return -(-issued * days_left // RATE_DAYS)


def with_own_codes(campaign: Campaign) -> dict[str, VoucherTemplate]:
    """The templates whose codes are the client's own."""
    return {name: each for name, each in campaign.templates.items() if each.codes == "client"}
