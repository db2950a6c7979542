"""The routes of ops and marketing: the dashboard."""

from __future__ import annotations

from collections.abc import Callable

from chalice.app import Blueprint

from chalicelib.api import models, operations
from chalicelib.api.edge import Call, Edge, Reply
from chalicelib.services.list_status import ListStatus
from chalicelib.services.operations.dashboard import Dashboard, view_dashboard
from chalicelib.services.ports import Ports
from chalicelib.services.watch import Watched


def ops_routes(ports: Callable[[], Ports]) -> Blueprint:
    """The blueprint of the ops routes."""
    edge = Edge(Blueprint(__name__), ports)

    @edge.serves(operations.GET_DASHBOARD)
    def dashboard(call: Call, campaign: str) -> Reply:
        return _dashboard(view_dashboard(call.ports, campaign))

    return edge.blueprint


def _dashboard(shown: Dashboard) -> models.DashboardAnswer:
    return models.DashboardAnswer(
        campaign=shown.campaign.id,
        version=shown.campaign.version,
        as_of=shown.as_of.isoformat(),
        time_zone=shown.campaign.time_zone,
        funnel=dict(shown.funnel),
        refused_by_reason=dict(shown.refused_by_reason),
        orders_by_buyer=dict(shown.orders_by_buyer),
        days=[{"date": day.isoformat(), **counts} for day, counts in shown.days.items()],
        lists={name: _list(status) for name, status in shown.lists.items()},
        watched=[_watch(each) for each in shown.watched],
    )


def _watch(watched: Watched) -> models.WatchAnswer:
    return models.WatchAnswer(
        watch=watched.watch.value,
        overdue=watched.overdue,
        since=watched.since.isoformat() if watched.since else None,
        template=watched.template,
        left=watched.left,
    )


def _list(status: ListStatus) -> models.ListAnswer:
    return models.ListAnswer(
        version=status.version,
        rows=status.rows,
        accepted_at=status.accepted_at.isoformat() if status.accepted_at else None,
        in_force=status.in_force,
    )
