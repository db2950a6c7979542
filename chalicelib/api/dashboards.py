"""The dashboard as the API answers it.

A function answers at most 6 MB, so each figure is named once and not on each day: its counts are a
run of numbers, one a day (tests/api/test_dashboard_bounds.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.api import ops_models
from chalicelib.api.cohorts import cohort_answers
from chalicelib.domain.feed import Act, on_a_wall
from chalicelib.domain.money import decimal_text
from chalicelib.services.list_status import ListStatus
from chalicelib.services.operations.dashboard import Dashboard
from chalicelib.services.watch import Watched


def dashboard_answer(shown: Dashboard) -> ops_models.DashboardAnswer:
    """The dashboard, with single acts."""
    return ops_models.DashboardAnswer(
        campaign=shown.campaign.id,
        version=shown.campaign.version,
        as_of=shown.as_of.isoformat(),
        counted_until=shown.counted_until.isoformat() if shown.counted_until else None,
        lag_s=shown.lag_s,
        time_zone=shown.campaign.time_zone,
        currency=shown.campaign.currency,
        starts_on=shown.campaign.starts_on.isoformat(),
        ends_on=shown.campaign.ends_on.isoformat(),
        figures=dict(shown.figures),
        funnel=dict(shown.funnel),
        refused_by_reason=dict(shown.refused_by_reason),
        orders_by_buyer=dict(shown.orders_by_buyer),
        held_rewards=ops_models.HeldSumAnswer(
            rewards=shown.held.get("rewards", 0),
            value=decimal_text(shown.held.get("value_minor", 0)),
            currency=shown.campaign.currency,
        ),
        days=[{"date": day.isoformat(), **counts} for day, counts in shown.days.items()],
        figures_by_day=_runs([shown.figures_by_day[day] for day in shown.days]),
        lists={
            name: _list(status, shown.rows_before[name]) for name, status in shown.lists.items()
        },
        watched=[_watch(each) for each in shown.watched],
        cohorts=cohort_answers(shown.cohorts),
        acts=[_act(each) for each in shown.acts],
    )


def wall_answer(shown: Dashboard) -> ops_models.DashboardAnswer:
    """The dashboard, as anybody in front of a screen may see it."""
    return dashboard_answer(replace(shown, acts=on_a_wall(shown.acts)))


def _runs(days: Sequence[Mapping[str, int]]) -> dict[str, list[int]]:
    """Each figure's first day, by its position, and its counts from there to its last day."""
    found: dict[str, list[int]] = {}
    for position, of_day in enumerate(days):
        for name, by in of_day.items():
            run = found.setdefault(name, [position])
            run += [0] * (position - run[0] - len(run) + 1)
            run.append(by)
    return dict(sorted(found.items()))


def _act(act: Act) -> ops_models.ActAnswer:
    return ops_models.ActAnswer(
        at=act.at.isoformat(), act=act.name, channel=act.channel.value if act.channel else None
    )


def _watch(watched: Watched) -> ops_models.WatchAnswer:
    return ops_models.WatchAnswer(
        watch=watched.watch.value,
        overdue=watched.overdue,
        since=watched.since.isoformat() if watched.since else None,
        template=watched.template,
        left=watched.left,
    )


def _list(status: ListStatus, rows_before: int | None) -> ops_models.ListAnswer:
    return ops_models.ListAnswer(
        version=status.version,
        rows=status.rows,
        accepted_at=status.accepted_at.isoformat() if status.accepted_at else None,
        in_force=status.in_force,
        max_age_days=status.max_age_days,
        rows_before=rows_before,
    )
