"""The live figures of a campaign: the funnel in total and by day, the status of its lists, and what
the client was expected to send and has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import BOUGHT_BY, HELD, REFUSED_FOR, funnel, totals
from chalicelib.services.list_status import ListStatus, list_statuses
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Ports
from chalicelib.services.watch import Watched, watched


@dataclass(frozen=True)
class Dashboard:
    """The counts of a campaign up to `as_of`; days are local days. `held`: how many `rewards` are
    held now, and their `value_minor`.
    """

    campaign: Campaign
    as_of: datetime
    funnel: Mapping[str, int]
    refused_by_reason: Mapping[str, int]
    orders_by_buyer: Mapping[str, int]
    held: Mapping[str, int]
    days: Mapping[date, Mapping[str, int]]
    lists: Mapping[str, ListStatus]
    watched: Sequence[Watched]


def view_dashboard(ports: Ports, campaign_id: str) -> Dashboard:
    """The dashboard. `UnknownError`."""
    campaign = current_campaign(ports, campaign_id)
    counts = ports.repository.counts(campaign.id)
    summed = totals(counts)
    return Dashboard(
        campaign=campaign,
        as_of=ports.clock(),
        funnel=funnel(summed),
        refused_by_reason=_counts_under(REFUSED_FOR, summed),
        orders_by_buyer=_counts_under(BOUGHT_BY, summed),
        held=_counts_under(HELD, summed),
        days={day: funnel(counts[day]) for day in sorted(counts, reverse=True)},
        lists=list_statuses(ports, campaign),
        watched=tuple(watched(ports, campaign)),
    )


def _counts_under(prefix: str, counts: Mapping[str, int]) -> dict[str, int]:
    """The counts whose names begin with `prefix`, by the rest of the name; without those at 0."""
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(counts.items())
        if name.startswith(prefix) and value
    }
