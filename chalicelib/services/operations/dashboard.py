"""The live figures of a campaign: the funnel in total and by day, the status of its lists, and what
the client was expected to send and has not.

Nothing says that a fact waits to be counted, so some are looked at: of some shards of this hour and
the one before, others at each call, so that calls every five seconds have seen all of them in three
minutes. A projector that has stopped is noticed with the first of them that it left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.cohorts import Cohort, ours_first
from chalicelib.domain.effects import BOUGHT_BY, HELD, ISSUED_OF, REFUSED_FOR, funnel, totals
from chalicelib.domain.feed import Act
from chalicelib.domain.figures import is_figure
from chalicelib.services.feed import feed_of
from chalicelib.services.isolation import Isolation, raised
from chalicelib.services.list_status import ListStatus, list_statuses, rows_before
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import FACT_SHARDS, Agenda, CommandPorts, OnFailure, Ports
from chalicelib.services.watch import Watched, watched

SHARDS_A_LOOK = 4
FACTS_A_LOOK = 25  # of a shard; in the order of their subjects, so they are of any minute
LOOK_EVERY_S = 5


@dataclass(frozen=True)
class Dashboard:
    """The counts of a campaign up to `counted_until`, the time of the newest fact that is counted.

    `lag_s`: since when something waits to be counted, as far as was seen; 0 where nothing was. Days
    are local days. `held`: how many `rewards` are held now, and their `value_minor`. `figures` are
    the further counts of `domain/figures.py` and the vouchers by template; `figures_by_day` has
    those of each day, with refusals by reason and orders by buyer; `cohorts` are ours first;
    `acts` are the last ones, the newest first: of a dashboard that somebody looks at.
    """

    campaign: Campaign
    as_of: datetime
    counted_until: datetime | None
    lag_s: int
    funnel: Mapping[str, int]
    refused_by_reason: Mapping[str, int]
    orders_by_buyer: Mapping[str, int]
    held: Mapping[str, int]
    days: Mapping[date, Mapping[str, int]]
    figures: Mapping[str, int]
    figures_by_day: Mapping[date, Mapping[str, int]]
    cohorts: Sequence[Cohort]
    lists: Mapping[str, ListStatus]
    rows_before: Mapping[str, int | None]
    watched: Sequence[Watched]
    acts: Sequence[Act] = ()


def view_dashboard(ports: Ports, campaign_id: str, on_failure: OnFailure = raised) -> Dashboard:
    """The dashboard. `UnknownError`. Acts that cannot be read go to `on_failure`: it is shown
    without them.
    """
    shown = dashboard_of(ports, current_campaign(ports, campaign_id))
    isolation = Isolation(on_failure)
    acts: Sequence[Act] = ()
    with isolation.of("feed", campaign_id):
        acts = feed_of(ports, campaign_id, isolation.note)
    return replace(shown, acts=acts)


def campaigns_to_show(ports: CommandPorts, on_failure: OnFailure | None = None) -> list[Campaign]:
    """The campaigns that a dashboard can show, by brand and country, the latest first. One that
    cannot be read goes to `on_failure`; without it, the error is raised.
    """
    current = ports.repository.agenda(CurrentCampaign, Agenda.CAMPAIGNS, on_failure=on_failure)
    shown = [one.document for one in current if one.records_ended_at is None]
    shown.sort(key=lambda one: one.starts_on, reverse=True)
    return sorted(shown, key=lambda one: (one.brand.name, one.country))


def dashboard_of(ports: CommandPorts, campaign: Campaign) -> Dashboard:
    """The dashboard of a campaign."""
    counted = ports.repository.counted(campaign.id)
    counts = counted.days
    summed = totals(counts)
    lists = list_statuses(ports, campaign)
    return Dashboard(
        campaign=campaign,
        as_of=ports.clock(),
        counted_until=counted.until,
        lag_s=seconds_behind(ports),
        funnel=funnel(summed),
        refused_by_reason=_counts_under(REFUSED_FOR, summed),
        orders_by_buyer=_counts_under(BOUGHT_BY, summed),
        held=_counts_under(HELD, summed),
        days={day: funnel(counts[day]) for day in sorted(counts, reverse=True)},
        figures=_figures(summed),
        figures_by_day={
            day: _figures(of_day, REFUSED_FOR, BOUGHT_BY) for day, of_day in counts.items()
        },
        cohorts=ours_first(ports.repository.within(Cohort, campaign=campaign.id)),
        lists=lists,
        rows_before={name: rows_before(ports, campaign, name, one) for name, one in lists.items()},
        watched=tuple(watched(ports, campaign)),
    )


def seconds_behind(ports: CommandPorts) -> int:
    """For how long, at least, a fact of any campaign has waited to be counted; 0 where none of
    those that were looked at does.
    """
    now = ports.clock()
    first = int(now.timestamp()) // LOOK_EVERY_S * SHARDS_A_LOOK
    waiting = [
        fact.at
        for shard in range(first, first + SHARDS_A_LOOK)
        for hour in (now - timedelta(hours=1), now)
        for fact in ports.repository.first_facts_in(hour, shard % FACT_SHARDS, FACTS_A_LOOK)
        if not fact.counted
    ]
    oldest = min(waiting, default=now)
    return max(0, int((now - oldest).total_seconds()))


def _figures(counts: Mapping[str, int], *more: str) -> dict[str, int]:
    """The figures, the vouchers by template and what begins with one of `more`, if not at 0."""
    return {
        name: value
        for name, value in sorted(counts.items())
        if value and (is_figure(name) or name.startswith((ISSUED_OF, *more)))
    }


def _counts_under(prefix: str, counts: Mapping[str, int]) -> dict[str, int]:
    """The counts whose names begin with `prefix`, by the rest of the name; without those at 0."""
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(counts.items())
        if name.startswith(prefix) and value
    }
